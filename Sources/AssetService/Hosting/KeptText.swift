// Text that must be at hand until an answer has left, of any length: its first part is in memory,
// the rest in a file of incoming/ that no row will ever name. The file goes with the object,
// however the call ends.
internal import Net
internal import Store
internal import Wire

/// Where texts are kept.
struct TextKeeping {
  let store: Store
  let workers: Workers
  /// The memory that all of them share.
  let allowance: RescueAllowance
}

/// One text that is kept.
final class KeptText {
  private let place: TextKeeping
  private var memory = ByteBuffer(capacity: 64)
  /// How much of `memory` is of the shared one.
  private var shared: Int64 = 0
  private var file: IngestWork?
  /// Why it is not whole.
  private(set) var loss: Failure?
  /// How many bytes of one text are in memory at most.
  static let memoryLimit = 1 << 20
  /// A text that is no longer takes nothing of the shared memory: most are the padding of an image.
  static let freeLimit = 1024

  init(_ place: TextKeeping) { self.place = place }

  deinit { place.allowance.giveBack(shared) }

  /// Bytes that were taken.
  var count: Int64 { Int64(memory.count) + (file?.count ?? 0) }

  /// Takes the next bytes. Where they can not be kept, `loss` says why: whether that matters is
  /// known later.
  func append(_ text: [UInt8]) async {
    guard loss == nil, !text.isEmpty else { return }
    guard file == nil, hasMemory(for: text.count) else {
      return await attempt { try await self.write(text) }
    }
    memory.reserve(text.count)
    memory.append(text.span)
  }

  private func hasMemory(for count: Int) -> Bool {
    let total = memory.count + count
    if total <= Self.freeLimit { return true }
    guard total <= Self.memoryLimit, place.allowance.take(Int64(count)) else { return false }
    shared += Int64(count)
    return true
  }

  /// No more will come.
  func end() async {
    guard let file else { return }
    await attempt { [place] in try await place.workers.run { try file.seal() } }
  }

  private func attempt(_ body: () async throws -> Void) async {
    do { try await body() } catch {
      loss = Failure(error)
      file = nil
    }
  }

  private func write(_ text: [UInt8]) async throws {
    let file = try await begun()
    var done = 0
    while true {
      done += try file.append(text.span.extracting(done..<text.count))
      guard done < text.count else { return }
      try await place.workers.run { try file.flush() }
    }
  }

  private func begun() async throws -> IngestWork {
    if let file { return file }
    let begun = try await place.workers.run { [store = place.store] in
      try store.beginKeeping(try store.reserve(ServiceContext.firstReservation))
    }
    file = begun
    return begun
  }

  /// The next bytes from `offset`, at most `count`; empty at the end.
  func read(at offset: Int64, count: Int) async throws -> [UInt8] {
    let held = memory.count
    if offset < held {
      let start = Int(offset)
      return memory.withSpan { span in
        let piece = span.extracting(start..<min(start + count, held))
        return piece.indices.map { piece[$0] }
      }
    }
    guard let file else { return [] }
    let start = offset - Int64(held)
    return try await place.workers.run {
      try [UInt8](reading: count) { (span) throws in try file.readBack(at: start, into: &span) }
    }
  }
}
