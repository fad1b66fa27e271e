internal import CLinux
internal import Synchronization

/// Who answers for a file that others read. Called on their threads, loops among them: must not
/// wait for anything.
public protocol FileKeeper: Sendable {
  /// A call that may wait for the disk begins. What it returns goes to `readEnded`.
  func readBegan() -> Int
  /// That call came back, well or not.
  func readEnded(_ read: Int)
  /// A reader did not get the bytes that it was to get.
  func missed(_ fault: SharedFile.Fault)
}

/// An open file that several readers may hold; closed when the last of them lets go.
///
/// A download that began ends whole: its descriptor outlives the file's name (STORE.md, invariant
/// 6). What its bytes do not come for all the same, its keeper hears.
public final class SharedFile: Sendable {
  /// What a reader met.
  public enum Fault: Sendable, Hashable {
    /// The file ends here, before the bytes that it must have: it was cut while it was open.
    case ended(at: Int64)
    /// The disk does not give its bytes.
    case failed(Errno)
  }

  private let file: File
  /// What it must have.
  private let bytes: Int64
  private let keeper: (any FileKeeper)?
  // One fact in two words: between threads one look may be made too many, or too few.
  private let inMemoryTo = Atomic<Int64>(0)
  private let inMemoryAt = Atomic<Int64>(.min)

  /// Takes over an open file.
  ///
  /// - Parameter bytes: what it must have, where somebody answers for that.
  public init(_ file: consuming File, bytes: Int64 = 0, keeper: (any FileKeeper)? = nil) {
    self.file = file
    self.bytes = bytes
    self.keeper = keeper
  }

  /// Takes over an open descriptor.
  public convenience init(owning descriptor: consuming OwnedFileDescriptor) {
    self.init(File(descriptor))
  }

  /// The descriptor's number; valid as long as this object lives.
  public var number: Int32 { file.descriptor.number }

  /// Reads at most `buffer.count` bytes from `offset`; 0 at the end of the file.
  public func read(into buffer: inout MutableSpan<UInt8>, at offset: Int64) throws(Errno) -> Int {
    let read = keeper?.readBegan()
    defer { if let read { keeper?.readEnded(read) } }
    do throws(Errno) {
      let count = try file.read(into: &buffer, at: offset)
      if count == 0, !buffer.isEmpty { noteEnd(at: offset) }
      return count
    } catch {
      keeper?.missed(.failed(error))
      throw error
    }
  }

  /// The whole content; `nil` when it is longer than `limit`.
  public func readAll(limit: Int) throws(Errno) -> [UInt8]? {
    let read = keeper?.readBegan()
    defer { if let read { keeper?.readEnded(read) } }
    do throws(Errno) {
      let content = try file.readAll(limit: limit)
      if let content { noteEnd(at: Int64(content.count)) }
      return content
    } catch {
      keeper?.missed(.failed(error))
      throw error
    }
  }

  /// A reader found the file's end at `offset`: sendfile(2) or a read gave nothing.
  public func noteEnd(at offset: Int64) {
    if offset < bytes { keeper?.missed(.ended(at: offset)) }
  }

  /// sendfile(2) failed: if that is the file's fault, its keeper hears of it.
  public func noteFailure(_ errno: Errno) {
    if errno.isOfDevice { keeper?.missed(.failed(errno)) }
  }

  /// The same if the bytes are in memory; `nil` when they are not all, when the file system can not
  /// say, or when reading fails (preadv2(2), RWF_NOWAIT).
  public func readAtOnce(into buffer: inout MutableSpan<UInt8>, at offset: Int64) -> Int? {
    let number = number
    return try? unsafe buffer.withUnsafeMutableBytes { (raw) throws(Errno) -> Int? in
      try perform(.preadv2) {
        unsafe Int(clinux_read_at_once(number, raw.baseAddress, raw.count, off_t(offset)))
      }
    }
  }

  // MARK: In memory or not

  /// Whether these bytes are not all in memory, as far as samples tell: sendfile(2) would then wait
  /// for the disk, and who called it with it (preadv2(2), RWF_NOWAIT).
  ///
  /// - Returns: `nil` where the file system can not say.
  public func isCold(at offset: Int64, count: Int64) -> Bool? {
    guard count > 0 else { return false }
    let last = offset + count - 1
    for place in stride(from: offset, to: last, by: Self.sampleStride) {
      guard let needs = needsDisk(place) else { return nil }
      if needs { return true }
    }
    return needsDisk(last)
  }

  /// Five samples of 2 MiB cost some 2 us, a hundredth of sending them. What is dropped from memory
  /// goes from the file's start, what an earlier reader left out is at its end.
  private static let sampleStride = 512 << 10

  private func needsDisk(_ offset: Int64) -> Bool? {
    do throws(Errno) {
      return try perform(.preadv2) { Int(clinux_peek(number, off_t(offset))) } == nil
    } catch {
      if error.code == EOPNOTSUPP { return nil }
      // EAGAIN only when a test forces it. Another error is for the call that reads.
      return error.code == EAGAIN
    }
  }

  /// Notes that the bytes before `end` were found in memory at `time`, on the caller's clock.
  public func noteInMemory(to end: Int64, at time: Int64) {
    inMemoryTo.store(end, ordering: .relaxed)
    inMemoryAt.store(time, ordering: .relaxed)
  }

  /// Whether the bytes before `end` were found in memory at `time` or later.
  public func wasInMemory(to end: Int64, since time: Int64) -> Bool {
    inMemoryTo.load(ordering: .relaxed) >= end && inMemoryAt.load(ordering: .relaxed) >= time
  }

  /// Brings these bytes into memory and waits for that; asks for what follows, too, so that the
  /// disk works while they are sent.
  public func bringIn(at offset: Int64, count: Int64) throws(Errno) {
    // Only a hint (readahead(2)), which not every file system takes.
    _ = try? perform(.readahead) {
      Int(clinux_readahead(number, off_t(offset), Int(4 * count)))
    }
    var scratch = [UInt8](repeating: 0, count: Int(min(count, 256 << 10)))
    var place = offset
    while place < offset + count {
      var span = scratch.mutableSpan
      let read = try read(into: &span, at: place)
      guard read > 0 else { return }
      place += Int64(read)
    }
  }
}
