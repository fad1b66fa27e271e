internal import CLinux

/// The process's standard output and error, written whole, without a buffer of ours.
///
/// They were given to the process: whoever reads them may stop, be gone, or never have been there.
/// A write blocks for as long as the reader wants, so an event loop never writes here: it hands its
/// lines to a `LineWriter`.
public enum StandardStream: Int32, Sendable {
  /// Descriptor 1.
  case output = 1
  /// Descriptor 2.
  case error = 2

  /// Writes all bytes. Blocks, also where the stream is set to nonblocking.
  ///
  /// - Throws: what write(2) says: the reader is gone (EPIPE, once SIGPIPE is ignored), the disk is
  ///   full, the descriptor is closed or only for reading (EBADF). Some bytes may be written then.
  public func write(_ bytes: Span<UInt8>) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done..<bytes.count)
      let written = try perform(.write, given: true) {
        unsafe rest.withUnsafeBytes { unsafe CLinux.write(rawValue, $0.baseAddress, $0.count) }
      }
      guard let written else {
        try waitForRoom()
        continue
      }
      // A device that takes nothing and says no error would keep us here for good.
      guard written > 0 else { throw Errno(.write, code: EIO) }
      done += written
    }
  }

  /// Writes the UTF-8 of a text, if anybody takes it.
  public func write(_ text: String) { try? write(text.utf8.span) }

  /// The columns of the terminal; `nil` when it is none, or does not say (tty_ioctl(4)).
  public var columns: Int? {
    let columns = Int(clinux_terminal_columns(rawValue))
    return columns > 0 ? columns : nil
  }

  private func waitForRoom() throws(Errno) {
    var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
    _ = try perform(.poll, given: true) { unsafe Int(poll(&entry, 1, -1)) }
  }
}
