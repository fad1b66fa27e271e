// What README.md says of the sources is what they say.
import Foundation
import Testing

struct ReadmeTests {
  /// The two straight ways: the function, and the file that it is copied from.
  static let excerpts = [
    ("deliver", "Sources/AssetService/Delivery/Delivery.swift"),
    ("generate", "Sources/AssetService/Front/GenerationHandler.swift"),
  ]

  @Test(arguments: excerpts)
  func excerptIsTheSource(name: String, path: String) throws {
    let readme = try page()
    let file = try #require(Repository.this.files.first { $0.path == path })
    let original = try #require(Self.method(name, in: file.text), "\(path) has no \(name)")
    let copy = Self.blocks("swift", in: readme).first { $0.hasPrefix("func \(name)(") }
    #expect(readme.contains("`\(path)`:"))
    #expect(copy == original, "copy \(name) of \(path) into README.md again")
  }

  @Test func mapIsTheHouse() throws {
    let rows = Self.rows(after: "## Map of the house", in: try page())
    let rooms = Set(rows.flatMap(\.names))
    #expect(rooms == House.systemLibraries.union(House.arrows.keys).union(House.programs))
    for row in rows {
      guard let name = row.names.first, let arrows = House.arrows[name] else { continue }
      let house = arrows.filter { !$0.hasPrefix("Foundation") }
      if row.importsEverything {
        #expect(house.count > 8, "\(name) does not import all of the above")
      } else {
        #expect(row.imports == house, "the imports of \(name) are others")
      }
    }
  }

  /// Both commands of the first screen.
  @Test(arguments: ["swift run -c release assetctl demo", "swift test"])
  func firstScreen(command: String) throws {
    let screen = try page().split(separator: "\n## ", maxSplits: 1)[0]
    #expect(screen.contains("\nsh Config/install-libraries.sh && \(command)\n"))
  }

  private func page() throws -> String {
    try #require(Repository.this.files.first { $0.path == "README.md" }).text
  }

  // MARK: Reading

  /// The fenced blocks of a language.
  static func blocks(_ language: String, in page: String) -> [String] {
    page.components(separatedBy: "\n```\(language)\n").dropFirst().map { rest in
      rest.components(separatedBy: "\n```")[0]
    }
  }

  /// A method of a type from its keyword to its brace, moved to the left edge.
  static func method(_ name: String, in source: String) -> String? {
    let lines = source.components(separatedBy: "\n")
    guard let start = lines.firstIndex(where: { $0.hasPrefix("  func \(name)(") }),
      let end = lines[start...].firstIndex(of: "  }")
    else { return nil }
    return lines[start...end].map { String($0.dropFirst(2)) }.joined(separator: "\n")
  }

  /// A row of the map.
  struct Row {
    let names: [String]
    let imports: Set<String>
    let importsEverything: Bool
  }

  /// The rows of the table of a chapter.
  static func rows(after heading: String, in page: String) -> [Row] {
    let chapter = page.components(separatedBy: "\n\(heading)\n").dropFirst().first ?? ""
    let body = chapter.components(separatedBy: "\n## ")[0]
    return body.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { line in
      let cells = line.components(separatedBy: "|")
      guard cells.count == 5 else { return nil }
      return Row(
        names: quoted(cells[1]), imports: Set(quoted(cells[3])),
        importsEverything: cells[3].contains("all of the above"))
    }
  }

  private static func quoted(_ text: String) -> [String] {
    text.components(separatedBy: "`").enumerated().compactMap { $0 % 2 == 1 ? $1 : nil }
  }

  // MARK: The reading itself

  @Test func readsBlocksAndMethods() {
    let page = "a\n```swift\nfunc a() {\n}\n```\n```sh\nls\n```\n"
    #expect(Self.blocks("swift", in: page) == ["func a() {\n}"])
    let source = "struct S {\n  func a() {\n    b()\n  }\n\n  func c() {}\n}\n"
    #expect(Self.method("a", in: source) == "func a() {\n  b()\n}")
    #expect(Self.method("b", in: source) == nil)
  }
}
