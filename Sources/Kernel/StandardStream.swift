internal import CLinux

/// The process's standard output and error, written whole, without a buffer of ours.
public enum StandardStream: Int32, Sendable {
  /// Descriptor 1.
  case output = 1
  /// Descriptor 2.
  case error = 2

  /// Writes all bytes; gives up when the other end is gone, as there is no one left to tell.
  public func write(_ bytes: Span<UInt8>) {
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done..<bytes.count)
      let written = try? performBlocking(.write) {
        unsafe rest.withUnsafeBytes { unsafe CLinux.write(rawValue, $0.baseAddress, $0.count) }
      }
      guard let written, written > 0 else { return }
      done += written
    }
  }

  /// Writes the UTF-8 of a text.
  public func write(_ text: String) { write(text.utf8.span) }
}
