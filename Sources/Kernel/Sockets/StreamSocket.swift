// Stream sockets: non-blocking, close-on-exec, and nothing about what travels through them.
internal import CLinux

/// A connected, listening or connecting stream socket that owns its descriptor.
public struct StreamSocket: ~Copyable, Sendable {
  /// The descriptor.
  public let descriptor: OwnedFileDescriptor

  /// Takes ownership of a socket's descriptor.
  public init(owning descriptor: consuming OwnedFileDescriptor) { self.descriptor = descriptor }

  /// The descriptor's number.
  public var number: Int32 { descriptor.number }

  /// How a listener holds its port.
  public enum PortSharing: Sendable {
    /// Alone.
    case none
    /// Alone at first, so that another process on the port is an error and not a silent partner;
    /// the `further` ones of this user may join.
    case first
    /// With the one that was first (SO_REUSEPORT).
    case further
  }

  /// Opens a listener (socket(7), tcp(7)); `backlog` connections may wait.
  ///
  /// TCP_NODELAY is inherited by what it accepts.
  public static func listen(
    on address: SocketAddress, sharing: PortSharing = .none, backlog: Int32 = 4096
  ) throws(Errno) -> StreamSocket {
    let socket = try open(address)
    switch address.form {
    case .path:
      // The mode of the name that bind makes (unix(7)): its owner's alone.
      let number = socket.number
      try performBlocking(.fchmod) { Int(fchmod(number, 0o600)) }
    default:
      try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
      if sharing == .further { try socket.set(SOL_SOCKET, SO_REUSEPORT, 1) }
      try socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
      if case .v6 = address.form { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    }
    let number = socket.number
    try performBlocking(.bind) {
      unsafe Int(address.withSockaddr { unsafe CLinux.bind(number, $0, $1) })
    }
    try performBlocking(.listen) { Int(CLinux.listen(number, backlog)) }
    // Only now: before listen(2) has settled whose port it is, another process could do the same.
    if sharing == .first { try socket.set(SOL_SOCKET, SO_REUSEPORT, 1) }
    return socket
  }

  /// Starts to connect; whether it did is known when the socket is writable (`pendingError`).
  public static func connect(to address: SocketAddress) throws(Errno) -> StreamSocket {
    let socket = try open(address)
    if case .path = address.form {} else { try socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
    let number = socket.number
    do throws(Errno) {
      // EAGAIN is an error here: a local listener's queue is full (connect(2)).
      try performBlocking(.connect) {
        unsafe Int(address.withSockaddr { unsafe CLinux.connect(number, $0, $1) })
      }
    } catch  where error.code == EINPROGRESS {
      return socket
    }
    return socket
  }

  /// Takes a local socket's name away that an ended process left behind; a name that is listened on
  /// is EADDRINUSE, and other endpoints have none.
  public static func clearStaleName(of address: SocketAddress) throws(Errno) {
    guard case .path(let path) = address.form else { return }
    do throws(Errno) {
      _ = try connect(to: address)
    } catch {
      switch error.code {
      case ENOENT: return
      case ECONNREFUSED:
        // connect(2) says the same of a file that is no socket: that one is not ours.
        var status = stat()
        try performBlocking(.fstat) { unsafe Int(lstat(path, &status)) }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK) else {
          throw Errno(.bind, code: EADDRINUSE)
        }
        try performBlocking(.unlinkat) { unsafe Int(unlinkat(AT_FDCWD, path, 0)) }
        return
      default: throw error
      }
    }
    throw Errno(.bind, code: EADDRINUSE)
  }

  private static func open(_ address: SocketAddress) throws(Errno) -> StreamSocket {
    let family: Int32
    switch address.form {
    case .v4: family = AF_INET
    case .v6: family = AF_INET6
    case .path(let path):
      guard path.utf8.count <= 107 else { throw Errno(.bind, code: ENAMETOOLONG) }
      family = AF_UNIX
    }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = try performBlocking(.socket) { Int(CLinux.socket(family, type, 0)) }
    return StreamSocket(owning: OwnedFileDescriptor(owning: Int32(number)))
  }

  /// Accepts one connection, or `nil` when none waits; its address comes along.
  public func accept(_ peer: inout SocketAddress) throws(Errno) -> StreamSocket? {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let listener = number
    let accepted = try perform(.accept) {
      unsafe withUnsafeMutablePointer(to: &storage) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe Int(clinux_accept4(listener, $0, &size, flags))
        }
      }
    }
    guard let accepted else { return nil }
    peer = SocketAddress(storage)
    return StreamSocket(owning: OwnedFileDescriptor(owning: Int32(accepted)))
  }

  /// Receives into the free end of `output`: the count, 0 at the peer's end, `nil` when none waits.
  @inline(__always)
  public func receive(into output: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
    let number = self.number
    var failure: Errno?
    let count: Int? = unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
      do throws(Errno) {
        guard let base = buffer.baseAddress else { return 0 }
        let start = unsafe UnsafeMutableRawPointer(base) + initialized
        let room = buffer.count - initialized
        let count = try perform(.recv) { unsafe CLinux.recv(number, start, room, 0) }
        initialized += count ?? 0
        return count
      } catch {
        failure = error
        return nil
      }
    }
    if let failure { throw failure }
    return count
  }

  /// Sends; the count taken, or `nil` when the buffer is full. `more` holds the last segment back
  /// for what follows (MSG_MORE).
  @inline(__always)
  public func send(_ bytes: Span<UInt8>, more: Bool) throws(Errno) -> Int? {
    let number = self.number
    let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
    return try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
      try perform(.send) { unsafe CLinux.send(number, buffer.baseAddress, buffer.count, flags) }
    }
  }

  /// Sends `count` bytes of a file from `offset`; the count taken, `nil` when the buffer is full.
  @inline(__always)
  public func send(
    file: Int32, offset: Int64, count: Int
  ) throws(Errno) -> Int? {
    let number = self.number
    var position = off_t(offset)
    return try perform(.sendfile) { unsafe sendfile(number, file, &position, count) }
  }

  /// Ends our half; the peer reads to the end (shutdown(2)).
  public func finishSending() throws(Errno) {
    let number = self.number
    try performBlocking(.shutdown) { Int(shutdown(number, Int32(SHUT_WR))) }
  }

  /// From here on there is room to send only while fewer bytes wait for the peer's window
  /// (TCP_NOTSENT_LOWAT, tcp(7)).
  public func limitUnsent(to bytes: Int32) throws(Errno) {
    try set(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, bytes)
  }

  /// Makes closing forget what the peer has not taken (SO_LINGER of zero, socket(7)): the peer gets
  /// a reset, and the kernel does not go on offering it bytes that it never reads.
  public func forgetWhenClosed() throws(Errno) {
    var none = linger(l_onoff: 1, l_linger: 0)
    let number = self.number
    try performBlocking(.setsockopt) {
      unsafe Int(
        setsockopt(number, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size)))
    }
  }

  /// What was sent and is not acknowledged yet, in bytes (SIOCOUTQ, tcp(7)).
  public func unacknowledgedBytes() throws(Errno) -> Int {
    let number = self.number
    return try performBlocking(.ioctl) { Int(clinux_unacknowledged(number)) }
  }

  /// The error that a finished connect left, or `nil` (SO_ERROR).
  public func pendingError() throws(Errno) -> Errno? {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let number = self.number
    try performBlocking(.getsockopt) {
      unsafe Int(getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size))
    }
    return code == 0 ? nil : Errno(.connect, code: code)
  }

  /// The address that it is bound to: the real port when 0 was asked.
  public func localAddress() throws(Errno) -> SocketAddress {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let number = self.number
    try performBlocking(.getsockname) {
      unsafe withUnsafeMutablePointer(to: &storage) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe Int(getsockname(number, $0, &size))
        }
      }
    }
    return SocketAddress(storage)
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(Errno) {
    var value = value
    let number = self.number
    try performBlocking(.setsockopt) {
      unsafe Int(setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)))
    }
  }
}
