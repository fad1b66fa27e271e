// TLS by libssl, without sockets: a context holds what connections share, an engine is one
// connection as a machine that turns ciphertext into plaintext and back (TLSEngine.swift).
internal import COpenSSL
internal import Synchronization

/// What many TLS connections share: trust, versions, a server's certificate.
///
/// Made once; gives engines from any thread. Both sides speak TLS 1.2 or 1.3 and HTTP/1.1 (ALPN).
public final class TLSContext: Sendable {
  private let handle: Mutex<SSLContextHandle>
  private let isServer: Bool

  /// A context for calls to servers, whose chain and name are verified.
  ///
  /// Trusts the system's authorities (on Debian `/etc/ssl/certs`; libcrypto lets the variables
  /// SSL_CERT_FILE and SSL_CERT_DIR name others), and those of the PEM text
  /// `additionalAuthorities`. Certificates of a folder are read when a chain first needs them.
  /// Throws `.configuration` when the PEM text holds no certificate or a broken one.
  public static func client(
    additionalAuthorities: [UInt8] = []
  ) throws(TLSFailure) -> TLSContext {
    let handle = try SSLContextHandle.make(isServer: false)
    try handle.trustSystem()
    if !additionalAuthorities.isEmpty { try handle.trust(pem: additionalAuthorities) }
    return TLSContext(handle, isServer: false)
  }

  /// A context that answers connections: the other side of tests.
  ///
  /// `certificate` (one) and `key` are PEM text; throws `.configuration` when they are not, or do
  /// not belong together.
  public static func server(
    certificate: [UInt8], key: [UInt8]
  ) throws(TLSFailure) -> TLSContext {
    let handle = try SSLContextHandle.make(isServer: true)
    try handle.present(certificate: certificate, key: key)
    return TLSContext(handle, isServer: true)
  }

  private init(_ handle: consuming sending SSLContextHandle, isServer: Bool) {
    self.handle = Mutex(handle)
    self.isServer = isServer
  }

  /// A connection to `host`: a DNS name, or an IPv4 or IPv6 address, with or without brackets.
  ///
  /// The peer's certificate must be for that host. Throws `.configuration` for what cannot be a
  /// host; names are ASCII (IDNA is the caller's).
  public func connection(to host: String) throws(TLSFailure) -> TLSEngine {
    precondition(!isServer, "a server does not connect")
    let host = try TLSHost(host)
    return TLSEngine(session: handle.withLock { $0.newSession() }, expecting: host)
  }

  /// The server's side of a connection.
  public func acceptedConnection() -> TLSEngine {
    precondition(isServer, "a client does not accept")
    return TLSEngine(session: handle.withLock { $0.newSession() }, expecting: nil)
  }
}

/// An owned `SSL_CTX`.
@safe
struct SSLContextHandle: ~Copyable {
  private let context: OpaquePointer

  private init(owning context: OpaquePointer) {
    unsafe self.context = context
  }

  /// A context of one side, with the rules that both have.
  static func make(isServer: Bool) throws(TLSFailure) -> SSLContextHandle {
    let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
    guard let context = unsafe SSL_CTX_new(method) else { throw .configuration("SSL_CTX_new") }
    let handle = unsafe SSLContextHandle(owning: context)
    guard unsafe copenssl_configure(context) == 1 else { throw .configuration("versions") }
    if isServer {
      unsafe copenssl_accept_http1(context)
    } else {
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
      guard unsafe copenssl_offer_http1(context) == 1 else { throw .configuration("ALPN") }
    }
    return handle
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  /// Trusts the system's authorities (SSL_CTX_set_default_verify_paths(3)).
  func trustSystem() throws(TLSFailure) {
    guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
      throw .configuration("the system's authorities")
    }
  }

  /// Trusts every certificate of a PEM text.
  func trust(pem: [UInt8]) throws(TLSFailure) {
    let text = PEMText(pem)
    var found = 0
    while let certificate = unsafe text.nextCertificate() {
      defer { unsafe X509_free(certificate) }
      guard unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 else {
        throw .configuration("authority")
      }
      found += 1
    }
    // The text ends with "no start line"; anything else is a broken certificate in it.
    let end = ErrorQueue.take()
    guard found > 0, end?.reason == PEM_R_NO_START_LINE else {
      throw TLSFailure(.configuration, "authorities: \(end?.text ?? "no certificate")")
    }
  }

  /// Presents a certificate as a server.
  func present(certificate: [UInt8], key: [UInt8]) throws(TLSFailure) {
    guard let found = unsafe PEMText(certificate).nextCertificate() else {
      throw .configuration("certificate")
    }
    defer { unsafe X509_free(found) }
    guard let secret = unsafe PEMText(key).privateKey() else { throw .configuration("key") }
    defer { unsafe EVP_PKEY_free(secret) }
    guard unsafe SSL_CTX_use_certificate(context, found) == 1,
      unsafe SSL_CTX_use_PrivateKey(context, secret) == 1
    else { throw .configuration("certificate and key") }
  }

  /// The address of a new `SSL`, which the caller owns; it keeps the context alive by itself.
  ///
  /// A number and not a pointer: it leaves a lock, and is no one else's.
  func newSession() -> UInt {
    guard let session = unsafe SSL_new(context) else { preconditionFailure("SSL_new: no memory") }
    return UInt(bitPattern: session)
  }
}

/// A PEM text as libcrypto reads it, item by item.
@safe
private struct PEMText: ~Copyable {
  private let bio: OpaquePointer

  init(_ text: [UInt8]) {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { preconditionFailure("BIO: no memory") }
    unsafe self.bio = bio
    var written = 0
    _ = unsafe text.withUnsafeBytes { bytes in
      unsafe BIO_write_ex(bio, bytes.baseAddress, bytes.count, &written)
    }
  }

  deinit {
    unsafe BIO_free(bio)
  }

  func nextCertificate() -> OpaquePointer? {
    unsafe PEM_read_bio_X509(bio, nil, nil, nil)
  }

  /// The key; the callback keeps libcrypto from asking the terminal for a pass phrase.
  func privateKey() -> OpaquePointer? {
    unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil)
  }
}

extension TLSFailure {
  /// What libcrypto could not do, with its reason.
  fileprivate static func configuration(_ subject: String) -> TLSFailure {
    TLSFailure(.configuration, "\(subject): \(ErrorQueue.take()?.text ?? "refused")")
  }
}
