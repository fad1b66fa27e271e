// A server that misbehaves as our own TLS can not: libssl over a blocking socket, on a thread.
import COpenSSL
import Glibc
import Kernel
import Synchronization

/// Answers one connection with key updates that want to be answered, and reads none of the answers.
final class KeyUpdateFlood: Sendable {
  struct Unavailable: Error {}

  let port: UInt16
  private let listener: Int32

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(listener, address, size) == 0 && listen(listener, 8) == 0
          && getsockname(listener, address, &size) == 0
      }
    }
    guard isBound else { throw Unavailable() }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    try KernelThread.start(name: "flood", stackBytes: 1 << 20) { Self.serve(listener) }
  }

  /// Ends a thread that waits for its connection.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static func serve(_ listener: Int32) {
    let connection = accept(listener, nil, nil)
    defer {
      close(connection)
      close(listener)
    }
    guard connection >= 0, let context = unsafe SSL_CTX_new(TLS_server_method()) else { return }
    defer { unsafe SSL_CTX_free(context) }
    guard unsafe present(context), let session = unsafe SSL_new(context) else { return }
    defer { unsafe SSL_free(session) }
    guard unsafe SSL_set_fd(session, connection) == 1, unsafe SSL_accept(session) == 1 else {
      return
    }
    var request = [UInt8](repeating: 0, count: 4096)
    guard unsafe SSL_read(session, &request, 4096) > 0 else { return }
    while unsafe SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED) == 1,
      unsafe SSL_do_handshake(session) == 1
    {}
  }

  private static func present(_ context: OpaquePointer) -> Bool {
    guard let certificate = unsafe bio(Certificates.good), let key = unsafe bio(Certificates.key)
    else { return false }
    defer {
      unsafe BIO_free(certificate)
      unsafe BIO_free(key)
    }
    guard let x509 = unsafe PEM_read_bio_X509(certificate, nil, nil, nil),
      let secret = unsafe PEM_read_bio_PrivateKey(key, nil, nil, nil)
    else { return false }
    defer {
      unsafe X509_free(x509)
      unsafe EVP_PKEY_free(secret)
    }
    return unsafe SSL_CTX_use_certificate(context, x509) == 1
      && SSL_CTX_use_PrivateKey(context, secret) == 1
  }

  private static func bio(_ text: String) -> OpaquePointer? {
    let bio = unsafe BIO_new(BIO_s_mem())
    _ = unsafe BIO_write(bio, text, Int32(text.utf8.count))
    return unsafe bio
  }
}
