internal import CLinux

/// Whether a call on a file may wait for a disk, or for another machine, and whether that can be
/// known before.
public enum DiskWaiting: Sendable, Hashable {
  /// It never does: the file system is memory.
  case never
  /// It may, and the kernel says when (RWF_NOWAIT, RESOLVE_CACHED).
  case told
  /// It may, and nobody says when: FUSE, NFS, and others.
  case untold

  /// Of the file system of an open file.
  public init(_ file: borrowing File) {
    let number = file.descriptor.number
    if clinux_is_memory(number) != 0 {
      self = .never
    } else {
      let isTold = (try? perform(.preadv2) { Int(clinux_peek(number, 0)) } ?? 0) != nil
      self = isTold ? .told : .untold
    }
  }
}

extension Directory {
  /// Opens the file at `path` in this folder for reading, if all of the path is in memory; `nil`
  /// when it is not, and where the kernel can not say. For file systems that are `told`.
  public func fileAtOnce(_ path: String) throws(Errno) -> File? {
    do {
      let number = try perform(.openat) {
        unsafe path.withCString {
          unsafe Int(
            clinux_openat_cached(
              descriptor.number, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK))
        }
      }
      return number.map { File(OwnedFileDescriptor(owning: Int32($0))) }
    } catch {
      if error.isNoDescriptor { throw error }
      return nil
    }
  }
}
