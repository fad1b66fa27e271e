// The small calls that secrets need: compare, make, forget.
internal import COpenSSL

/// Whether two byte strings are equal, in a time that depends on their lengths only.
public func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  return unsafe left.withUnsafeBytes { left in
    unsafe right.withUnsafeBytes { right in
      unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }
  }
}

/// Overwrites bytes that were secret; the compiler cannot remove it (OPENSSL_cleanse(3)).
public func wipe<let count: Int>(_ bytes: inout InlineArray<count, UInt8>) {
  var span = bytes.mutableSpan
  unsafe span.withUnsafeMutableBytes { buffer in
    unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
  }
}

/// Overwrites bytes that were secret; for an array that no one else holds.
public func wipe(_ bytes: inout [UInt8]) {
  unsafe bytes.withUnsafeMutableBytes { buffer in
    unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
  }
}

/// Random bytes from libcrypto's generator, which the kernel seeds (RAND_bytes(3), getrandom(2)).
///
/// A failure traps: it means that the kernel gave no seed, no input from outside can cause it, and
/// a process without randomness must not make another key, identifier or connection.
public enum SystemRandom {
  /// 32 random bytes: a key.
  public static func bytes32() -> InlineArray<32, UInt8> {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    fill(&bytes)
    return bytes
  }

  /// 16 random bytes: an identifier.
  public static func bytes16() -> InlineArray<16, UInt8> {
    var bytes = InlineArray<16, UInt8>(repeating: 0)
    fill(&bytes)
    return bytes
  }

  /// Overwrites all of `bytes` with random ones.
  public static func fill<let count: Int>(_ bytes: inout InlineArray<count, UInt8>) {
    var span = bytes.mutableSpan
    unsafe span.withUnsafeMutableBufferPointer { buffer in
      let answer = unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count))
      precondition(answer == 1, "RAND_bytes: the system has no randomness")
    }
  }
}
