// Proves of every rule that it can fail, and that it lets good code pass.
import Testing

struct RuleTests {
  private func file(_ text: String, _ path: String = "Sources/Wire/A.swift") -> RepositoryFile {
    RepositoryFile(path: path, text: text)
  }

  @Test func top() {
    let good = [
      ".ci", ".git", "Config", "Package.swift", "README.md", "Sources", "Storage", "Tests",
    ]
    #expect(StructureRules.top(good).isEmpty)
    #expect(StructureRules.top(good + ["Makefile"]).map(\.path) == ["Makefile"])
    #expect(StructureRules.top(Array(good.dropLast())).map(\.path) == ["Tests"])
  }

  @Test(arguments: [
    (".package(url: \"\", from: \"1\")", ".package has no place here"),
    (".binaryTarget(name: \"a\")", ".binaryTarget has no place here"),
    (".systemLibrary(name: \"CFoo\")", "this system library is not in the house's table"),
    (".target(name: \"A\", swiftSettings: [])", "a target without `settings`"),
    (".target(name: name)", "a target without `settings`"),
    (".testTarget(name: \"A\", dependencies: f(x))", "a target without `settings`"),
    ("let s = [.unsafeFlags([])]", ".unsafeFlags has no place here"),
  ])
  func manifest(line: String, message: String) {
    let good =
      House.settings.joined(separator: "\n") + "\n.systemLibrary(name: \"CLinux\")\n"
      + ".target(name: f(x), swiftSettings: settings)\n// .package(\n"
    #expect(StructureRules.manifest(file(good, "Package.swift")).isEmpty)
    let found = StructureRules.manifest(file(good + line, "Package.swift"))
    #expect(found.map(\.message) == [message])
  }

  @Test func manifestLacksASetting() {
    for setting in House.settings {
      let rest = House.settings.filter { $0 != setting }.joined(separator: "\n")
      let found = StructureRules.manifest(file(rest, "Package.swift"))
      #expect(found.map(\.message) == ["the settings lack \(setting)"])
    }
  }

  @Test(arguments: [
    ("Wire", "internal import CLinux\nimport Synchronization", []),
    ("Wire", "// import Foundation\nlet a = \"import Foundation\"", []),
    ("Wire", "internal import Foundation", ["Wire must not import Foundation"]),
    ("Kernel", "public import struct Wire.Hex", ["Kernel must not import Wire"]),
    ("Store", "@testable import HTTPServer", ["Store must not import HTTPServer"]),
    ("Upstream", "import class Net.A", ["Upstream must not import Net"]),
    ("assetd", "import AssetService", ["assetd must not import AssetService"].dropLast()),
    ("Fresh", "", ["the target Fresh is not in the table"]),
  ])
  func imports(target: String, text: String, messages: [String]) {
    let found = StructureRules.imports(file(text, "Sources/\(target)/A.swift"))
    #expect(found.map(\.message) == messages)
  }

  @Test func arrowsPointDown() {
    for (target, below) in House.arrows {
      for lower in below {
        #expect(House.arrows[lower]?.contains(target) != true, "\(target) and \(lower)")
      }
    }
  }

  @Test func loosePages() {
    #expect(StructureRules.loosePages(file("", "Sources/Wire/Notes.md")).count == 1)
    #expect(StructureRules.loosePages(file("", "Sources/Wire/Wire.docc/Notes.md")).isEmpty)
    #expect(StructureRules.loosePages(file("", "Tests/WireTests/Fixtures/a.md")).isEmpty)
    #expect(StructureRules.loosePages(file("", "README.md")).isEmpty)
  }

  @Test func blockingStreams() {
    let text = "\nStandardStream.error.write(line)"
    let path = "Sources/AssetService/A.swift"
    #expect(CodeRules.blockingStreams(file(text, path)).map(\.line) == [2])
    for path in ["Sources/Kernel/A.swift", "Sources/assetd/A.swift", "Tests/WireTests/A.swift"] {
      #expect(CodeRules.blockingStreams(file(text, path)).isEmpty)
    }
  }

