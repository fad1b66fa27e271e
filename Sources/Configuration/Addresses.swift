// Addresses as the configuration spells them.

/// An address and port to listen on.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// The address; an unspecified one (`0.0.0.0`, `[::]`) listens on all.
  public var address: IPAddress
  /// The port; 0 asks the system for a free one.
  public var port: UInt16

  /// An address and port.
  public init(_ address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080` (127.0.0.1).
  public init?(_ text: String) {
    guard let (host, port) = splitPort(text), let port else { return nil }
    if let address = IPAddress(host) {
      self.init(address, port: port)
    } else if host == "localhost" {
      self.init(IPAddress(127, 0, 0, 1), port: port)
    } else {
      return nil
    }
  }

  /// `127.0.0.1:8080` or `[::1]:8080`.
  public var description: String {
    address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

/// An absolute http(s) URL without user, query and fragment, onto which paths are put.
public struct BaseURL: Hashable, Sendable, CustomStringConvertible {
  /// Whether the scheme is https.
  public let isSecure: Bool
  /// The host in lower case; an IPv6 address without its brackets.
  public let host: String
  /// The port, the scheme's own when none is written.
  public let port: UInt16
  /// The path without a slash at its end: empty, or `/` and more.
  public let path: String

  /// Reads a URL; a scheme's own port and a slash at the end are dropped.
  public init?(_ text: String) {
    let rest: Substring
    if text.lowercased().hasPrefix("https://") {
      (isSecure, rest) = (true, text.dropFirst(8))
    } else if text.lowercased().hasPrefix("http://") {
      (isSecure, rest) = (false, text.dropFirst(7))
    } else {
      return nil
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    guard let (host, port) = splitPort(String(rest[..<slash])), port != 0,
      IPAddress(host) != nil || isHostName(host)
    else { return nil }
    self.host = IPAddress(host)?.description ?? host.lowercased()
    self.port = port ?? (isSecure ? 443 : 80)
    var path = rest[slash...]
    while path.hasSuffix("/") { path = path.dropLast() }
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.notInPath.contains($0) }) else {
      return nil
    }
    self.path = String(path)
  }

  private static let notInPath = Array(#"?#"<>\^`{|}"#.utf8)

  /// `https://host[:port]`: the port only when it is not the scheme's own (RFC 6454 §6.2).
  public var origin: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    let isUsual = port == (isSecure ? 443 : 80)
    return (isSecure ? "https://" : "http://") + shown + (isUsual ? "" : ":\(port)")
  }

  /// The URL without a slash at its end.
  public var description: String { origin + path }
}

/// One exception to the address guard for fetched URLs: a target, and a port when not 80 or 443.
public struct FetchRule: Hashable, Sendable, CustomStringConvertible {
  /// What the rule lets through.
  public enum Target: Hashable, Sendable {
    /// This host name, in lower case.
    case host(String)
    /// Every name that ends in `.` and this suffix, in lower case.
    case suffix(String)
    /// Every address of this network.
    case network(Network)
  }

  /// What the rule lets through.
  public let target: Target
  /// The one port it lets through; nil: 80 and 443.
  public let port: UInt16?

  /// Reads `host`, `*.suffix`, an address or a network, each with an optional `:port`; IPv6 with a
  /// port stands in brackets: `[fd00::/8]:8080`.
  public init?(_ text: String) {
    if let network = parseNetwork(text) {
      (target, port) = (.network(network), nil)
      return
    }
    guard let (host, port) = splitPort(text), port != 0 else { return nil }
    self.port = port
    if let network = parseNetwork(host) {
      target = .network(network)
    } else if host.hasPrefix("*."), isHostName(String(host.dropFirst(2))) {
      target = .suffix(host.dropFirst(2).lowercased())
    } else if isHostName(host) {
      target = .host(host.lowercased())
    } else {
      return nil
    }
  }

  /// The rule as the configuration spells it.
  public var description: String {
    let suffix = port.map { ":\($0)" } ?? ""
    switch target {
    case .host(let name): return name + suffix
    case .suffix(let name): return "*." + name + suffix
    case .network(let network):
      let isBracketed = port != nil && !network.address.isIPv4
      return (isBracketed ? "[\(network)]" : "\(network)") + suffix
    }
  }
}

/// `10.0.0.0/8`, `fd00::/8` or one address; nil too when bits beyond the prefix are set.
func parseNetwork(_ text: String) -> Network? {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
  guard parts.count == 2 else { return Network(address, prefix: address.isIPv4 ? 32 : 128) }
  let digits = parts[1].utf8
  guard (1...3).contains(digits.count), digits.allSatisfy(\.isDigit),
    let prefix = Int(parts[1]), let network = Network(address, prefix: prefix),
    address.isAligned(to: prefix)
  else { return nil }
  return network
}

/// Splits `host:port` and `[v6]:port`; the port is nil when none is written, and the whole is nil
/// when it is not a port or brackets are missing.
private func splitPort(_ text: String) -> (host: String, port: UInt16?)? {
  var host = text[...]
  var port: Substring?
  if text.hasPrefix("[") {
    guard let close = text.firstIndex(of: "]") else { return nil }
    host = text[text.index(after: text.startIndex)..<close]
    guard host.contains(":") else { return nil }
    let rest = text[text.index(after: close)...]
    guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
    port = rest.isEmpty ? nil : rest.dropFirst()
  } else if let colon = text.firstIndex(of: ":") {
    host = text[..<colon]
    port = text[text.index(after: colon)...]
  }
  guard let port else { return (String(host), nil) }
  guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy(\.isDigit),
    let number = UInt16(port)
  else { return nil }
  return (String(host), number)
}

/// A DNS name (RFC 1123 §2.1, `_` tolerated) that no one can mistake for an address.
func isHostName(_ text: String) -> Bool {
  let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isDigit) else {
    return false
  }
  return labels.allSatisfy { label in
    (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
      && label.last != UInt8(ascii: "-")
      && label.allSatisfy {
        $0.isDigit || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2D || $0 == 0x5F
      }
  }
}
