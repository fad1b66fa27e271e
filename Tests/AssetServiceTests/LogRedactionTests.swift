import Testing

@testable import AssetService

struct LogRedactionTests {
  private static let token = "AQEAawJfn70mckxYhNNdoGkKAWISlBGP-dF_SGV01Ka7tRALh-4C"

  private func shortening(_ text: String) -> String {
    String(decoding: LogRedaction.shortening(Array(text.utf8)), as: UTF8.self)
  }

  /// Wherever a token comes in, and whatever stands beside it (A6).
  @Test(arguments: [
    "%", "%x", "%.png", "%.png/", "%.png%20", "%%2Epng", "%%2", "/v1/models/%", "%%41", "%%",
    "{\"request_id\":\"%\",\"path\":\"/%?%\"}\n", "%\n%\n", "\u{FC}%\u{FC}", "-%_",
  ])
  func aTokenIsCut(form: String) {
    let shown = shortening(
      form.replacing("%%", with: "%\u{0}").replacing("%", with: Self.token)
        .replacing("\u{0}", with: "%"))
    for start in 0...8 {
      let part = Self.token.dropFirst(start).prefix(44)
      #expect(!shown.contains(part), "\(shown)")
    }
    #expect(shown.contains("..."))
  }

  @Test func aTokenInDisguiseIsCut() {
    let encoded = Self.token.utf8.map { "%" + String($0, radix: 16, uppercase: true) }.joined()
    #expect(shortening("/\(encoded).png") == "/%41%51%45%41%61%77%4A%66....png")
    let mixed = "/%41" + Self.token.dropFirst() + "."
    #expect(shortening(mixed) == "/%41QEAawJf....")
  }

  @Test(arguments: [
    "", "\n", "img-0123456789abcdef0123456789abcdef", "gen-0123456789abcdef0123456789abcdef",
    "550e8400-e29b-41d4-a716-446655440000", String(repeating: "a", count: 43),
    "https://img.example.com/v1/images/generations/and/a/long/path/of/many/short/segments",
    "%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F",
    "%", "%4", "a%", "a%4", "a%zz",
  ])
  func whatIsNoSecretStays(text: String) { #expect(shortening(text) == text) }

  /// Any bytes: no long run is left, what is left are the same bytes in the same order, and a
  /// second look changes nothing.
  @Test func anyLinesHold() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("Aa0-_%4.\"\n/\u{FC}".utf8)
    for _ in 0..<2000 {
      let count = Int.random(in: 0...300, using: &random)
      let lines = (0..<count).map { _ in
        Bool.random(using: &random) ? UInt8(ascii: "Q") : alphabet.randomElement() ?? 0
      }
      let shown = LogRedaction.shortening(lines)
      #expect(LogRedaction.shortening(shown) == shown)
      let runs = String(decoding: shown, as: UTF8.self).split { !"Aa0-_4Q".contains($0) }
      #expect(runs.allSatisfy { $0.count <= 43 })
      var rest = lines[...]
      for byte in shown where byte != UInt8(ascii: ".") {
        guard let next = rest.firstIndex(of: byte) else {
          Issue.record("\(shown) is not of \(lines)")
          break
        }
        rest = rest[(next + 1)...]
      }
      #expect(
        shown.filter { $0 == UInt8(ascii: "\n") } == lines.filter { $0 == UInt8(ascii: "\n") })
    }
  }
}
