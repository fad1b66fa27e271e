// One image on its way from a socket to a file. Bytes are taken on the loop; hashing, writing and
// syncing run on the workers; 256 KiB of memory whatever the size of the image.
//
//   taking ──finish──► settled
//     │ the store refuses (full disk, no image, too large)
//     └──► rescued ──finish──► unstored: the written prefix can be read back, the rest is in memory
internal import Crypto
internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// Takes the bytes of one image, raw or as base64.
final class Deposit {
  /// What became of the image.
  enum Outcome {
    /// Durable under its final name; it waits for its row.
    case settled(IngestWork)
    /// Not stored, but not lost: a paid image is never dropped (API.md §3).
    case unstored(Failure, UnstoredImage)
  }

  /// `nil` when not even a file could be begun.
  let work: IngestWork?
  let workers: Workers
  /// How many bytes are kept of an image that can not be stored; 0 gives it up at once.
  private let rescueLimit: Int64
  /// Whether it is an image that must not be lost: our full queue is no reason to store it nowhere.
  private var isOwed: Bool { rescueLimit > 0 }
  /// The memory that all rescued images share.
  private let allowance: RescueAllowance?
  private var rescued: (failure: Failure, image: UnstoredImage)?
  private var decoder = Base64Decoder()
  /// Characters of base64 that were taken, and bytes that they made.
  private var text: (characters: Int64, bytes: Int64) = (0, 0)
  private let turn: WorkTurn
  private var scratch = [UInt8](repeating: 0, count: Deposit.scratchBytes)
  /// Decoded bytes of one step; behind them the decoder may write eight more.
  private static let scratchBytes = 48 << 10

  private init(
    _ work: IngestWork?, workers: Workers, rescueLimit: Int64, _ allowance: RescueAllowance?,
    _ turn: WorkTurn
  ) {
    self.turn = turn
    self.work = work
    self.workers = workers
    self.rescueLimit = rescueLimit
    self.allowance = allowance
  }

  /// Begins a file within `space`. `expectedBytes` is the exact size when it is known. Of an image
  /// that can not be stored up to `rescueLimit` bytes are kept, those that were not written in
  /// memory, and no more of them than `allowance` has left.
  static func begin(
    in store: Store, on workers: Workers, within space: SpaceRequest, expectedBytes: Int64? = nil,
    rescueLimit: Int64 = 0, allowance: RescueAllowance? = nil, turn: WorkTurn = WorkTurn()
  ) async throws -> Deposit {
    do {
      try store.requireWritable()
      let work = try await workers.run(isOwed: rescueLimit > 0) {
        try store.begin(space.reservation(in: store), expectedBytes: expectedBytes).work
      }
      return Deposit(work, workers: workers, rescueLimit: rescueLimit, allowance, turn)
    } catch {
      let deposit = Deposit(nil, workers: workers, rescueLimit: rescueLimit, allowance, turn)
      try deposit.rescue(error)
      return deposit
    }
  }

  // MARK: Bytes

  /// Takes raw bytes.
  func write(_ bytes: borrowing ByteBuffer) async throws {
    var done = 0
    do {
      while done < bytes.count {
        done += try bytes.withSpan { try take($0.extracting(done..<$0.count)) }
        if done < bytes.count { try await flush() }
      }
    } catch {
      try rescue(error)
      try bytes.withSpan { try keep($0.extracting(done..<$0.count)) }
    }
  }

  /// Takes base64 from `chunk[start...]` up to its end or the first byte that is none.
  ///
  /// - Returns: where it stopped, and whether the text is still good base64.
  func write(
    base64 chunk: borrowing ByteBuffer, from start: Int
  ) async throws -> (end: Int, isGood: Bool) {
    var index = start
    turn.begin()
    while true {
      let (stop, decoded) = chunk.withSpan { decode($0, from: &index) }
      try await store(decoded)
      switch stop {
      case .outputFull: await turn.giveWay()
      case .inputEnd, .foreign: return (index, true)
      case .malformed: return (index, false)
      }
    }
  }

  /// Takes characters of base64; whether all are good.
  func write(base64 characters: [UInt8]) async throws -> Bool {
    var index = 0
    turn.begin()
    while true {
      let (stop, decoded) = decode(characters.span, from: &index)
      try await store(decoded)
      guard stop == .outputFull else { return stop == .inputEnd }
      await turn.giveWay()
    }
  }

  /// Decodes into `scratch`; returns why it stopped and how many bytes are there.
  private func decode(
    _ characters: Span<UInt8>, from index: inout Int
  ) -> (Base64Decoder.Stop, bytes: Int) {
    var decoded = 0
    var output = scratch.mutableSpan
    let start = index
    let stop = decoder.decode(characters, from: &index, into: &output, at: &decoded)
    text.characters += Int64(index - start)
    text.bytes += Int64(decoded)
    return (stop, decoded)
  }

  /// Whether white space is most of a long text: line breaks and indentation are little, and a text
  /// of nothing else has no end by the size of its image.
  var isMostlySpace: Bool {
    text.characters - text.bytes / 3 * 4 > max(Self.allowedSpace, text.bytes)
  }
  private static let allowedSpace: Int64 = 4 << 20

  /// Ends the base64; whether it was whole.
  func finishBase64() async throws -> Bool {
    var decoded = 0
    var output = scratch.mutableSpan
    let stop = decoder.finish(into: &output, at: &decoded)
    try await store(decoded)
    return stop == .inputEnd
  }

