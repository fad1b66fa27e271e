import Foundation
import Net
import Wire

@testable import AssetService
@testable import Store

/// What a test's source gives next.
enum Given {
  case bytes([UInt8])
  case failure(any Error)
}

/// A source that gives what a test says, piece by piece.
final class ScriptedSource: ByteSource {
  struct Lost: Error {}

  private var rest: ArraySlice<Given>
  /// How often it was told that the document has ended.
  private(set) var endings = 0

  func documentEnded() { endings += 1 }

  init(_ given: [Given]) { rest = given[...] }

  convenience init(_ text: String) { self.init([.bytes(Array(text.utf8))]) }

  /// A text in pieces, as a socket gives it.
  convenience init(_ text: String, piece: Int) {
    let bytes = Array(text.utf8)
    self.init(
      stride(from: 0, to: bytes.count, by: piece).map { start in
        .bytes(Array(bytes[start..<min(start + piece, bytes.count)]))
      })
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    switch rest.popFirst() {
    case .bytes(let bytes):
      try consume(bytes.span)
      return true
    case .failure(let error): throw error
    case nil: return false
    }
  }
}

/// A source that gives the same bytes for ever, after its beginning.
final class EndlessSource: ByteSource {
  private let beginning: ScriptedSource
  private let rest: [UInt8]
  /// Bytes of the rest that were asked for.
  private(set) var given = 0

  init(_ beginning: [Given], then rest: [UInt8]) {
    self.beginning = ScriptedSource(beginning)
    self.rest = rest
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    if try await beginning.read(consume) { return true }
    given += rest.count
    // A test that would never end fails instead.
    guard given < 1 << 30 else { return false }
    let piece = rest
    try consume(piece.span)
    return true
  }
}

/// A store and workers of one test, for what takes answers apart without a service around it.
final class ScratchIntake: Sendable {
  let store: Store
  let workers: Workers
  private let root: String
  private let imageBytes: Int64

  init(imageBytes: Int64 = 1 << 20, maxBytes: Int64? = nil) throws {
    self.imageBytes = imageBytes
    root = TestService.newRoot()
    var options = StoreOptions(root: root, minFreeBytes: 0, newKeyring: { Array("{}".utf8) })
    options.limits.bytes = imageBytes
    options.maxBytes = maxBytes
    store = try Store(options)
    workers = try Workers(threads: 2, queueLimit: 64)
  }

  deinit {
    store.close()
    workers.stop()
    try? FileManager.default.removeItem(atPath: root)
  }

  func deposit(rescueLimit: Int64 = 1 << 20) async throws -> Deposit {
    try await Deposit.begin(
      in: store, on: workers, within: .new(64 << 10), rescueLimit: rescueLimit)
  }

  /// An intake of a paid answer.
  func paid(rescueLimit: Int64 = 1 << 20) -> AnswerIntake {
    AnswerIntake(.paid, maxItems: 16, imageBytes: imageBytes) { [self] in
      try await deposit(rescueLimit: rescueLimit)
    }
  }
}
