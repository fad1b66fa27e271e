// What absolute URLs are built on (API.md §1). Two bases: the API's own (for `Location`), and the
// one of delivery URLs, which `public_url` may set.
internal import Configuration
internal import HTTPServer
internal import Net
internal import Wire

/// The bases of one request's answers, without a slash at their end.
struct Bases {
  /// The API's own.
  let api: String
  /// That of delivery URLs.
  let delivery: String

  init(_ request: Request, _ settings: BaseSettings) {
    let bytes = request.bytes
    let head = request.head
    let host = Self.host(head, bytes)
    var scheme = "http"
    var authority = host
    var prefix = ""
    if settings.trusts(request.peer) {
      let forwarded = ForwardedRequest(
        head.fields, in: bytes.span, isTrusted: { settings.trusts($0) })
      if forwarded.isSecure == true { scheme = "https" }
      if let range = forwarded.host { authority = String(decoding: bytes[range], as: UTF8.self) }
      if let range = forwarded.prefix { prefix = String(decoding: bytes[range], as: UTF8.self) }
    }
    api = "\(scheme)://\(authority.isEmpty ? settings.fallback : authority)\(prefix)"
    delivery = settings.publicURL ?? api
  }

  /// The target's own authority wins over Host (RFC 9112 §3.2.2).
  private static func host(_ head: RequestHead, _ bytes: [UInt8]) -> String {
    let range = head.target.authority ?? head.fields.soleValue(of: .host)
    return range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
  }
}

/// The part of the configuration that bases come from.
struct BaseSettings: Sendable {
  /// `public_url`.
  let publicURL: String?
  /// `trusted_proxies`.
  let trustedProxies: [Configuration.Network]
  /// Knows the real ports.
  let state: ServiceState

  /// What HTTP/1.0 without Host gets: the first address that the service listens at.
  var fallback: String {
    String((state.addresses.first ?? "http://127.0.0.1").dropFirst("http://".count))
  }

  func trusts(_ peer: Peer) -> Bool {
    guard !trustedProxies.isEmpty else { return false }
    return trusts(peer.addressBytes)
  }

  func trusts(_ address: Wire.IPAddress) -> Bool {
    switch address {
    case .v4(let bits): trusts((0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) })
    case .v6(let high, let low):
      trusts(
        [high, low].flatMap { half in
          (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
        })
    }
  }

  private func trusts(_ bytes: [UInt8]) -> Bool {
    guard let address = Configuration.IPAddress(bytes: bytes.span) else { return false }
    return trustedProxies.contains { $0.contains(address) }
  }
}