  /// Makes the bytes durable under their final name, or says why they are not.
  func finish() async throws -> Outcome {
    if rescued == nil, let work {
      do {
        try await workers.run(isOwed: isOwed) { try work.settle() }
        return .settled(work)
      } catch {
        try rescue(error)
      }
    }
    guard let rescued else { preconditionFailure("a rescue has just begun") }
    return .unstored(rescued.failure, rescued.image)
  }

  private func store(_ decoded: Int) async throws {
    var done = 0
    do {
      while done < decoded {
        done += try take(scratch.span.extracting(done..<decoded))
        if done < decoded { try await flush() }
      }
    } catch {
      try rescue(error)
      let rest = scratch
      try keep(rest.span.extracting(done..<decoded))
    }
  }

  private func take(_ bytes: Span<UInt8>) throws -> Int {
    guard rescued == nil, let work else {
      try keep(bytes)
      return bytes.count
    }
    return try work.append(bytes)
  }

  private func flush() async throws {
    guard let work else { return }
    try await workers.run(isOwed: isOwed) { try work.flush() }
  }

  // MARK: Rescue

  /// From here on the bytes stay in memory.
  private func rescue(_ error: any Error) throws {
    guard rescueLimit > 0, rescued == nil else { throw error }
    rescued = (Failure(error), UnstoredImage(work, within: allowance))
  }

  private func keep(_ bytes: Span<UInt8>) throws {
    guard let rescued else { return }
    let count = Int64(bytes.count)
    guard rescued.image.bytes + count <= rescueLimit else { throw rescued.failure }
    guard rescued.image.keep(bytes) else { throw Failure.rescueFull(rescued.failure) }
  }
}

/// An image that could not be stored: what was written of it, and the rest in memory.
final class UnstoredImage {
  private let work: IngestWork?
  private let written: Int64
  /// The rest, in blocks that are full but for the last one: it grows without being copied, which
  /// would hold the loop for as long as tens of MiB take.
  private var rest: [[UInt8]] = []
  private let allowance: RescueAllowance?
  static let blockBytes = 256 << 10

  init(_ work: IngestWork?, within allowance: RescueAllowance? = nil) {
    self.work = work
    self.allowance = allowance
    written = work?.count ?? 0
  }

  var bytes: Int64 { written + bytesInMemory }
  var bytesInMemory: Int64 {
    rest.last.map { Int64((rest.count - 1) * Self.blockBytes + $0.count) } ?? 0
  }

  /// How many bytes each block holds. For tests.
  var blocks: [Int] { rest.map(\.count) }

  deinit { allowance?.giveBack(bytesInMemory) }

  /// Keeps more bytes in memory; `false` when there is no memory left for them.
  func keep(_ bytes: Span<UInt8>) -> Bool {
    guard allowance?.take(Int64(bytes.count)) ?? true else { return false }
    var taken = 0
    while taken < bytes.count {
      if rest.last?.count ?? Self.blockBytes == Self.blockBytes { rest.append([]) }
      let block = rest.count - 1
      let count = min(bytes.count - taken, Self.blockBytes - rest[block].count)
      let piece = bytes.extracting(taken..<taken + count)
      rest[block].append(addingCapacity: count) { free in
        for index in piece.indices { free.append(piece[index]) }
      }
      taken += count
    }
    return true
  }

  /// The hash of all of it.
  func digest(on workers: Workers) async throws -> Digest {
    var hash = SHA256()
    var offset: Int64 = 0
    let turn = WorkTurn()
    turn.begin()
    while true {
      let piece = try await read(at: offset, count: 64 << 10, on: workers)
      guard !piece.isEmpty else { return hash.finalize() }
      hash.update(piece.span)
      offset += Int64(piece.count)
      await turn.giveWay()
    }
  }

  /// Whether these bytes are certainly no image of any type; see `ImageHeader.holdsNone`.
  func isNone(on workers: Workers) async -> Bool {
    guard let head = try? await head(512, on: workers) else { return false }
    return ImageHeader.holdsNone(prefix: head.span)
  }

  /// The type, when the first 64 KiB tell one that is hosted.
  func mediaType(on workers: Workers) async -> MediaType? {
    guard let head = try? await head(64 << 10, on: workers) else { return nil }
    guard case .image(let facts) = ImageHeader.read(prefix: head.span) else { return nil }
    return facts.mediaType
  }

  /// The first `count` bytes, or all.
  private func head(_ count: Int, on workers: Workers) async throws -> [UInt8] {
    var head: [UInt8] = []
    while head.count < count {
      let piece = try await read(at: Int64(head.count), count: count - head.count, on: workers)
      guard !piece.isEmpty else { break }
      head += piece
    }
    return head
  }

  /// The next bytes from `offset`, at most `count`; empty at the end. `workers` read the file: its
  /// disk is mostly the one that has just failed.
  func read(at offset: Int64, count: Int, on workers: Workers) async throws -> [UInt8] {
    guard offset < written, let work else {
      let (block, start) = Int(offset - written).quotientAndRemainder(dividingBy: Self.blockBytes)
      return block < rest.count ? Array(rest[block].dropFirst(start).prefix(count)) : []
    }
    let size = Int(min(Int64(count), written - offset))
    return try await workers.run(isOwed: true) {
      try [UInt8](reading: size) { (span) throws in try work.readBack(at: offset, into: &span) }
    }
  }
}
