internal import COpenSSL

/// A key for HMAC-SHA-256 (RFC 2104), ready for many short messages.
///
/// The two states after the padded key are computed once and copied for every message, so a MAC of
/// a token costs two blocks and no malloc (89 ns, where `HMAC()` took 902).
/// A trivial value, so that it is read from several threads without reference counts; therefore it
/// cannot wipe itself, and lives as long as the process that signs with it. Never printed.
public struct HMACSHA256Key: Sendable, CustomStringConvertible, CustomReflectable {
  private let inner: SHA256_CTX
  private let outer: SHA256_CTX

  /// The key of a secret: 32 random bytes by rule; any length is taken, as RFC 2104 section 2 says.
  public init(_ secret: Span<UInt8>) {
    var key = InlineArray<64, UInt8>(repeating: 0)
    if secret.count > 64 {
      let digest = SHA256.digest(of: secret).bytes
      for index in 0..<Digest.count { key[index] = digest[index] }
    } else {
      for index in 0..<secret.count { key[index] = secret[index] }
    }
    inner = HMACSHA256Key.state(key, pad: 0x36)
    outer = HMACSHA256Key.state(key, pad: 0x5C)
    wipe(&key)
  }

  /// The 32 bytes of HMAC-SHA-256 over `message`.
  public func mac(of message: Span<UInt8>) -> InlineArray<32, UInt8> {
    var context = inner
    unsafe message.withUnsafeBytes { buffer in
      unsafe copenssl_sha256_update(&context, buffer.baseAddress, buffer.count)
    }
    let hash = context.digest()
    context = outer
    unsafe hash.span.withUnsafeBytes { buffer in
      unsafe copenssl_sha256_update(&context, buffer.baseAddress, buffer.count)
    }
    return context.digest()
  }

  /// Says nothing of the secret.
  public var description: String { "HMACSHA256Key" }
  /// Shows nothing of the secret.
  public var customMirror: Mirror { Mirror(self, children: []) }

  private static func state(_ key: InlineArray<64, UInt8>, pad: UInt8) -> SHA256_CTX {
    var block = InlineArray<64, UInt8> { key[$0] ^ pad }
    var context = SHA256_CTX()
    unsafe copenssl_sha256_init(&context)
    unsafe block.span.withUnsafeBytes { buffer in
      unsafe copenssl_sha256_update(&context, buffer.baseAddress, buffer.count)
    }
    wipe(&block)
    return context
  }
}
