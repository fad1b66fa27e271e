// The one door for what readers of blobs meet, wherever they read: loops that send a file, threads
// that bring it into memory, answers that hold an image as base64, the read-back of an upload, and
// whoever opens it.
//
//     ended too early ─► damage: counted, told once, not served until its bytes come again
//     not given       ─► health: counted, told; three files within a minute are a failing disk
internal import Kernel

/// What becomes of a blob's bytes that did not come.
final class BlobReads: Sendable {
  private let damaged: DamagedBlobs
  private let health: HealthMonitor
  private let epochs: ChangeEpochs

  init(_ damaged: DamagedBlobs, _ health: HealthMonitor, _ epochs: ChangeEpochs) {
    self.damaged = damaged
    self.health = health
    self.epochs = epochs
  }

  /// The open file of a blob, for as many readers as there are.
  func share(_ file: consuming File, of blob: Blob) -> SharedFile {
    SharedFile(file, bytes: blob.bytes, keeper: keeper(of: blob))
  }

  /// Who answers for a blob's open file.
  func keeper(of blob: Blob) -> some FileKeeper {
    Keeper(name: blob.name, bytes: blob.bytes, reads: self)
  }

  /// A reader did not get the bytes of a blob that has so many.
  func missed(_ fault: SharedFile.Fault, of name: BlobName, bytes: Int64) {
    switch fault {
    case .failed(let errno): health.noteFailedRead(errno, of: Layout.blobs + "/" + name.path)
    case .ended(let offset):
      let problem = "the file ended after \(offset) of \(bytes) bytes while it was read"
      // Who has it open looks again before it is sent once more.
      if damaged.note(name, problem) { epochs.bumpAll() }
    }
  }

  /// Answers for one open file; holds nothing that keeps the store's lock.
  private final class Keeper: FileKeeper {
    private let name: BlobName
    private let bytes: Int64
    private let reads: BlobReads

    init(name: BlobName, bytes: Int64, reads: BlobReads) {
      self.name = name
      self.bytes = bytes
      self.reads = reads
    }

    func readBegan() -> Int { reads.health.waits.begin() }
    func readEnded(_ read: Int) { reads.health.endWait(read) }
    func missed(_ fault: SharedFile.Fault) { reads.missed(fault, of: name, bytes: bytes) }
  }
}