  @Test func sql() {
    let path = "Sources/Store/A.swift"
    for text in [
      "SELECT 1", "\n  DELETE\n FROM a", "EXPLAIN QUERY PLAN SELECT 1", "x; UPDATE a SET b = 1",
      "INSERT OR REPLACE INTO a", "PRAGMA optimize",
    ] {
      let code = "\nlet a = \"\"\"\n\(text)\n\"\"\""
      #expect(SQLRules.texts(file(code, path)).map(\.line) == [2], "\(text)")
      #expect(SQLRules.texts(file(code, House.sqlTexts[0].path)).isEmpty)
    }
    for text in [
      "select count(*) from assets", "Insert Into a", " FROM assets WHERE id = ?", "ORDER BY id",
    ] {
      #expect(SQLRules.texts(file("\nf(\"\(text)\")", path)).map(\.line) == [2], "\(text)")
    }
    for text in ["\"DELETE /v1/assets\"", "\"select one\"", "// SELECT 1", "\"REPLACE\"", "SELECT"]
    {
      #expect(SQLRules.texts(file(text, path)).isEmpty, "\(text)")
    }
  }

  @Test func sqlCalls() {
    let path = "Sources/Store/A.swift"
    for call in ["a.prepare(b)", "a.execute(b)", "a.connection.text(b)", "connection.integer(b)"] {
      #expect(SQLRules.calls(file("\n" + call, path)).map(\.line) == [2], "\(call)")
      #expect(SQLRules.calls(file(call, "Sources/SQLite/A.swift")).isEmpty)
    }
    for call in ["row.text(0)", "prepare(a)", "session.integer(.b)", "a.prepared(b)"] {
      #expect(SQLRules.calls(file(call, path)).isEmpty, "\(call)")
    }
    for text in ["connection.execute", "let run = a.prepare\nrun(b)"] {
      #expect(SQLRules.calls(file(text, path)).count == 1, "\(text)")
    }
    let shorthand = "let c = session.connection\nc.integer(\"x\")"
    #expect(SQLRules.calls(file("import SQLite\n" + shorthand, path)).map(\.line) == [3])
    #expect(SQLRules.calls(file(shorthand, path)).isEmpty, "another kind of text")
    #expect(!SQLRules.stale([]).isEmpty)
  }

  /// The room that speaks to SQLite knows no table of ours.
  @Test func sqlOfTheRoom() {
    let path = "Sources/SQLite/A.swift"
    for text in ["SELECT count(*) FROM assets", "delete from a", "UPDATE a SET b = 1"] {
      #expect(SQLRules.texts(file("f(\"\(text)\")", path)).count == 1, "\(text)")
    }
    for text in ["SELECT count(*) FROM sqlite_schema", "PRAGMA user_version", "BEGIN IMMEDIATE"] {
      #expect(SQLRules.texts(file("f(\"\(text)\")", path)).isEmpty, "\(text)")
    }
  }

  @Test func ends() {
    let path = "Sources/assetd/A.swift"
    #expect(CodeRules.ends(file("\nexit(0)", path)).map(\.line) == [2])
    #expect(CodeRules.ends(file("x._exit(0)\nProcessLife.end(0)", path)).isEmpty)
    #expect(CodeRules.ends(file("exit(0)", "Sources/Kernel/A.swift")).isEmpty)
  }

  @Test func unsafeWord() {
    let text = "let a = unsafe b"
    #expect(CodeRules.unsafeWord(file("\n" + text)).map(\.line) == [2])
    #expect(CodeRules.unsafeWord(file(text, "Sources/Kernel/A.swift")).isEmpty)
    #expect(CodeRules.unsafeWord(file(text, House.unsafeFiles[0].path)).isEmpty)
    #expect(CodeRules.unsafeWord(file("// unsafe\nlet unsafeA = \"unsafe\"")).isEmpty)
  }

