import Kernel
import Synchronization
import Testing
import Wire

@testable import assetctl

/// Lines of a collection, as they come.
@Suite struct CollectionListingTests {
  private final class Shown: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
  }

  private static let answer: String =
    (0..<2500).map {
      "{\"policy\":\"expired\",\"id\":\"img-\($0)\",\"sha256\":\"ab\",\"bytes\":1,"
        + "\"reason\":\"old\"}\n"
    }.joined() + "{\"policy\":\"expired\",\"dry_run\":true}\n{\"total\":true,\"assets\":2500}\n"

  private func console(
    _ output: @escaping @Sendable ([UInt8]) throws(Errno) -> Void
  ) -> Console {
    Console(
      output: output, errors: { _ in }, isTerminal: false, showsProgress: false, hasColour: false)
  }

  private func feed(_ listing: CollectionListing, _ size: Int) throws {
    let bytes = Array(Self.answer.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      try listing.take(bytes.span.extracting(start..<min(start + size, bytes.count)))
    }
  }

  /// Wherever the pieces end: every asset is shown once, under one head, and the rest is returned.
  @Test(arguments: [1, 7, 4096, 1 << 20])
  func everyLineIsTakenOnce(size: Int) throws {
    for json in [false, true] {
      let shown = Shown()
      let listing = CollectionListing(console { shown.add($0) }, json: json)
      try feed(listing, size)
      let rest = try listing.end()
      #expect(rest.map { $0["total"]?.bool } == [nil, true])
      if json {
        #expect(shown.text == Self.answer)
      } else {
        let lines = shown.text.split(separator: "\n")
        #expect(lines.count == 2501 && lines.count { $0.contains("sha256") } == 1)
        #expect(lines[1].contains("img-0 ") && lines[2500].contains("img-2499 "))
      }
    }
  }

  /// Pages are shown as they come, and nobody goes on for a reader who has left.
  @Test func aReaderWhoHasLeftEndsIt() throws {
    let listing = CollectionListing(
      console { (_) throws(Errno) in throw Errno(.write, code: 32) }, json: false)
    #expect(throws: CommandFailure.self) { try feed(listing, 4096) }
  }

  @Test func aBrokenLineIsTold() throws {
    let listing = CollectionListing(console { _ in }, json: false)
    let line = Array("{\"policy\":\n".utf8)
    #expect(throws: CommandFailure.self) { try listing.take(line.span) }
  }
}
