internal import CLinux

/// A file descriptor with one owner: closed once, when the owner lets go of it.
public struct OwnedFileDescriptor: ~Copyable, Sendable {
  /// The number; valid as long as this value lives.
  public let number: Int32

  /// Takes ownership of an open descriptor.
  public init(owning number: Int32) {
    precondition(number >= 0, "not a descriptor")
    self.number = number
  }

  /// Closes now and reports the error (EIO, ENOSPC, EDQUOT of delayed writes); the number is gone
  /// in either case (close(2), "Dealing with error returns").
  public consuming func close() throws(Errno) {
    let number = self.number
    discard self
    try performBlocking(.close) { Int(CLinux.close(number)) }
  }

  /// Gives the number away without closing it.
  public consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  deinit {
    // An error here has no one to hear it: whoever must know calls close() first.
    _ = CLinux.close(number)
  }
}
