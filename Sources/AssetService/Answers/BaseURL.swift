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
    var scheme = "http"
    var authority = request.authority.map(settings.withRealPort) ?? settings.fallback
    var prefix = ""
    if settings.trusts(request.peer) {
      let forwarded = ForwardedRequest(
        request.head.fields, in: bytes.span, isTrusted: { settings.trusts($0) })
      if forwarded.isSecure == true { scheme = "https" }
      if let range = forwarded.host { authority = String(decoding: bytes[range], as: UTF8.self) }
      if let range = forwarded.prefix { prefix = String(decoding: bytes[range], as: UTF8.self) }
    }
    api = "\(scheme)://\(authority)\(prefix)"
    delivery = settings.publicURL ?? api
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

  /// The first address of `listen`, as configured: for a service that does not listen.
  var configured: ListenAddress?

  /// What HTTP/1.0 without Host gets: the first address that the service listens at, or would. All
  /// addresses at once (0.0.0.0, ::) are none that a client can ask: loopback is among them.
  var fallback: String {
    var text = state.addresses.first.map { String($0.dropFirst("http://".count)) }
    if text == nil, let configured {
      text = configured.port == 0 ? "\(configured)".droppingPort : "\(configured)"
    }
    guard let text else { return "127.0.0.1" }
    for (all, one) in [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")] where text.hasPrefix(all) {
      return one + text.dropFirst(all.count)
    }
    return text
  }

  /// No one can be asked at port 0: it stands for the port that the system chose.
  func withRealPort(_ authority: String) -> String {
    guard authority.hasSuffix(":0") else { return authority }
    let real = fallback
    return authority.droppingPort + real.dropFirst(real.droppingPort.count)
  }

  /// Who sends a request: the peer, or whom trusted proxies name; `nil` on a local socket.
  func client(of request: Request) -> Wire.IPAddress? {
    let bytes = request.bytes
    if trusts(request.peer) {
      let forwarded = ForwardedRequest(
        request.head.fields, in: bytes.span, isTrusted: { trusts($0) })
      if let client = forwarded.client { return client }
    }
    let peer = request.peer.addressBytes
    return Wire.IPAddress(networkOrder: peer.span)?.unmapped
  }

  /// The address of the client that trusted proxies name; `nil` when the peer is none of them, or
  /// names nobody.
  func client(
    of head: borrowing RequestHead, _ bytes: Span<UInt8>, through peer: Peer
  ) -> String? {
    guard trusts(peer) else { return nil }
    let forwarded = ForwardedRequest(head.fields, in: bytes, isTrusted: { trusts($0) })
    return forwarded.client.flatMap { Self.known($0)?.description }
  }

  func trusts(_ peer: Peer) -> Bool {
    guard !trustedProxies.isEmpty else { return false }
    return trusts(peer.addressBytes)
  }

  func trusts(_ address: Wire.IPAddress) -> Bool {
    Self.known(address).map { trusts($0) } ?? false
  }

  private func trusts(_ bytes: [UInt8]) -> Bool {
    Configuration.IPAddress(bytes: bytes.span).map { trusts($0) } ?? false
  }

  private func trusts(_ address: Configuration.IPAddress) -> Bool {
    trustedProxies.contains { $0.contains(address) }
  }

  private static func known(_ address: Wire.IPAddress) -> Configuration.IPAddress? {
    let bytes =
      switch address {
      case .v4(let bits): (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
      case .v6(let high, let low):
        [high, low].flatMap { half in
          (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
        }
      }
    return Configuration.IPAddress(bytes: bytes.span)
  }
}

extension String {
  /// An authority's host; the brackets of an IPv6 address stay.
  fileprivate var droppingPort: String {
    guard let colon = lastIndex(of: ":"), !self[colon...].contains("]") else { return self }
    return String(self[..<colon])
  }
}
