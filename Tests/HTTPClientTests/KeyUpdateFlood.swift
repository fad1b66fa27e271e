// A server that misbehaves as our own TLS can not: libssl over a blocking socket, on a thread.
import COpenSSL
import Glibc
import Kernel
import Synchronization

/// Answers one connection over a local socket with key updates, and reads no more.
final class KeyUpdateFlood: Sendable {
  struct Unavailable: Error {}

  enum Kind: Sendable {
    /// Without end; none wants an answer.
    case endless
    /// So many, all before `isWritten`; none wants an answer. Then a response with a body `ok`.
    case atOnce(Int)
    /// Without end behind the head of a response, a byte of its body with each; all want answers.
    case amongBytes
  }

  /// Lives as long as one of both sides may use its descriptor.
  private final class Listener: Sendable {
    let descriptor: Int32
    let isWritten = Atomic(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
  }

  /// Where it listens.
  let path: String
  private let listener: Listener

  /// Whether all that there is to come waits in the socket.
  var isWritten: Bool { listener.isWritten.load(ordering: .acquiring) }

  init(_ kind: Kind) throws {
    let path = "/tmp/flood-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    let listener = Listener(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(listener.descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
          && listen(listener.descriptor, 8) == 0
      }
    }
    guard isBound else { throw Unavailable() }
    (self.path, self.listener) = (path, listener)
    try KernelThread.start(name: "flood", stackBytes: 1 << 20) {
      Self.serve(listener, kind)
    }
  }

  /// Ends a thread that waits for its connection.
  deinit {
    shutdown(listener.descriptor, Int32(SHUT_RDWR))
    unsafe unlink(path)
  }

  private static func serve(_ listener: Listener, _ kind: Kind) {
    let connection = accept(listener.descriptor, nil, nil)
    defer { close(connection) }
    guard connection >= 0, let context = unsafe SSL_CTX_new(TLS_server_method()) else { return }
    defer { unsafe SSL_CTX_free(context) }
    guard unsafe present(context), let session = unsafe SSL_new(context) else { return }
    defer { unsafe SSL_free(session) }
    guard unsafe SSL_set_fd(session, connection) == 1, unsafe SSL_accept(session) == 1 else {
      return
    }
    var request = [UInt8](repeating: 0, count: 4096)
    guard unsafe SSL_read(session, &request, 4096) > 0, let written = unsafe BIO_new(BIO_s_mem())
    else { return }
    // From here on records are collected; owned by the session.
    unsafe SSL_set0_wbio(session, written)
    func update(_ kind: Int32) {
      unsafe _ = SSL_key_update(session, kind) + SSL_do_handshake(session)
    }
    func say(_ text: String) { unsafe _ = SSL_write(session, text, Int32(text.utf8.count)) }
    func send() -> Bool { unsafe deliver(written, to: connection) }
    switch kind {
    case .endless:
      repeat {
        for _ in 0..<100 { update(SSL_KEY_UPDATE_NOT_REQUESTED) }
      } while send()
    case .atOnce(let count):
      for _ in 0..<count { update(SSL_KEY_UPDATE_NOT_REQUESTED) }
      say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      listener.isWritten.store(send(), ordering: .releasing)
      // Until the client leaves.
      while unsafe recv(connection, &request, 4096, 0) > 0 {}
    case .amongBytes:
      say("HTTP/1.1 200 OK\r\n\r\n")
      repeat {
        for _ in 0..<100 {
          update(SSL_KEY_UPDATE_REQUESTED)
          say("a")
        }
      } while send()
    }
  }

  /// Sends what was written; `false` when the client is gone.
  private static func deliver(_ written: OpaquePointer, to connection: Int32) -> Bool {
    // Room for all that is written at once: 189 KB.
    var room: Int32 = 200 << 10
    unsafe setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = unsafe BIO_read(written, &piece, Int32(piece.count)), count > 0 {
      var sent = 0
      while sent < count {
        let taken = unsafe piece[sent..<Int(count)].withUnsafeBytes {
          unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard taken > 0 else { return false }
        sent += taken
      }
    }
    return true
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
