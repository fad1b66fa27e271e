// Replays Tests/Corpus: what the fuzzers start from, and every input that once broke something.
// See Surface.swift.
import Foundation
import Testing

struct CorpusTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus")

  private static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test(arguments: Surface.allCases)
  func everyFileHolds(surface: Surface) throws {
    let folder = Self.folder.appending(path: surface.rawValue)
    let names = try Self.names(in: folder)
    #expect(names.count >= 10, "too little to start from")
    for name in names {
      let bytes = try [UInt8](Data(contentsOf: folder.appending(path: name)))
      #expect(bytes.count <= 16_384, "\(name) is too large for a seed")
      #expect(throws: Never.self, "\(surface.rawValue)/\(name)") {
        try surface.check(bytes.span)
      }
    }
  }

  /// A folder that no surface reads would look like tests.
  @Test func everyFolderIsASurface() throws {
    #expect(Set(try Self.names(in: Self.folder)) == Set(Surface.allCases.map(\.rawValue)))
  }

  @Test func whatDoesNotHoldIsSaid() {
    #expect(throws: Broken.self) { try hold(false, "a promise") }
    #expect(cuts(3) == [[0..<3], [0..<1, 1..<3], [0..<1, 1..<2, 2..<3]])
  }
}
