internal import Kernel

/// `blobs/`: files that are complete, read-only and hash to their name (invariant 1).
struct BlobDirectory: ~Copyable, Sendable {
  private let directory: Directory

  init(_ directory: consuming Directory) {
    self.directory = directory
  }

  /// Opens a blob for reading; `nil` when the file is gone.
  func open(_ name: BlobName) throws(Errno) -> File? {
    try directory.fileIfThere(name.path)
  }

  /// Opens a blob if that waits for nothing; `nil` when it would, or when the file is gone.
  func openAtOnce(_ name: BlobName) throws(Errno) -> File? { try directory.fileAtOnce(name.path) }

  /// Gives a finished file of `incoming/` its final name. The name is safe after `sync`.
  ///
  /// - Throws: EEXIST when the name is taken.
  func take(_ file: String, from incoming: borrowing Directory, as name: BlobName) throws(Errno) {
    try incoming.rename(file, to: directory, as: name.path)
  }

  /// The names in the folder of this blob are on the disk when this returns.
  func sync(folderOf name: BlobName) throws(Errno) {
    try directory.directory(name.folder).sync()
  }

  /// Removes a blob whose row is durably gone (invariant 3); `false` when it was gone already.
  @discardableResult
  func remove(_ name: BlobName) throws(Errno) -> Bool {
    try directory.remove(name.path)
  }

  /// Takes a blob that is no good out of sight, for good when this returns; `false` when the file
  /// is gone.
  ///
  /// - Throws: EEXIST when the name is taken there.
  func move(_ name: BlobName, to quarantine: borrowing Directory) throws(Errno) -> Bool {
    do throws(Errno) {
      try directory.rename(name.path, to: quarantine, as: "\(name)")
    } catch {
      if error.isNotFound { return false }
      throw error
    }
    try quarantine.sync()
    try sync(folderOf: name)
    return true
  }

  /// The blobs in one of the 256 folders, in the order of their digests. Names that are none of
  /// ours are left out: nothing here touches them.
  func names(inFolder number: Int) throws(Errno) -> [BlobName] {
    let folder = Layout.folder(number)
    guard try directory.status(of: folder) != nil else { return [] }
    return try directory.directory(folder).names()
      .compactMap(BlobName.init)
      .filter { $0.folder == folder }
      .sorted { $0.digest < $1.digest }
  }

  /// What a file is; `nil` when it is gone.
  func status(_ name: BlobName) throws(Errno) -> FileStatus? {
    try directory.status(of: name.path)
  }

  /// What this folder is.
  func status() throws(Errno) -> FileStatus { try directory.status() }

  /// When a folder last got or lost a name, in unix seconds.
  func lastChange() throws(Errno) -> Int64 {
    var last: Int64 = 0
    for number in 0..<256 {
      last = max(last, try directory.status(of: Layout.folder(number))?.modified ?? 0)
    }
    return last
  }

  /// The file system's room.
  func space() throws(Errno) -> DiskSpace { try directory.space() }
}
