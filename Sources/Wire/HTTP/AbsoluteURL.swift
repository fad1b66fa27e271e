// Absolute http and https URLs (RFC 3986), for fetching and for redirects. Split in place: path and
// query are kept byte for byte, because they may be signed.

/// Where the parts of an http or https URL stand in its bytes.
public struct AbsoluteURL: Sendable {
  /// The schemes that can be fetched.
  public enum Scheme: UInt8, Sendable {
    case http, https

    /// The port when the URL names none.
    public var defaultPort: UInt16 { self == .https ? 443 : 80 }

    /// The scheme as text.
    public var text: StaticString { self == .https ? "https" : "http" }
  }

  /// Why a URL is refused.
  public enum Failure: Error, Sendable, CaseIterable {
    /// Another scheme, or no `://`.
    case badScheme
    /// A host that is empty, has an empty label (`a..b`), or holds other characters than letters,
    /// digits, `-._~`; an international name must come in its ASCII form.
    case badHost
    /// A host that resolvers would read as an IPv4 address although it is not written as one.
    case ambiguousAddress
    /// A port that is none, or 0.
    case badPort
    /// A character that is not visible ASCII, or a backslash.
    case badCharacter
    /// More than `maxLength` bytes.
    case tooLong
  }

  /// How many bytes a URL may have; signed URLs of object stores reach 2,000.
  public static var maxLength: Int { 8192 }

  /// The scheme.
  public let scheme: Scheme
  /// Where the host stands, as written; an IPv6 address without its brackets.
  public let host: Range<Int>
  /// The host as an address, when it is one.
  public let address: IPAddress?
  /// The port, also when it is the scheme's own.
  public let port: UInt16
  /// Where path and query stand, the fragment left out; may be empty (`/` is meant) or start with
  /// `?` (`/?` is meant).
  public let pathAndQuery: Range<Int>
  /// Whether there is a name or password before the host; it is never used.
  public let hasUserInfo: Bool

  /// Splits a URL.
  public init(_ text: Span<UInt8>) throws(Failure) {
    guard text.count <= Self.maxLength else { throw .tooLong }
    for index in text.indices where text[index] < 0x21 || text[index] > 0x7E {
      throw .badCharacter
    }
    let start: Int
    (scheme, start) = try Self.scheme(text)
    var end = start
    while end < text.count, !Self.endsAuthority(text[end]) { end += 1 }
    // The last `@` ends the user information: `http://a@b@c` is a request to c.
    var authority = start..<end
    var at: Int?
    for index in authority where text[index] == 0x40 { at = index }
    hasUserInfo = at != nil
    if let at { authority = at + 1..<end }
    (host, address, port) = try Self.authority(text, authority, scheme)
    var stop = end
    while stop < text.count, text[stop] != 0x23 {
      if text[stop] == 0x5C { throw .badCharacter }
      stop += 1
    }
    pathAndQuery = end..<stop
  }

  private static func scheme(_ text: Span<UInt8>) throws(Failure) -> (Scheme, Int) {
    if text.count >= 8, ByteScan.equalsIgnoringCase(text, 0..<8, "https://") { return (.https, 8) }
    if text.count >= 7, ByteScan.equalsIgnoringCase(text, 0..<7, "http://") { return (.http, 7) }
    throw .badScheme
  }

  /// Browsers end the authority at a backslash too; what follows is refused then.
  private static func endsAuthority(_ byte: UInt8) -> Bool {
    byte == 0x2F || byte == 0x3F || byte == 0x23 || byte == 0x5C
  }

  private static func authority(
    _ text: Span<UInt8>, _ range: Range<Int>, _ scheme: Scheme
  ) throws(Failure) -> (Range<Int>, IPAddress?, UInt16) {
    guard let hostEnd = HostSyntax.endOfHost(text, range), hostEnd > range.lowerBound else {
      throw .badHost
    }
    var port = scheme.defaultPort
    if hostEnd < range.upperBound {
      guard text[hostEnd] == 0x3A else { throw .badHost }
      let digits = hostEnd + 1..<range.upperBound
      if !digits.isEmpty {  // an empty port is the scheme's own (RFC 3986 §3.2.3)
        guard let number = HostSyntax.port(text, digits), number > 0 else { throw .badPort }
        port = number
      }
    }
    if text[range.lowerBound] == 0x5B {
      let host = range.lowerBound + 1..<hostEnd - 1
      guard let address = IPAddress(text, host), case .v6 = address else { throw .badHost }
      return (host, address, port)
    }
    let host = range.lowerBound..<hostEnd
    let address = IPAddress(text, host)
    guard HostSyntax.hasWholeLabels(text, host) else { throw .badHost }
    if address == nil, IPAddress.endsInNumber(text.extracting(host)) { throw .ambiguousAddress }
    return (host, address, port)
  }

  /// The host in lowercase without a trailing dot, for comparing and resolving. Allocates.
  public func normalizedHost(in text: Span<UInt8>) -> [UInt8] {
    var bytes = host.map { text[$0].lowercased }
    if bytes.last == 0x2E { bytes.removeLast() }
    return bytes
  }

  /// `scheme://host[:port]`, normalized; the port only when it is not the scheme's own. Two URLs
  /// are of one origin when these bytes are equal (RFC 6454 §4). Allocates.
  public func origin(in text: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = scheme == .https ? Array("https://".utf8) : Array("http://".utf8)
    let name = normalizedHost(in: text)
    if case .v6? = address { bytes += [0x5B] + name + [0x5D] } else { bytes += name }
    if port != scheme.defaultPort { bytes += Array(":\(port)".utf8) }
    return bytes
  }
}
