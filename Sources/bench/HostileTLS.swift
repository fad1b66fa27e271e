// An upstream that misbehaves within TLS: libssl over a blocking socket, as our own side can not.
internal import COpenSSL
internal import Foundation
internal import Kernel

/// An upstream that answers each order over TLS in the shape that its prompt names.
struct HostileTLS {
  /// The prompts that it knows.
  static let shapes = ["key updates", "records of one byte"]
  /// Where it listens.
  var port: UInt16 { server.port }
  /// What a client must trust.
  let certificate: URL
  private let server: LocalServer

  /// Makes a certificate for 127.0.0.1 with the openssl command.
  init(_ stage: Stage) throws {
    let certificate = stage.folder.appending(path: "certificate.pem")
    let key = stage.folder.appending(path: "key.pem")
    _ = try stage.run([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
      key.path, "-out", certificate.path,
    ])
    self.certificate = certificate
    server = try LocalServer { Self.serve($0, certificate.path, key.path) }
  }

  private static func serve(_ peer: RawConnection, _ certificate: String, _ key: String) {
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { return }
    defer { unsafe SSL_CTX_free(context) }
    guard unsafe SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) == 1,
      unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
      let session = unsafe SSL_new(context)
    else { return }
    defer { unsafe SSL_free(session) }
    guard unsafe SSL_set_fd(session, peer.number) == 1, unsafe SSL_accept(session) == 1 else {
      return
    }
    var request = ""
    while !request.contains("prompt") {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = unsafe SSL_read(session, &bytes, 4096)
      guard count > 0 else { return }
      request += String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }
    // From here on records are collected and sent many at a time; owned by the session.
    guard let written = unsafe BIO_new(BIO_s_mem()) else { return }
    unsafe SSL_set0_wbio(session, written)
    let hasUpdates = request.contains(shapes[0])
    func say(_ text: String) { unsafe _ = SSL_write(session, text, Int32(text.utf8.count)) }
    say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    say("{\"data\":[{\"b64_json\":\"iVBORw0KGgoAAAANSUhEUgAAABAAAAAJCAIAAAAA")
    for _ in 0..<400 {
      for _ in 0..<250 {
        if hasUpdates {
          unsafe _ = SSL_key_update(session, SSL_KEY_UPDATE_NOT_REQUESTED)
          unsafe _ = SSL_do_handshake(session)
        } else {
          say(" ")
        }
      }
      guard unsafe deliver(written, to: peer) else { return }
    }
  }

  /// Sends what was written; `false` when the client is gone.
  private static func deliver(_ written: OpaquePointer, to peer: RawConnection) -> Bool {
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = unsafe BIO_read(written, &piece, Int32(piece.count)), count > 0 {
      guard peer.send(Array(piece.prefix(Int(count)))) else { return false }
    }
    return true
  }
}
