// Where no key is asked for (API.md §2, A9). A page in the operator's browser can reach loopback:
// it must not spend money or delete. Its requests carry a foreign Host (DNS rebinding), a foreign
// Origin, a Sec-Fetch-Site that says so, or a content type that a form can send (`BodyLabel`).
internal import Configuration
internal import HTTPServer
internal import Wire

/// What a request must look like in open mode.
struct OpenMode {
  /// The host of `public_url`, in lower case: answered to beside those of loopback.
  let publicHost: String?
  /// `cors_origins`: their pages may call.
  let corsOrigins: [String]

  /// - Throws: 403 for a host that is not this machine's, and for a web page.
  func check(_ request: Request) throws(Failure) {
    guard isOurHost(request) else {
      throw Failure(
        403, .permission, "host_not_allowed",
        "Without keys, only this machine's own names are answered; use http://127.0.0.1.")
    }
    // What a page asks for with these it may not read, and they change nothing.
    guard request.head.method != .get, request.head.method != .head else { return }
    guard isFromNamedPage(request) || isFromNoForeignPage(request) else {
      throw Failure(
        403, .permission, "origin_not_allowed", "Web pages of other origins may not do this.")
    }
  }

  private func isOurHost(_ request: Request) -> Bool {
    guard let authority = request.authority else { return !request.head.isHTTP11 }
    return isOurs(Self.hostName(authority))
  }

  private func isOurs(_ host: String) -> Bool {
    if host == "localhost" || host.hasSuffix(".localhost") || host == publicHost { return true }
    return Configuration.IPAddress(host)?.isLoopback ?? false
  }

  private func isFromNamedPage(_ request: Request) -> Bool {
    guard let origin = request.value(of: .origin) else { return false }
    return corsOrigins.contains { $0 == "*" || $0 == origin }
  }

  /// Programs send neither field; of a browser's requests, those of our own pages pass. A field
  /// that is there twice comes from no browser, and is believed in neither spelling.
  private func isFromNoForeignPage(_ request: Request) -> Bool {
    if request.head.fields.contains(.secFetchSite) {
      let site = request.value(of: .secFetchSite)
      guard site == "same-origin" || site == "none" else { return false }
    }
    guard request.head.fields.contains(.origin) else { return true }
    return isOurOrigin(request.value(of: .origin) ?? "", asked: request.authority)
  }

  /// Another port is another origin: a page of another program on this machine is foreign, too.
  private func isOurOrigin(_ origin: String, asked authority: String?) -> Bool {
    let origin = origin.lowercased()
    for (scheme, port) in [("http://", ":80"), ("https://", ":443")]
    where origin.hasPrefix(scheme) {
      let place = origin.dropFirst(scheme.count)
      guard isOurs(Self.hostName(String(place))) else { return false }
      if Self.hostName(String(place)) == publicHost { return true }
      guard let asked = authority?.lowercased() else { return false }
      // An origin never names its scheme's own port (RFC 6454 §6.2); a Host field may.
      return place == asked || place + port == asked
    }
    return false
  }

  /// The host of `host:port`, in lower case, without the brackets of an IPv6 address.
  private static func hostName(_ authority: String) -> String {
    let text = authority.lowercased()
    if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
    return String(text.prefix { $0 != ":" })
  }
}

extension Request {
  /// The host and port that the client asked for, as it wrote them.
  var authority: String? {
    head.authority.map { String(decoding: bytes[$0], as: UTF8.self) }
  }
}
