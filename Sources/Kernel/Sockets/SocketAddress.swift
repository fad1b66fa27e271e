internal import CLinux

/// An endpoint of a stream socket: IPv4, IPv6 or a path in the file system (sockaddr_in, _in6,
/// _un).
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// The endpoint's form and parts.
  public enum Form: Sendable, Hashable {
    /// Four bytes in network order, and a port.
    case v4(UInt32, port: UInt16)
    /// Sixteen bytes in network order as two halves, and a port.
    case v6(UInt64, UInt64, port: UInt16)
    /// A path of at most 107 bytes (unix(7)).
    case path(String)
  }
  /// The endpoint.
  public let form: Form

  /// An endpoint from its parts.
  public init(_ form: Form) { self.form = form }

  /// Reads `127.0.0.1:8080` or `[::1]:8080`; `nil` for anything else (names are not resolved).
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...].utf8
    let host = text[..<colon]
    // UInt16("+80") is 80, and a C string ends at its first NUL: neither is an endpoint.
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }), !host.utf8.contains(0),
      let port = UInt16(Substring(digits))
    else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") {
      var bytes = in6_addr()
      guard unsafe inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &bytes) == 1 else {
        return nil
      }
      let (high, low) = unsafe withUnsafeBytes(of: &bytes) {
        unsafe ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self))
      }
      self.init(.v6(UInt64(bigEndian: high), UInt64(bigEndian: low), port: port))
    } else {
      var address = in_addr()
      guard unsafe inet_pton(AF_INET, String(host), &address) == 1 else { return nil }
      self.init(.v4(UInt32(bigEndian: address.s_addr), port: port))
    }
  }

  /// The port; 0 for a path.
  public var port: UInt16 {
    switch form {
    case .v4(_, let port), .v6(_, _, let port): port
    case .path: 0
    }
  }

  /// Whether only this machine can reach it: 127.0.0.0/8, ::1, or a path.
  public var isLoopback: Bool {
    switch form {
    case .v4(let address, _): address >> 24 == 127
    case .v6(let high, let low, _):
      high == 0 && (low == 1 || low >> 24 == 0xffff_7f)
    case .path: true
    }
  }

  /// The same endpoint with another port.
  public func with(port: UInt16) -> SocketAddress {
    switch form {
    case .v4(let address, _): SocketAddress(.v4(address, port: port))
    case .v6(let high, let low, _): SocketAddress(.v6(high, low, port: port))
    case .path: self
    }
  }

  /// The address without its port, as one number that tells addresses apart (caps per address).
  public var hostKey: UInt64 {
    switch form {
    case .v4(let address, _): UInt64(address)
    // One customer holds a /64 (RFC 6177): its addresses count as one.
    case .v6(let high, let low, _): high == 0 ? low : high
    case .path: 0
    }
  }

  /// `127.0.0.1:8080`, `[::1]:8080` or the path.
  public var description: String {
    switch form {
    case .path(let path): path
    case .v4(_, let port): "\(host):\(port)"
    case .v6(_, _, let port): "[\(host)]:\(port)"
    }
  }

  /// The address without port and brackets.
  public var host: String {
    switch form {
    case .path(let path): return path
    case .v4(let address, _):
      return [24, 16, 8, 0].map { String((address >> $0) & 255) }.joined(separator: ".")
    case .v6(let high, let low, _):
      var text = [CChar](repeating: 0, count: 64)
      var parts = (high.bigEndian, low.bigEndian)
      unsafe inet_ntop(AF_INET6, &parts, &text, socklen_t(text.count))
      return String(
        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}

extension SocketAddress {
  /// Calls `body` with the C form.
  func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var storage = sockaddr_storage()
    let size = fill(&storage)
    return unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, size) }
    }
  }

  private func fill(_ storage: inout sockaddr_storage) -> socklen_t {
    unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      switch form {
      case .v4(let address, let port):
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = address.bigEndian
        unsafe bytes.storeBytes(of: value, as: sockaddr_in.self)
        return socklen_t(MemoryLayout<sockaddr_in>.size)
      case .v6(let high, let low, let port):
        unsafe bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
        unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
        return socklen_t(MemoryLayout<sockaddr_in6>.size)
      case .path(let path):
        unsafe bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
        let text = Array(path.utf8.prefix(107))
        for (index, byte) in text.enumerated() {
          unsafe bytes.storeBytes(of: byte, toByteOffset: 2 + index, as: UInt8.self)
        }
        return socklen_t(2 + text.count + 1)
      }
    }
  }

  /// Reads the C form; an unknown family reads as an empty path.
  init(_ storage: sockaddr_storage) {
    var storage = storage
    let family = Int32(storage.ss_family)
    self = unsafe withUnsafeBytes(of: &storage) { bytes in
      let port = unsafe UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
      switch family {
      case AF_INET:
        let address = unsafe bytes.load(fromByteOffset: 4, as: UInt32.self)
        return SocketAddress(.v4(UInt32(bigEndian: address), port: port))
      case AF_INET6:
        let high = unsafe bytes.load(fromByteOffset: 8, as: UInt64.self)
        let low = unsafe bytes.load(fromByteOffset: 16, as: UInt64.self)
        return SocketAddress(
          .v6(UInt64(bigEndian: high), UInt64(bigEndian: low), port: port))
      default: return SocketAddress(.path(""))
      }
    }
  }
}
