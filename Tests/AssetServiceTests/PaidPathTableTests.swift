import Foundation
import Testing

/// The paid path's table is whole, and every test that it names is there.
@Suite struct PaidPathTableTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let events = [
    "Client left", "Client left, store fails", "Retried by the client", "Crash", "Disk full",
    "EIO at each call", "COMMIT unknown", "Quota full", "Digest blocked",
    "Answer cut after n images", "SIGTERM", "Upstream stalls",
  ]
  private static let places = ["unsent", "in line", "sent", "arriving", "durable", "delivered"]

  private struct Cell {
    let event: String
    let place: String
    let outcome: String
    let tests: [String]
  }

  private func cells() throws -> [Cell] {
    let page = Self.root.appending(path: "Sources/AssetService/AssetService.docc/PaidPath.md")
    var event = ""
    var cells: [Cell] = []
    for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n") {
      if line.hasPrefix("## ") { event = String(line.dropFirst(3)) }
      guard line.hasPrefix("| "), !line.hasPrefix("| place |") else { continue }
      let parts = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(parts.count == 3, "\(line)")
      let tests = parts[2].split(separator: "`").map(String.init).filter { $0.contains(".") }
      cells.append(Cell(event: event, place: parts[0], outcome: parts[1], tests: tests))
    }
    return cells
  }

  /// The tests of the repository, as `Suite.function`.
  private func tests() throws -> Set<String> {
    let folder = Self.root.appending(path: "Tests")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var found: Set<String> = []
    for case let file as URL in try #require(files) where file.pathExtension == "swift" {
      var suite = ""
      var isTest = false
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let words = line.split(whereSeparator: { !$0.isLetter && !$0.isNumber })
        if let index = words.firstIndex(of: "struct"), index + 1 < words.count,
          words[index + 1].hasSuffix("Tests")
        {
          suite = String(words[index + 1])
        }
        if line.contains("@Test") { isTest = true }
        guard isTest, let index = words.firstIndex(of: "func"), index + 1 < words.count else {
          continue
        }
        found.insert("\(suite).\(words[index + 1])")
        isTest = false
      }
    }
    return found
  }

  @Test func everyCellIsThere() throws {
    let cells = try cells()
    let wanted = Self.events.flatMap { event in Self.places.map { "\(event), \($0)" } }
    #expect(cells.map { "\($0.event), \($0.place)" } == wanted)
  }

  @Test func everyCellNamesTestsThatExist() throws {
    let known = try tests()
    #expect(known.contains("PaidPathTableTests.everyCellNamesTestsThatExist"))
    for cell in try cells() {
      let isImpossible = cell.outcome.hasPrefix("–")
      #expect(cell.tests.isEmpty == isImpossible, "\(cell.event), \(cell.place)")
      for test in cell.tests { #expect(known.contains(test), "\(cell.event): \(test)") }
    }
  }
}
