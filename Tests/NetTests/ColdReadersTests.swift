import Foundation
import Glibc
import Kernel
import Testing

@testable import Net

/// Real files on a real disk, as far as the file system tells what of them is in memory.
struct ColdReadersTests {
  /// A file whose pages were dropped; `nil` where that can not be had (a file system in memory).
  private func coldFile(_ bytes: Int) throws -> SharedFile? {
    let path = FileManager.default.currentDirectoryPath + "/.build/cold-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard number >= 0 else { return nil }
    let file = SharedFile(owning: OwnedFileDescriptor(owning: number))
    let content = [UInt8](repeating: 1, count: bytes)
    guard unsafe content.withUnsafeBytes({ unsafe write(number, $0.baseAddress, bytes) }) == bytes,
      fsync(number) == 0, posix_fadvise(number, 0, 0, 4 /* POSIX_FADV_DONTNEED */) == 0
    else { return nil }
    return file.isCold(at: 0, count: 1) == true ? file : nil
  }

  @Test func bringsInWhatIsCold() async throws {
    let bytes = 3 << 20
    guard let file = try coldFile(bytes) else { return }
    let readers = try ColdReaders(threads: 1, queueLimit: 1)
    defer { readers.stop() }
    #expect(readers.isCold(file, at: 0, count: Int64(bytes), now: 0))
    // The kernel is free to drop a page again at once; not every time.
    var isCold = true
    for _ in 0..<20 where isCold {
      await readers.bringIn(file, at: 0, count: Int64(bytes))
      isCold = readers.isCold(file, at: 0, count: Int64(bytes), now: 0)
    }
    #expect(!isCold)
    // Past the end there is nothing to wait for.
    await readers.bringIn(file, at: Int64(bytes), count: 4096)
    #expect(!readers.isCold(file, at: Int64(bytes), count: 4096, now: 0))
    #expect(!readers.isCold(file, at: 0, count: 0, now: 0))
  }

  /// What was found in memory, from its start, is known for a minute.
  @Test func whatWasFoundIsKnownForAMinute() throws {
    let path = NSTemporaryDirectory() + "assetd-known-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(count: 10_000).write(to: URL(fileURLWithPath: path))
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    try #require(number >= 0)
    let file = SharedFile(owning: OwnedFileDescriptor(owning: number))
    let readers = try ColdReaders(threads: 1, queueLimit: 1)
    defer { readers.stop() }
    let (start, minute): (Int64, Int64) = (-5, 60_000_000_000)
    #expect(!readers.isKnown(file, at: 0, count: 1, now: start))
    #expect(!readers.isCold(file, at: 5000, count: 5000, now: start))
    #expect(!readers.isKnown(file, at: 0, count: 1, now: start), "its start was not seen")
    #expect(!readers.isCold(file, at: 0, count: 9000, now: start))
    #expect(readers.isKnown(file, at: 0, count: 9000, now: start))
    #expect(readers.isKnown(file, at: 8999, count: 1, now: start + minute))
    #expect(!readers.isKnown(file, at: 0, count: 9001, now: start))
    #expect(!readers.isKnown(file, at: 0, count: 9000, now: start + minute + 1))
  }

  /// A pool without room comes back at once: who sends then waits itself.
  @Test func withoutRoomItComesBackAtOnce() async throws {
    guard let file = try coldFile(1 << 20) else { return }
    let readers = try ColdReaders(threads: 1, queueLimit: 1)
    readers.stop()
    await readers.bringIn(file, at: 0, count: 1 << 20)
    #expect(readers.isCold(file, at: 0, count: 1 << 20, now: 0))
  }
}
