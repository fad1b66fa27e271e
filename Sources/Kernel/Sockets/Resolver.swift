// Names to addresses by getaddrinfo(3), which reads /etc/hosts, resolv.conf and whatever else
// nsswitch.conf names. Not one system call but many, so it does not pass the seam.
internal import CLinux

/// Why a name has no address.
public struct ResolveFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// getaddrinfo's code (EAI_NONAME, EAI_AGAIN, …).
  public let code: Int32

  /// `Name or service not known`: gai_strerror(3).
  public var description: String { unsafe String(cString: gai_strerror(code)) }
}

/// Finds the addresses of a host.
public enum Resolver {
  /// How many addresses are taken of a name that has more.
  public static let addressLimit = 16

  /// The address that `host` spells: four decimal numbers, or IPv6 with or without brackets; `nil`
  /// for a name.
  public static func literal(_ host: String, port: UInt16) -> SocketAddress? {
    if host.utf8.contains(UInt8(ascii: ":")), !host.hasPrefix("[") {
      return SocketAddress("[\(host)]:\(port)")
    }
    return SocketAddress("\(host):\(port)")
  }

  /// The addresses of `host` in the order in which to try them (RFC 6724), never none.
  ///
  /// Blocks as long as resolv.conf allows, by default 10 s for each name server that is silent:
  /// call it on a thread that may wait.
  public static func addresses(
    of host: String, port: UInt16
  ) throws(ResolveFailure) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    // One entry an address, not one for each kind of socket.
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else { throw ResolveFailure(code: code) }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next, found.count < addressLimit {
      if let address = unsafe address(entry.pointee)?.with(port: port), !found.contains(address) {
        found.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    guard !found.isEmpty else { throw ResolveFailure(code: EAI_NONAME) }
    return found
  }

  private static func address(_ entry: addrinfo) -> SocketAddress? {
    guard let source = unsafe entry.ai_addr,
      unsafe entry.ai_family == AF_INET || entry.ai_family == AF_INET6,
      unsafe Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
    else { return nil }
    var storage = sockaddr_storage()
    unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      unsafe bytes.baseAddress?.copyMemory(from: source, byteCount: Int(entry.ai_addrlen))
    }
    return SocketAddress(storage)
  }
}