  @Test(arguments: [
    ("final class A: @unchecked Sendable {}", ["@unchecked"]),
    ("nonisolated(unsafe) var a = 1", ["nonisolated(unsafe)"]),
    ("unowned(unsafe) let a: B", ["unowned(unsafe)"]), ("try! f()", ["try!"]),
    ("a as! B", ["as!"]), ("a!.b", ["!"]), ("a[0]!", ["!"]), ("f()! + 1", ["!"]),
    ("var a: Int!", ["!"]), ("var a: [Int]!", ["!"]), ("a!", ["!"]), ("x = a! != b", ["!"]),
    ("\"\\(a!)\"", ["!"]), ("{ a }()!", ["!"]),
  ])
  func loopholes(text: String, expected: [String]) {
    #expect(
      CodeRules.loopholes(file("\n" + text)).map(\.message)
        == expected.map { "\($0) is not allowed" })
  }

  @Test(arguments: [
    "a != b", "a!=b", "!a", "f(!a)", "[!a]", "a && !b", "if !a {}", "// a!", "\"a!\"", "try? f()",
    "a as? B", "return !a", "(unsafe a)", "unsafe f(unsafe b)", "a ? !b : c", "#if !DEBUG\n#endif",
  ])
  func noLoopholes(text: String) {
    #expect(CodeRules.loopholes(file("\n" + text)).isEmpty)
  }

  @Test func printing() {
    #expect(CodeRules.printing(file("print(a)")).count == 1)
    #expect(CodeRules.printing(file("f { debugPrint(a) }")).count == 1)
    #expect(CodeRules.printing(file("print(a)", "Sources/assetctl/A.swift")).isEmpty)
    #expect(CodeRules.printing(file("a.print(b)\nfunc print(_ a: Int) {}\n\"print(a)\"")).isEmpty)
  }

  @Test func emptyNames() {
    for text in ["struct HexUtils {}", "enum Common {}", "final class LinkManager {}"] {
      #expect(CodeRules.emptyNames(file(text)).count == 1, "\(text)")
    }
    #expect(CodeRules.emptyNames(file("", "Sources/Wire/StringHelpers.swift")).count == 1)
    for text in ["struct Commonality {}", "let manager = 1", "struct Hex {} // Utils"] {
      #expect(CodeRules.emptyNames(file(text)).isEmpty, "\(text)")
    }
  }

  @Test func functionLength() {
    func body(_ count: Int) -> String { "{\n" + String(repeating: "a\n", count: count) + "}" }
    let longer = House.mostFunctionLines - 1
    for head in [
      "func f(a: Int = { 1 }()) -> [Int] ", "init?() throws(E) ", "subscript(a: B) -> C ",
    ] {
      #expect(CodeRules.functionLength(file(head + body(longer - 1))).isEmpty)
      #expect(CodeRules.functionLength(file(head + body(longer))).count == 1, "\(head)")
    }
    let requirement = "protocol P {\n  func f() -> Int\n  func g()\n}\nstruct S "
    #expect(CodeRules.functionLength(file(requirement + body(90))).isEmpty)
    #expect(CodeRules.functionLength(file("let a = B.init(c) " + body(90))).isEmpty)
    let nested = "func f() {\n  func g() " + body(longer) + "\n}"
    #expect(CodeRules.functionLength(file(nested)).map(\.line) == [1, 2])
  }

  @Test func fileLength() {
    let text = String(repeating: "a\n", count: House.mostLines)
    #expect(TextRules.fileLength(file(text)).isEmpty)
    #expect(TextRules.fileLength(file(text + "a\n")).count == 1)
    #expect(TextRules.fileLength(file(text + "a\n", "Tests/A/Fixtures/a.json5")).isEmpty)
  }

  @Test func columns() {
    let line = String(repeating: "ü", count: House.mostColumns)
    #expect(TextRules.columns(file("\n" + line)).isEmpty)
    #expect(TextRules.columns(file("\n" + line + "a")).map(\.line) == [2])
    #expect(TextRules.columns(file(line + "a", "README.md")).isEmpty)
  }

  @Test func notes() {
    for note in House.notes {
      #expect(TextRules.notes(file("\n// \(note) later")).map(\.line) == [2])
    }
    #expect(TextRules.notes(file("// to do\nlet a = \"fixme\"")).isEmpty)
  }

  @Test func workplaces() {
    for place in House.workplaces {
      #expect(TextRules.workplaces(file("see \(place)a", "README.md")).map(\.line) == [1])
    }
    #expect(TextRules.workplaces(file("/tmp/a")).isEmpty)
  }

  @Test func documentation() {
    for text in [
      "public struct A {}", "// a\npublic let a = 1", "public\n  let a = 1", "package func f() {}",
      "@inlinable\npublic func f() {}", "@inlinable public init() {}", "/// a\n\npublic let a = 1",
      "open class A {}", "  static public let a = 1",
      "/// a\nlet b = 1\npublic private(set) var a = 1",
    ] {
      #expect(TextRules.documentation(file(text)).count == 1, "\(text)")
    }
    for text in [
      "/// a\npublic struct A {}", "/// a\n@inlinable\npublic func f() {}",
      "/// a\n@inlinable public func f() {}", "public import Net", "case open\ncase keys",
      "case read, open\nfunc f() {}", "f(.public)", "let a = open(b)", "func open() {}",
      "struct A {}", "/// a\nstatic public let a = 1",
    ] {
      #expect(TextRules.documentation(file(text)).isEmpty, "\(text)")
    }
    #expect(TextRules.documentation(file("public let a = 1", "Tests/A/A.swift")).isEmpty)
  }

  @Test func waitingWithWhatIsShared() {
    let path = "Sources/HTTPServer/LoopScratch.swift"
    #expect(StructureRules.waiting(file("func f() { g() } // await", path)).isEmpty)
    #expect(StructureRules.waiting(file("func f() async { await g() }", path)).count == 2)
    #expect(StructureRules.waiting(file("func f() async { await g() }")).isEmpty)
    #expect(!StructureRules.staleShared([file("", path)]).isEmpty)
  }

  @Test func waitingElsewhere() {
    let shared = file("struct LoopScratch {}", "Sources/HTTPServer/LoopScratch.swift")
    func found(_ text: String) -> [Violation] {
      StructureRules.waitingElsewhere([shared, file(text, "Sources/HTTPServer/A.swift")])
    }
    #expect(found("\nextension LoopScratch {\n  func f() async {}\n}").map(\.line) == [3])
    #expect(found("extension LoopScratch { func f() { Task { await g() } } }").count == 1)
    for text in [
      "extension LoopScratch { func f() {} }\nfunc g() async {}",
      "extension Connection { func f(_ a: LoopScratch) async {} }",
    ] {
      #expect(found(text).isEmpty, "\(text)")
    }
  }

  @Test func sharedBuffers() {
    let path = "Sources/HTTPServer/Connection.swift"
    for text in [
      "var writer: ResponseWriter", "let a = LoopScratch(limits: b)", "private var a: LoopScratch",
    ] {
      #expect(StructureRules.sharedBuffers(file("\n" + text, path)).map(\.line) == [2], "\(text)")
    }
    let owner = "Sources/HTTPServer/ServerLoop.swift"
    #expect(StructureRules.sharedBuffers(file("private var a: LoopScratch", owner)).isEmpty)
    #expect(StructureRules.sharedBuffers(file("var a: LoopScratch", owner)).count == 1)
    #expect(StructureRules.sharedBuffers(file("f(a: inout ResponseWriter)", path)).isEmpty)
  }

  @Test func blockingCalls() {
    let path = "Sources/AssetService/A.swift"
    for text in [
      "FileManager.default", "KernelThread.sleep(a)", "Thread.sleep(a)", "try Data(contentsOf: a)",
      "DispatchSemaphore(value: 0)", "Resolver.addresses(of: a)",
    ] {
      #expect(LoopRules.blocking(file("\n" + text, path)).map(\.line) == [2], "\(text)")
      #expect(LoopRules.blocking(file(text, "Sources/Store/A.swift")).isEmpty, "\(text)")
    }
    for text in ["a.append(contentsOf: b)", "clock.sleep(until: a)", "// FileManager"] {
      #expect(LoopRules.blocking(file(text, path)).isEmpty, "\(text)")
    }
    #expect(!LoopRules.stale([]).isEmpty)
  }

  @Test func statuses() {
    let path = "Sources/AssetService/A.swift"
    for text in ["Response(status: 503, json: a)", "writer.start(404)", "answer(500, a)"] {
      #expect(LoopRules.statuses(file("\n" + text, path)).map(\.line) == [2], "\(text)")
      #expect(LoopRules.statuses(file(text, "Sources/AssetService/Failures.swift")).isEmpty)
    }
    for text in [
      "Failure(503, .server, a)", "status >= 500", "Response(status: 201)", "f(512)",
      "a ? status : 502",
    ] {
      #expect(LoopRules.statuses(file(text, path)).isEmpty, "\(text)")
    }
  }
}
