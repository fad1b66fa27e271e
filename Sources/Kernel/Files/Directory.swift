internal import CLinux

/// An open folder: every name is looked up from its descriptor (openat(2)), so that a path which is
/// renamed or replaced meanwhile changes nothing.
///
/// Names are single components without NUL; no call follows a link in the last component.
public struct Directory: ~Copyable, Sendable {
  /// The descriptor; owned by this value.
  public let descriptor: OwnedFileDescriptor

  /// How a file is opened.
  public enum Access: Sendable {
    /// Only reading.
    case read
    /// Reading and writing.
    case readWrite
    /// Reading and writing; made when it is not there.
    case readWriteOrCreate
    /// Reading and writing; made, and an error when it is there (EEXIST).
    case createNew
  }

  init(_ descriptor: consuming OwnedFileDescriptor) {
    self.descriptor = descriptor
  }

  /// Opens a folder by its path, absolute or from the working directory; follows links.
  public static func open(path: String) throws(Errno) -> Directory {
    Directory(try openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  }

  /// Makes a folder by its path, of exactly this mode; `false` when the name is taken already.
  @discardableResult
  public static func make(path: String, mode: UInt32 = 0o700) throws(Errno) -> Bool {
    try mkdirat(AT_FDCWD, path, mode)
  }

  /// Opens the folder `name` in this one.
  public func directory(_ name: String) throws(Errno) -> Directory {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    return Directory(try Directory.openat(descriptor.number, name, flags))
  }

  /// Makes the folder `name`, of exactly this mode; `false` when the name is taken already.
  @discardableResult
  public func makeDirectory(_ name: String, mode: UInt32 = 0o700) throws(Errno) -> Bool {
    try Directory.mkdirat(descriptor.number, name, mode)
  }

  /// Sets the permission bits of `name` (fchmodat(2)), which must be no link: one is followed.
  public func setMode(_ mode: UInt32, of name: String) throws(Errno) {
    try Directory.fchmodat(descriptor.number, name, mode)
  }

  /// Opens or makes the file `name`; `mode` counts when it is made, less the umask.
  public func file(
    _ name: String, _ access: Access, mode: UInt32 = 0o640
  ) throws(Errno) -> File {
    let flags =
      switch access {
      case .read: O_RDONLY
      case .readWrite: O_RDWR
      case .readWriteOrCreate: O_RDWR | O_CREAT
      case .createNew: O_RDWR | O_CREAT | O_EXCL
      }
    let common = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
    return File(try Directory.openat(descriptor.number, name, flags | common, mode: mode))
  }

  /// Opens the file `name` for reading; `nil` when there is none.
  public func fileIfThere(_ name: String) throws(Errno) -> File? {
    do {
      return try file(name, .read)
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
  }

  /// Removes the file `name` (unlinkat(2)); `false` when there is none.
  @discardableResult
  public func remove(_ name: String) throws(Errno) -> Bool {
    do {
      try performBlocking(.unlinkat) {
        unsafe name.withCString { unsafe Int(unlinkat(descriptor.number, $0, 0)) }
      }
      return true
    } catch {
      if error.isNotFound { return false }
      throw error
    }
  }

  /// Gives the file `name` another name and folder; never replaces
  /// (renameat2(2), RENAME_NOREPLACE).
  ///
  /// - Throws: EEXIST when `newName` is taken.
  public func rename(
    _ name: String, to target: borrowing Directory, as newName: String
  ) throws(Errno) {
    let from = descriptor.number
    let onto = target.descriptor.number
    try performBlocking(.rename) {
      unsafe name.withCString { old in
        unsafe newName.withCString { new in
          unsafe Int(clinux_rename_noreplace(from, old, onto, new))
        }
      }
    }
  }

  /// Puts the file `draft` of this folder in the place of `name`, at once: there is always one or
  /// the other (rename(2)).
  public func replace(_ name: String, with draft: String) throws(Errno) {
    let folder = descriptor.number
    try performBlocking(.rename) {
      unsafe draft.withCString { old in
        unsafe name.withCString { new in unsafe Int(renameat(folder, old, folder, new)) }
      }
    }
  }

  /// Gives the file `name` one more name (linkat(2)).
  ///
  /// - Throws: EEXIST when `newName` is taken, EMLINK, EXDEV.
  public func link(
    _ name: String, to target: borrowing Directory, as newName: String
  ) throws(Errno) {
    let from = descriptor.number
    let onto = target.descriptor.number
    try performBlocking(.linkat) {
      unsafe name.withCString { old in
        unsafe newName.withCString { new in unsafe Int(linkat(from, old, onto, new, 0)) }
      }
    }
  }

  /// The names in this folder are on the disk when this returns (fsync(2)).
  public func sync() throws(Errno) {
    try performBlocking(.fsync, on: descriptor.number) { Int(fsync(descriptor.number)) }
  }

  /// What `name` is; `nil` when there is none. Does not follow a link.
  public func status(of name: String) throws(Errno) -> FileStatus? {
    var raw = stat()
    do {
      try performBlocking(.fstatat) {
        unsafe name.withCString {
          unsafe Int(fstatat(descriptor.number, $0, &raw, AT_SYMLINK_NOFOLLOW))
        }
      }
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
    return FileStatus(raw)
  }

  /// What this folder is.
  public func status() throws(Errno) -> FileStatus {
    try FileStatus.read(descriptor.number)
  }

  /// What its file system has left (fstatvfs(3)).
  public func space() throws(Errno) -> DiskSpace {
    var raw = statvfs()
    try performBlocking(.fstatvfs) { unsafe Int(fstatvfs(descriptor.number, &raw)) }
    return DiskSpace(raw)
  }

  private static func openat(
    _ directory: Int32, _ path: String, _ flags: Int32, mode: UInt32 = 0
  ) throws(Errno) -> OwnedFileDescriptor {
    let number = try performBlocking(.openat) {
      unsafe path.withCString { unsafe Int(clinux_openat(directory, $0, flags, mode_t(mode))) }
    }
    return OwnedFileDescriptor(owning: Int32(number))
  }

  private static func mkdirat(
    _ directory: Int32, _ path: String, _ mode: UInt32
  ) throws(Errno) -> Bool {
    do {
      try performBlocking(.mkdirat) {
        unsafe path.withCString { unsafe Int(CLinux.mkdirat(directory, $0, mode_t(mode))) }
      }
    } catch {
      if error.isAlreadyThere { return false }
      throw error
    }
    // Less the umask, so far.
    try fchmodat(directory, path, mode)
    return true
  }

  private static func fchmodat(
    _ directory: Int32, _ path: String, _ mode: UInt32
  ) throws(Errno) {
    try performBlocking(.fchmodat) {
      unsafe path.withCString { unsafe Int(CLinux.fchmodat(directory, $0, mode_t(mode), 0)) }
    }
  }
}
