internal import COpenSSL

/// Whom a client means to reach: what the certificate must be for, and the name it asks for (SNI).
struct TLSHost {
  private let text: String
  private let isAddress: Bool

  /// Takes a DNS name (one trailing dot is dropped) or an address (brackets are dropped).
  ///
  /// Strict, because libssl takes an empty name for "any" and a leading dot for "any below".
  init(_ host: String) throws(TLSFailure) {
    var bytes = Array(host.utf8)
    let isBracketed = bytes.first == UInt8(ascii: "[") && bytes.last == UInt8(ascii: "]")
    if isBracketed {
      bytes = Array(bytes.dropFirst().dropLast())
    } else if bytes.last == UInt8(ascii: ".") {
      bytes.removeLast()
    }
    let isAddress =
      isBracketed || bytes.contains(UInt8(ascii: ":"))
      || bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    guard bytes.count <= 253, isAddress || TLSHost.isName(bytes) else {
      throw TLSFailure(.configuration, "not a host name")
    }
    text = String(decoding: bytes, as: UTF8.self)
    self.isAddress = isAddress
    guard !isAddress || TLSHost.isAddress(text) else {
      throw TLSFailure(.configuration, "not an address")
    }
  }

  /// Makes `session` verify the peer as this host and ask for it.
  ///
  /// A name in the certificate's subject does not count (RFC 9525 section 2), and a wildcard is a
  /// whole label.
  func bind(to session: OpaquePointer) {
    let parameters = unsafe SSL_get0_param(session)
    let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
    unsafe SSL_set_hostflags(session, UInt32(flags))
    let bound =
      isAddress
      ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, text) == 1
      : unsafe SSL_set1_host(session, text) == 1 && copenssl_set_server_name(session, text) == 1
    // Without it any certificate would do; the text was checked, so only memory can be short.
    precondition(bound, "the host could not be bound to the session")
  }

  private static func isName(_ bytes: [UInt8]) -> Bool {
    let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return labels.allSatisfy { label in
      (1...63).contains(label.count)
        && label.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
          default: false
          }
        }
    }
  }

  private static func isAddress(_ text: String) -> Bool {
    guard !text.utf8.contains(0), let octets = unsafe a2i_IPADDRESS(text) else {
      ERR_clear_error()
      return false
    }
    unsafe ASN1_OCTET_STRING_free(octets)
    return true
  }
}
