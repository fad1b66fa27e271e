// One TLS connection without a socket. The caller moves bytes, the engine says what it wants:
//
//        socket ──feed──▶ ┌────────┐ ──read──▶ plaintext
//                         │ engine │
//        socket ◀──drain─ └────────┘ ◀─write── plaintext
//
//    handshaking ──handshake() == .done──▶ established ──shutdown()──▶ closing
//         │                                     │
//         └─────────── a thrown TLSFailure ─────┴──▶ failed (the same failure from then on)
//
// Every call may leave ciphertext behind (records, a key update's answer, an alert): drain after
// each, after a failure too, so that the peer learns why.
internal import COpenSSL

/// What a handshake step came to.
public enum TLSHandshake: Hashable, Sendable {
  /// Drain, then feed more of the peer's bytes and step again.
  case wantsCiphertext
  /// The peer is who it should be; plaintext may flow.
  case done
}

/// What a read came to.
public enum TLSRead: Hashable, Sendable {
  /// So many bytes of plaintext, at most one record (16 KiB); 0 only for an empty buffer.
  case plaintext(Int)
  /// All that was fed is read.
  case wantsCiphertext
  /// Records were read that hold no plaintext (key updates, session tickets), and more were fed:
  /// read again, in a turn of its own where somebody else waits.
  case control
  /// The peer said that it sends no more (close_notify).
  case closed
  /// The bytes ended without close_notify: what came is genuine, but someone may have cut the rest
  /// (RFC 8446 section 6.1).
  case truncated
}

/// One TLS connection as a pure machine over memory.
///
/// Memory: about 10 KB, and libssl's record buffers (34 KB), which are given back while nothing is
/// in them (SSL_MODE_RELEASE_BUFFERS); what is fed and not read, and what is written and not
/// drained, is held beside.
@safe
public struct TLSEngine: ~Copyable {
  /// `write` takes no more while this much ciphertext waits; bytes.
  public static let drainThreshold = 64 << 10
  /// How many records without plaintext one `read` takes. A key update costs about 16 µs, and a
  /// peer may send them without end.
  public static let controlRecordsPerRead = 32

  /// The `SSL`; owns both BIOs.
  private let session: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  private var failure: TLSFailure?
  private var isTruncated = false
  /// Whether the handshake is done.
  public private(set) var isEstablished = false

