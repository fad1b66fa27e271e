internal import CLinux

/// What fstat(2) says of a file.
public struct FileStatus: Sendable, Hashable {
  /// What kind of thing a name stands for.
  public enum Kind: Sendable, Hashable {
    /// Bytes on a disk.
    case regular
    /// A folder.
    case directory
    /// A link, socket, device or pipe.
    case other
  }

  /// Bytes in the file.
  public let bytes: Int64
  /// Bytes the disk gave it (st_blocks × 512).
  public let diskBytes: Int64
  /// Regular file, directory or something else.
  public let kind: Kind
  /// The permission bits, `0o7777` at most.
  public let mode: UInt32
  /// The number of the user whose it is.
  public let user: UInt32
  /// The file system it lies on.
  public let device: UInt64
  /// Its number on that file system.
  public let inode: UInt64
  /// Names that lead to it.
  public let links: UInt64
  /// Last change of its content, in unix seconds.
  public let modified: Int64

  init(_ raw: stat) {
    bytes = Int64(raw.st_size)
    diskBytes = Int64(raw.st_blocks) * 512
    kind  // The S_IF* masks of stat(2), inode(7).
    =
      switch raw.st_mode & 0o170000 {
      case 0o100000: .regular
      case 0o040000: .directory
      default: .other
      }
    mode = UInt32(raw.st_mode & 0o7777)
    user = raw.st_uid
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    links = UInt64(raw.st_nlink)
    modified = Int64(raw.st_mtim.tv_sec)
  }
}

/// What fstatvfs(3) says of a file system.
public struct DiskSpace: Sendable, Hashable {
  /// Bytes that a process without privileges may still write.
  public let freeBytes: Int64
  /// Bytes in all.
  public let totalBytes: Int64
  /// Files that may still be made; `nil` where the file system does not count them (btrfs).
  public let freeFiles: Int64?
  /// Whether it takes no writes (ST_RDONLY).
  public let isReadOnly: Bool

  init(_ raw: statvfs) {
    // f_frsize is the unit of the block counts (fstatvfs(3)); a hostile one must not trap.
    freeBytes = Int64(clamping: UInt64(raw.f_bavail).multipliedClamping(by: UInt64(raw.f_frsize)))
    totalBytes = Int64(clamping: UInt64(raw.f_blocks).multipliedClamping(by: UInt64(raw.f_frsize)))
    freeFiles = raw.f_files == 0 ? nil : Int64(clamping: UInt64(raw.f_favail))
    isReadOnly = raw.f_flag & 1 != 0
  }
}

extension UInt64 {
  fileprivate func multipliedClamping(by other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
