// The one place where Wire's base64 touches pointers: whole quanta in bulk, by CLinux/base64.h.
internal import CLinux

enum Base64Blocks {
  /// Decodes from `text[start...]` into `output[end...]`, whole quanta only, up to the first
  /// character that is no sextet. Returns the characters taken (a multiple of 4, three bytes for
  /// every four). The 8 bytes of `output` behind what was written may be overwritten too.
  static func decode(
    _ text: Span<UInt8>, from start: Int, into output: inout MutableSpan<UInt8>, at end: Int
  ) -> Int {
    unsafe text.withUnsafeBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        guard start < source.count, end < target.count, let from = source.baseAddress,
          let into = target.baseAddress
        else { return 0 }
        return unsafe Int(
          clinux_base64_decode(
            from + start, source.count - start, into + end, target.count - end))
      }
    }
  }

  /// Encodes from `bytes[start...]` into `output[end...]`, whole quanta only. Returns the bytes
  /// taken (a multiple of 3, four characters for every three).
  static func encode(
    _ bytes: Span<UInt8>, from start: Int, into output: inout MutableSpan<UInt8>, at end: Int
  ) -> Int {
    unsafe bytes.withUnsafeBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        guard start < source.count, end < target.count, let from = source.baseAddress,
          let into = target.baseAddress
        else { return 0 }
        return unsafe Int(
          clinux_base64_encode(
            from + start, source.count - start, into + end, target.count - end))
      }
    }
  }
}