  /// Owns the `SSL` at the address `session`; a client expects a host, a server does not.
  init(session address: UInt, expecting host: TLSHost?) {
    guard let session = unsafe OpaquePointer(bitPattern: address),
      let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem())
    else { preconditionFailure("BIO_new: no memory") }
    unsafe copenssl_set_empty_result(incoming, -1)
    unsafe copenssl_set_empty_result(outgoing, -1)
    unsafe SSL_set_bio(session, incoming, outgoing)
    if let host {
      unsafe host.bind(to: session)
      unsafe SSL_set_connect_state(session)
    } else {
      unsafe SSL_set_accept_state(session)
    }
    unsafe self.session = session
    unsafe self.incoming = incoming
    unsafe self.outgoing = outgoing
  }

  deinit {
    unsafe SSL_free(session)
  }

  // MARK: The socket's side

  /// Takes bytes from the peer, all of them.
  public mutating func feed(ciphertext: Span<UInt8>) {
    guard !ciphertext.isEmpty, failure == nil else { return }
    var taken = 0
    let answer = unsafe ciphertext.withUnsafeBytes { bytes in
      unsafe BIO_write_ex(incoming, bytes.baseAddress, bytes.count, &taken)
    }
    precondition(answer == 1 && taken == ciphertext.count, "BIO_write_ex: no memory")
  }

  /// Says that the peer's bytes have ended (the socket's end of file).
  public mutating func feedEnd() {
    unsafe copenssl_set_empty_result(incoming, 0)
  }

  /// The bytes that wait for the peer.
  public var pendingCiphertext: Int {
    Int(unsafe BIO_ctrl_pending(outgoing))
  }

  /// Moves bytes for the peer into `buffer`; how many.
  public mutating func drainCiphertext(into buffer: inout MutableSpan<UInt8>) -> Int {
    guard !buffer.isEmpty, pendingCiphertext > 0 else { return 0 }
    var moved = 0
    let answer = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe BIO_read_ex(outgoing, bytes.baseAddress, bytes.count, &moved)
    }
    return answer == 1 ? moved : 0
  }

  // MARK: The plaintext's side

  /// Takes the handshake as far as the fed bytes allow.
  ///
  /// Throws `.certificate`, `.protocol`, or `.closed` when the bytes have ended.
  public mutating func handshake() throws(TLSFailure) -> TLSHandshake {
    if let failure { throw failure }
    if isEstablished { return .done }
    ERR_clear_error()
    let answer = unsafe SSL_do_handshake(session)
    if answer == 1 {
      isEstablished = true
      return .done
    }
    let code = unsafe SSL_get_error(session, answer)
    if code == SSL_ERROR_WANT_READ { return .wantsCiphertext }
    throw fail(code)
  }

  /// Whether bytes were fed that no `read` has given out: records, or the start of one.
  public var hasUnread: Bool {
    unsafe SSL_has_pending(session) == 1 || BIO_ctrl_pending(incoming) > 0
  }

  /// Moves plaintext into `buffer`.
  ///
  /// Only after the handshake. Throws `.protocol` for broken records and the peer's alerts.
  public mutating func read(into buffer: inout MutableSpan<UInt8>) throws(TLSFailure) -> TLSRead {
    precondition(isEstablished, "read before the handshake is done")
    if let failure { throw failure }
    if isTruncated { return .truncated }
    if buffer.isEmpty { return .plaintext(0) }
    for _ in 0..<Self.controlRecordsPerRead {
      let read = try readRecord(into: &buffer)
      // libssl comes back after each record without plaintext (no SSL_MODE_AUTO_RETRY).
      guard read == .wantsCiphertext, unsafe BIO_ctrl_pending(incoming) > 0 else { return read }
    }
    return .control
  }

  private mutating func readRecord(
    into buffer: inout MutableSpan<UInt8>
  ) throws(TLSFailure) -> TLSRead {
    ERR_clear_error()
    var count = 0
    let answer = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe SSL_read_ex(session, bytes.baseAddress, bytes.count, &count)
    }
    if answer == 1 { return .plaintext(count) }
    let code = unsafe SSL_get_error(session, answer)
    switch code {
    case SSL_ERROR_WANT_READ: return .wantsCiphertext
    case SSL_ERROR_ZERO_RETURN: return .closed
    default:
      let failure = fail(code)
      guard failure.kind == .closed else { throw failure }
      self.failure = nil
      isTruncated = true
      return .truncated
    }
  }

  /// Encrypts plaintext; how many bytes were taken, fewer than given when `drainThreshold` is
  /// reached: drain, then write the rest.
  ///
  /// Only after the handshake. Throws `.protocol` after `shutdown`.
  public mutating func write(plaintext: Span<UInt8>) throws(TLSFailure) -> Int {
    precondition(isEstablished, "write before the handshake is done")
    if let failure { throw failure }
    var taken = 0
    while taken < plaintext.count, pendingCiphertext < TLSEngine.drainThreshold {
      ERR_clear_error()
      var count = 0
      let answer = unsafe plaintext.extracting(taken..<plaintext.count).withUnsafeBytes { bytes in
        unsafe SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
      }
      guard answer == 1 else {
        let code = unsafe SSL_get_error(session, answer)
        if code == SSL_ERROR_WANT_READ { break }
        throw fail(code)
      }
      taken += count
    }
    return taken
  }

  /// Says that we send no more (close_notify, to be drained); reading may go on.
  ///
  /// Does nothing before the handshake is done, after a failure, or a second time.
  public mutating func shutdown() {
    guard isEstablished, failure == nil, !isTruncated,
      unsafe SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0
    else { return }
    ERR_clear_error()
    _ = unsafe SSL_shutdown(session)
    ERR_clear_error()
  }

  /// The protocol version, `TLSv1.3`; for logs.
  public var version: String {
    unsafe String(cString: SSL_get_version(session))
  }

  /// Whether the peer agreed on HTTP/1.1 by ALPN; one that does not know ALPN did not.
  public var agreedHTTP1: Bool {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(session, &name, &count)
    return unsafe UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("http/1.1".utf8)
  }

  /// Keeps and gives the failure behind a result of SSL_get_error(3).
  private mutating func fail(_ code: Int32) -> TLSFailure {
    let error = ErrorQueue.take()
    let found: TLSFailure
    if error?.reason == SSL_R_CERTIFICATE_VERIFY_FAILED {
      let result = unsafe SSL_get_verify_result(session)
      let text = unsafe String(cString: X509_verify_cert_error_string(result))
      found = TLSFailure(.certificate(.init(verification: result)), text)
    } else if code == SSL_ERROR_ZERO_RETURN || error?.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING {
      found = TLSFailure(.closed, "the peer's bytes ended without close_notify")
    } else {
      found = TLSFailure(.protocol, error?.text ?? "SSL_get_error \(code)")
    }
    failure = found
    return found
  }
}
