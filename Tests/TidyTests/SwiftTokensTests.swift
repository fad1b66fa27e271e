import Testing

struct SwiftTokensTests {
  private func words(_ text: String) -> [String] {
    SwiftTokenizer.tokens(of: text).map { $0.kind == .string ? "\"\"" : $0.text }
  }

  @Test(arguments: [
    ("let a = 1", ["let", "a", "=", "1"]), ("a // b\nc", ["a", "c"]),
    ("a /* b /* c */ d */ e", ["a", "e"]), ("/* never closed", []),
    ("\"a // b\" c", ["\"\"", "c"]), (#""a\"b" c"#, ["\"\"", "c"]), (#""\\" c"#, ["\"\"", "c"]),
    (#""a\(b + "c\(d)")e" f"#, ["\"\"", "b", "+", "\"\"", "d", "f"]),
    (#""\(f(g))" h"#, ["\"\"", "f", "(", "g", ")", "h"]),
    ("#\"a\"b\\(c)\"# d", ["\"\"", "d"]), ("#\"\\#(c)\"# d", ["\"\"", "c", "d"]),
    ("\"\"\"\n a \"b\" \n\"\"\" c", ["\"\"", "c"]), ("\"\" a", ["\"\"", "a"]),
    ("#if x", ["#", "if", "x"]), ("`unsafe` a", ["`", "a"]), ("\"never closed", ["\"\""]),
    ("\"\\(never closed", ["\"\"", "never", "closed"]), ("café.b", ["café", ".", "b"]),
  ])
  func splits(text: String, expected: [String]) {
    #expect(words(text) == expected)
  }

  @Test func knowsWhatStringsSay() {
    let text = #"f("a\(b("c"))d", "\"e") + "\n"#
    #expect(
      SwiftTokenizer.tokens(of: text).filter { $0.kind == .string }.map(\.content) == [
        "ad", "c", "\"e", "n",
      ])
  }

  @Test func knowsLinesAndNeighbours() {
    let tokens = SwiftTokenizer.tokens(of: "a! /*\n*/b\n\"\"\"\n\n\"\"\"\n  .c")
    #expect(tokens.map(\.line) == [1, 1, 2, 3, 6, 6])
    #expect(tokens.map(\.isAttached) == [false, true, false, false, false, true])
  }
}
