// A file that has its name only when it is whole and on the disk: a crash, a full disk or a broken
// download leaves the one that was there, or none.
internal import Kernel
internal import Synchronization

/// A file under another name until it is finished; let go of before that, it is removed. Written by
/// whatever thread has the bytes.
final class DraftFile: Sendable {
  private let folder: Directory
  private let name: String
  private let draft: String
  private let file: Mutex<File?>
  private let isNamed = Mutex(false)

  /// - Parameter mode: the permission bits, whatever the umask is.
  init(in folder: consuming Directory, as name: String, mode: UInt32) throws(Errno) {
    let draft = ".\(name).\(UInt32.random(in: 0 ... .max)).part"
    let file = try folder.file(draft, .createNew, mode: 0o600)
    do throws(Errno) { try file.setMode(mode) } catch {
      _ = try? folder.remove(draft)
      throw error
    }
    self.folder = folder
    self.name = name
    self.draft = draft
    self.file = Mutex(.some(file))
  }

  deinit {
    // A name that stays behind is seen in the folder; there is no one to tell.
    if !isNamed.withLock({ $0 }) { _ = try? folder.remove(draft) }
  }

  func write(_ bytes: [UInt8], at offset: Int64) throws(Errno) {
    try file.withLock { (file) throws(Errno) -> Void in
      try file?.write(bytes.span, at: offset)
    }
  }

  /// Puts it on the disk and gives it its name.
  ///
  /// - Parameter replacing: whether it takes the place of a file of that name, at once.
  /// - Throws: EEXIST when the name is taken and not to be replaced, else why it can not be kept;
  ///   what was there is there still.
  func finish(replacing: Bool) throws(Errno) {
    guard let whole = file.withLock({ $0.take() }) else { return }
    try whole.sync()
    try whole.close()
    if replacing {
      try folder.replace(name, with: draft)
    } else {
      try folder.rename(draft, to: folder, as: name)
    }
    isNamed.withLock { $0 = true }
    try folder.sync()
  }
}
