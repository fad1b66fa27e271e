// SHA-256 (FIPS 180-4) as a stream. libcrypto's plain structure lies in the value itself: no
// malloc, and the block function uses the processor's SHA instructions.
internal import COpenSSL

/// SHA-256 of bytes that come in pieces.
public struct SHA256: ~Copyable, Sendable {
  private var context = SHA256_CTX()

  /// Starts with no bytes.
  public init() {
    unsafe copenssl_sha256_init(&context)
  }

  /// Adds bytes.
  public mutating func update(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { buffer in
      unsafe copenssl_sha256_update(&context, buffer.baseAddress, buffer.count)
    }
  }

  /// The digest of all bytes; ends the stream.
  public consuming func finalize() -> Digest {
    Digest(context.digest())
  }

  /// The digest of bytes that are all there.
  public static func digest(of bytes: Span<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }
}

extension SHA256_CTX {
  /// Ends the stream; the context is spent after it.
  mutating func digest() -> InlineArray<32, UInt8> {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var out = bytes.mutableSpan
    unsafe out.withUnsafeMutableBufferPointer { buffer in
      unsafe copenssl_sha256_final(buffer.baseAddress, &self)
    }
    return bytes
  }
}
