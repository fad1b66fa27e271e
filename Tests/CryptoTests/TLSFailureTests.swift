import Crypto
import Testing

/// The failure of a client's handshake, and whether the client left an alert for its peer.
private func handshake(
  to host: String, certificate: String, trusting authority: String? = nil
) throws -> (failure: TLSFailure?, alert: Bool) {
  let client = try TLSPeer.client(to: host, trusting: authority)
  let server = try TLSPeer.server(certificate)
  do {
    try client.shake(with: server)
  } catch let failure as TLSFailure {
    return (failure, client.pending > 0)
  }
  return (nil, false)
}

/// Whom a good certificate serves (RFC 9525 section 6): assets.test, *.wild.test, 127.0.0.1, ::1.
private let hosts: [(host: String, problem: TLSFailure.CertificateProblem?)] = [
  ("assets.test", nil), ("ASSETS.test", nil), ("assets.test.", nil),
  ("a.wild.test", nil), ("127.0.0.1", nil), ("::1", nil), ("[::1]", nil),
  ("0:0:0:0:0:0:0:1", nil),
  ("other.test", .hostMismatch), ("xassets.test", .hostMismatch), ("test", .hostMismatch),
  ("a.assets.test", .hostMismatch), ("a.b.wild.test", .hostMismatch),
  ("wild.test", .hostMismatch), ("127.0.0.2", .hostMismatch), ("::2", .hostMismatch),
]

@Test(arguments: hosts.indices)
func theCertificateMustBeForTheHost(_ row: Int) throws {
  let (host, problem) = hosts[row]
  let found = try handshake(to: host, certificate: Certificates.good).failure
  #expect(found?.kind == problem.map { .certificate($0) }, "\(host)")
}

private let refused: [(name: String, certificate: String, problem: TLSFailure.CertificateProblem)] =
  [
    ("expired", Certificates.expired, .expired),
    ("future", Certificates.future, .notYetValid),
    ("self-signed", Certificates.selfSigned, .selfSigned),
    ("unknown authority", Certificates.stranger, .untrusted),
    ("a name in the subject only", Certificates.subjectOnly, .hostMismatch),
    ("for clients only", Certificates.clientOnly, .invalid),
  ]

@Test(arguments: refused.indices)
func aBadCertificateIsRefused(_ row: Int) throws {
  let (name, certificate, problem) = refused[row]
  let (failure, alert) = try handshake(to: "assets.test", certificate: certificate)
  #expect(failure?.kind == .certificate(problem), "\(name)")
  #expect(failure?.detail.isEmpty == false)
  #expect(alert, "the peer is told")
}

@Test func theSystemDoesNotTrustTheTestAuthority() throws {
  let found = try handshake(to: "assets.test", certificate: Certificates.good, trusting: "")
  #expect(found.failure?.kind == .certificate(.untrusted))
}

@Test func aCertificateMayBeTrustedByItself() throws {
  let found = try handshake(
    to: "assets.test", certificate: Certificates.selfSigned, trusting: Certificates.selfSigned)
  #expect(found.failure == nil)
}

/// A whole ServerHello of an older version (RFC 4346 section 7.4.1.3):
/// TLS_RSA_WITH_AES_128_CBC_SHA.
private func serverHello(minor: UInt8) -> [UInt8] {
  [0x16, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor] + [UInt8](repeating: 9, count: 32)
    + [0, 0x00, 0x2F, 0]
}

/// What a peer that is not a TLS 1.2 server says first.
private let strangers: [(name: String, bytes: [UInt8], kind: TLSFailure.Kind)] = [
  ("SSL 3.0", serverHello(minor: 0), .protocol),
  ("TLS 1.0", serverHello(minor: 1), .protocol),
  ("TLS 1.1", serverHello(minor: 2), .protocol),
  ("HTTP", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), .protocol),
  ("zeros", [UInt8](repeating: 0, count: 64), .protocol),
  ("an alert", [0x15, 3, 3, 0, 2, 2, 40], .protocol),
  ("nothing", [], .closed),
  ("half a hello", Array(serverHello(minor: 3).prefix(20)), .closed),
]

@Test(arguments: strangers.indices)
func aPeerThatIsNoTLSServerIsRefused(_ row: Int) throws {
  let (name, bytes, kind) = strangers[row]
  let client = try TLSPeer.client()
  #expect(try client.handshake() == .wantsCiphertext)
  client.feed(bytes)
  client.feedEnd()
  let failure = try #require(throws: TLSFailure.self) { _ = try client.handshake() }
  #expect(failure.kind == kind, "\(name): \(failure)")
  #expect(throws: failure) { _ = try client.handshake() }
}

@Test(arguments: [
  "", ".", "..", ".assets.test", "assets..test", "a\0b", "ä.test", "a b", "1.2.3", "256.1.1.1",
  "::g", "[]", "[assets.test]", "assets.test:443", "*.wild.test",
  String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "a",
])
func whatIsNoHostIsRefused(_ host: String) throws {
  let failure = #expect(throws: TLSFailure.self) { try TLSPeer.client(to: host) }
  #expect(failure?.kind == .configuration)
}

@Test(arguments: [
  "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  Certificates.authority + "-----BEGIN CERTIFICATE-----\nAA", Certificates.key,
])
func authoritiesMustBeCertificates(_ text: String) {
  let failure = #expect(throws: TLSFailure.self) {
    _ = try TLSContext.client(additionalAuthorities: Array(text.utf8))
  }
  #expect(failure?.kind == .configuration)
}

@Test func aServersKeyMustFitItsCertificate() {
  let failure = #expect(throws: TLSFailure.self) {
    _ = try TLSContext.server(
      certificate: Array(Certificates.authority.utf8), key: Array(Certificates.key.utf8))
  }
  #expect(failure?.kind == .configuration)
}

/// What a client says first, in the clear.
private func clientHello(to host: String) throws -> [UInt8] {
  let client = try TLSPeer.client(to: host)
  #expect(try client.handshake() == .wantsCiphertext)
  return client.drained()
}

/// The server_name extension of a host name (RFC 6066 section 3).
private func serverName(_ name: String) -> [UInt8] {
  let count = UInt8(name.utf8.count)
  return [0, 0, 0, count + 5, 0, count + 3, 0, 0, count] + Array(name.utf8)
}

@Test func theClientNamesItsHostButNoAddress() throws {
  #expect(try clientHello(to: "assets.test").contains(serverName("assets.test")))
  #expect(try clientHello(to: "assets.test.").contains(serverName("assets.test")))
  #expect(try !clientHello(to: "127.0.0.1").contains(Array("127.0.0.1".utf8)))
  #expect(try !clientHello(to: "[::1]").contains(Array("::1".utf8)))
}

/// supported_versions (RFC 8446 section 4.2.1) and ALPN (RFC 7301 section 3.1).
@Test func theClientOffersNothingOlderOrOther() throws {
  let hello = try clientHello(to: "assets.test")
  #expect(hello.contains([0, 43, 0, 5, 4, 3, 4, 3, 3]), "TLS 1.3 and 1.2")
  #expect(hello.contains([0, 16, 0, 11, 0, 9, 8] + Array("http/1.1".utf8)))
}
