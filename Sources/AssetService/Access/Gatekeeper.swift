// Who is calling (API.md §2): the admin socket's owner, a key, or in open mode anyone on this
// machine who is no web page.
internal import Configuration
internal import Crypto
internal import Foundation
internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// Authenticates the calls of the API; one per loop.
final class Gatekeeper {
  private let mode: Settings.Auth.Mode
  private let bootstrapKey: Digest?
  /// Hosts that open mode answers to beside loopback: that of `public_url`.
  private let publicHost: String?
  private let corsOrigins: [String]
  private let reader: CatalogReader

  init(_ settings: Settings, reader: CatalogReader) {
    mode = settings.auth.mode
    bootstrapKey = settings.auth.bootstrapKey.secret.map { Self.digest(of: $0.value) }
    publicHost = settings.publicURL?.host
    corsOrigins = settings.corsOrigins
    self.reader = reader
  }

  /// The caller of a request.
  ///
  /// - Throws: 401 without a good key, 403 for a web page in open mode.
  func caller(of request: Request) throws -> Caller {
    if request.peer.isLocalSocket { return .operatorOnSocket }
    switch mode {
    case .open:
      try refuseWebPages(request)
      return .open
    case .keys:
      return try callerWithKey(request)
    }
  }

  // MARK: Keys

  private func callerWithKey(_ request: Request) throws -> Caller {
    guard let text = request.value(of: .authorization), let key = Self.bearer(text) else {
      throw Failure(
        401, .authentication, "missing_api_key",
        "A key is needed: send \"Authorization: Bearer <key>\".")
    }
    let digest = Self.digest(of: key)
    if let bootstrapKey, bootstrapKey == digest {
      return Caller(owner: .bootstrap, scopes: Set(AccessKey.Scope.allCases), key: nil)
    }
    guard let found = try reader.key(digest) else {
      throw Failure(401, .authentication, "invalid_api_key", "This key is not known, or revoked.")
    }
    return Caller(owner: found.owner, scopes: found.scopes, key: found)
  }

  private static func bearer(_ value: String) -> String? {
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let key = parts[1].trimmingCharacters(in: .whitespaces)
    return key.isEmpty ? nil : key
  }

  /// Keys are random and long: a plain digest hides them, and comparing digests tells nothing.
  static func digest(of key: String) -> Digest {
    var hash = SHA256()
    hash.update(key.utf8.span)
    return hash.finalize()
  }

  // MARK: Open mode

  /// A page in the operator's browser can reach loopback: it must not spend money or delete
  /// (A9). Its requests carry a foreign Host (DNS rebinding), a foreign Origin, or a content type
  /// that a form can send.
  private func refuseWebPages(_ request: Request) throws(Failure) {
    guard isOurHost(request) else {
      throw Failure(
        403, .permission, "host_not_allowed",
        "Without keys, only this machine's own names are answered; use http://127.0.0.1.")
    }
    guard request.head.method != .get, request.head.method != .head else { return }
    guard isOurOrigin(request) else {
      throw Failure(
        403, .permission, "origin_not_allowed", "Web pages of other origins may not do this.")
    }
    guard hasSafeContentType(request) else {
      throw Failure(
        415, .invalidRequest, "unsupported_content_type",
        "Send JSON, multipart/form-data or an image, and say so in Content-Type.")
    }
  }

  private func isOurHost(_ request: Request) -> Bool {
    let range = request.head.target.authority ?? request.head.fields.soleValue(of: .host)
    guard let range else { return !request.head.isHTTP11 }
    let host = Self.hostName(String(decoding: request.bytes[range], as: UTF8.self))
    if host == "localhost" || host.hasSuffix(".localhost") || host == publicHost { return true }
    return Configuration.IPAddress(host)?.isLoopback ?? false
  }

  private func isOurOrigin(_ request: Request) -> Bool {
    guard let origin = request.value(of: .origin) else { return true }
    if corsOrigins.contains(origin) || corsOrigins.contains("*") { return true }
    guard let slashes = origin.range(of: "://") else { return false }
    // Another port is another origin: a page of another program on this machine is foreign, too.
    let authority = origin[slashes.upperBound...].lowercased()
    return authority == request.value(of: .host)?.lowercased()
      || Self.hostName(authority) == publicHost
  }

  private func hasSafeContentType(_ request: Request) -> Bool {
    guard let value = request.value(of: .contentType) else {
      return request.head.body == .none || request.head.body == .length(0)
    }
    let bytes = Array(value.utf8)
    guard let type = ContentType(bytes.span) else { return false }
    return type.matches("application/json", in: bytes.span)
      || type.matches("application/octet-stream", in: bytes.span)
      || type.matches("multipart/form-data", in: bytes.span)
      || type.hasType("image", in: bytes.span)
  }

  /// The host of `host:port`, in lower case, without the brackets of an IPv6 address.
  private static func hostName(_ authority: String) -> String {
    let text = authority.lowercased()
    if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
    return String(text.prefix { $0 != ":" })
  }
}

extension Owner {
  /// The holder of the key that `auth.bootstrap_key_env` names.
  static let bootstrap = Owner("bootstrap") ?? .local
}
