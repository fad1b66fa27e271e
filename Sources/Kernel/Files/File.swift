internal import CLinux

/// An open regular file: reads and writes at offsets, never at a shared position.
public struct File: ~Copyable, Sendable {
  /// The descriptor, for calls of other rooms (sendfile(2)); owned by this value.
  public let descriptor: OwnedFileDescriptor

  /// Takes over an open descriptor.
  public init(_ descriptor: consuming OwnedFileDescriptor) {
    self.descriptor = descriptor
  }

  /// Writes all bytes at `offset` (pwrite(2)); short writes go on where they stopped.
  ///
  /// - Throws: ENOSPC, EDQUOT, EFBIG, EIO; what was written until then stays.
  public func write(_ bytes: Span<UInt8>, at offset: Int64) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done..<bytes.count)
      let place = offset + Int64(done)
      let written = try performBlocking(.pwrite) {
        unsafe rest.withUnsafeBytes {
          unsafe CLinux.pwrite(descriptor.number, $0.baseAddress, $0.count, off_t(place))
        }
      }
      // A regular file takes at least one byte or says why not: zero would loop for ever.
      guard written > 0 else { throw Errno(.pwrite, code: EIO) }
      done += written
    }
  }

  /// Reads at most `buffer.count` bytes from `offset` (pread(2)); 0 at the end of the file.
  public func read(into buffer: inout MutableSpan<UInt8>, at offset: Int64) throws(Errno) -> Int {
    let descriptor = self.descriptor.number
    return try unsafe buffer.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
      try performBlocking(.pread) {
        unsafe CLinux.pread(descriptor, raw.baseAddress, raw.count, off_t(offset))
      }
    }
  }

  /// Whether reading this byte waits for the disk (preadv2(2), RWF_NOWAIT); `false` where the file
  /// system can not say.
  public func isCold(at offset: Int64) -> Bool {
    do throws(Errno) {
      return try perform(.preadv2) { Int(clinux_peek(descriptor.number, off_t(offset))) } == nil
    } catch {
      // EAGAIN only when a test forces it. Another error is for the call that reads.
      return error.code == EAGAIN
    }
  }

  /// Lets memory go that holds the file's bytes (posix_fadvise(3), POSIX_FADV_DONTNEED): the next
  /// reading asks the disk. Only a hint.
  public func forget() {
    _ = try? perform(.fadvise) { Int(clinux_forget(descriptor.number)) }
  }

  /// The whole content; `nil` when it is longer than `limit`.
  public func readAll(limit: Int) throws(Errno) -> [UInt8]? {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(max(limit, 0) + 1, 1 << 16))
    while true {
      var span = chunk.mutableSpan
      let count = try read(into: &span, at: Int64(content.count))
      if count == 0 { return content }
      guard content.count + count <= limit else { return nil }
      content.append(contentsOf: chunk[..<count])
    }
  }

  /// Reserves blocks for `bytes` bytes without changing the file's length
  /// (fallocate(2), FALLOC_FL_KEEP_SIZE). `false` where the file system can not.
  ///
  /// - Throws: ENOSPC, EDQUOT, EFBIG.
  @discardableResult
  public func allocate(_ bytes: Int64) throws(Errno) -> Bool {
    do {
      try performBlocking(.fallocate) {
        Int(clinux_fallocate_keep_size(descriptor.number, 0, off_t(bytes)))
      }
      return true
    } catch {
      if error.code == EOPNOTSUPP || error.code == ENOSYS { return false }
      throw error
    }
  }

  /// Cuts the file, or lengthens it with zeroes (ftruncate(2)); frees blocks past the end.
  public func truncate(to bytes: Int64) throws(Errno) {
    try performBlocking(.ftruncate) { Int(ftruncate(descriptor.number, off_t(bytes))) }
  }

  /// Content and length are on the disk when this returns (fsync(2)).
  ///
  /// After an error the kernel may have dropped the pages: never try the same file again.
  public func sync() throws(Errno) {
    try performBlocking(.fsync, on: descriptor.number) { Int(fsync(descriptor.number)) }
  }

  /// Sets the permission bits (fchmod(2)).
  public func setMode(_ mode: UInt32) throws(Errno) {
    try performBlocking(.fchmod) { Int(fchmod(descriptor.number, mode_t(mode))) }
  }

  /// Sets the time of the last change, in unix seconds (futimens(3)).
  public func setModified(_ seconds: Int64) throws(Errno) {
    try performBlocking(.utimensat) { Int(clinux_set_modified(descriptor.number, seconds)) }
  }

  /// Length, kind, mode and so on (fstat(2)).
  public func status() throws(Errno) -> FileStatus {
    try FileStatus.read(descriptor.number)
  }

  /// Takes the file's lock, as long as it is open (flock(2), LOCK_NB).
  ///
  /// - Parameter isShared: whether others may have it too, as long as all of them share it.
  /// - Returns: `false` when another open file has it.
  public func tryLock(isShared: Bool = false) throws(Errno) -> Bool {
    let kind = isShared ? LOCK_SH : LOCK_EX
    return try perform(.flock) { Int(flock(descriptor.number, kind | LOCK_NB)) } != nil
  }

  /// Closes now and reports what the kernel put off until then; see `OwnedFileDescriptor.close`.
  public consuming func close() throws(Errno) {
    try descriptor.close()
  }
}

extension FileStatus {
  static func read(_ descriptor: Int32) throws(Errno) -> FileStatus {
    var raw = stat()
    try performBlocking(.fstat) { unsafe Int(fstat(descriptor, &raw)) }
    return FileStatus(raw)
  }
}
