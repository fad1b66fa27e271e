// A connected stream as its reader and writer see it: outcomes are values, and errors of the
// connection all mean the same (the peer is gone), so no call throws.
public import Kernel

/// An open file that a stream can send.
public typealias SendableFile = SharedFile

/// What a read came to.
public enum ReadOutcome: Sendable, Equatable {
  /// So many bytes were appended; 0 only through TLS (`ByteStream.read`).
  case bytes(Int)
  /// None wait; the channel is told when some do.
  case wouldBlock
  /// The peer ended its half.
  case end
  /// The connection is gone.
  case gone
}

/// What a write came to.
public enum WriteOutcome: Sendable, Equatable {
  /// So many bytes were taken, perhaps fewer than offered.
  case bytes(Int)
  /// The socket's buffer is full; the channel is told when there is room.
  case wouldBlock
  /// The connection is gone, or the file could not be read.
  case gone
}

/// The other end of a connection.
public struct Peer: Sendable {
  let address: SocketAddress

  init(_ address: SocketAddress) { self.address = address }

  /// A socket in the file system; its path has at most 107 bytes (unix(7)).
  public init(localSocket path: String) { address = SocketAddress(.path(path)) }

  /// The address without its port, as text.
  public var host: String { address.host }
  /// Whether it is this machine.
  public var isLoopback: Bool { address.isLoopback }
  /// A number that tells addresses apart; one IPv6 /64 counts as one.
  public var key: UInt64 { address.hostKey }
  /// An IPv4 address as a number, the first byte highest; `nil` for another kind.
  public var v4: UInt32? { if case .v4(let value, _) = address.form { value } else { nil } }
  /// Whether it came through a socket in the file system, which only its owner may open.
  public var isLocalSocket: Bool { if case .path = address.form { true } else { false } }
  /// Four bytes of an IPv4 address, sixteen of an IPv6 one, none for a local socket.
  public var addressBytes: [UInt8] {
    switch address.form {
    case .v4(let value, _): (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    case .v6(let high, let low, _):
      [high, low].flatMap { half in
        (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
      }
    case .path: []
    }
  }
}

/// A connected TCP (or local) socket, non-blocking, served by one loop.
public struct TCPStream: ~Copyable, Sendable {
  private let socket: StreamSocket

  init(_ socket: consuming StreamSocket) { self.socket = socket }

  /// Starts to connect; `connectOutcome` says how it went once the channel is writable.
  public static func connect(to address: SocketAddress) throws(Errno) -> TCPStream {
    TCPStream(try StreamSocket.connect(to: address))
  }

  /// How connecting went: `nil` is well.
  public func connectFailure() -> Errno? {
    do throws(Errno) { return try socket.pendingError() } catch { return error }
  }

  /// Begins service on a loop.
  public func register(_ channel: any Channel, on loop: isolated EventLoop) -> ChannelID? {
    try? loop.add(channel, descriptor: socket.number)
  }

  /// Makes the channel known to a loop, which does not watch the socket yet.
  public func adopt(_ channel: any Channel, on loop: isolated EventLoop) -> ChannelID {
    loop.adopt(channel, descriptor: socket.number)
  }

  /// Begins to be watched by the loop that adopted the channel; whether that can be.
  public func watch(_ id: ChannelID, on loop: isolated EventLoop) -> Bool {
    (try? loop.watch(id, descriptor: socket.number)) != nil
  }

  /// Receives into the free end of `output`.
  @inline(__always)
  public func read(into output: inout OutputSpan<UInt8>) -> ReadOutcome {
    do throws(Errno) {
      guard let count = try socket.receive(into: &output) else { return .wouldBlock }
      return count == 0 ? .end : .bytes(count)
    } catch { return .gone }
  }

  /// Sends; `more` says that something follows at once, so a partial segment may wait for it.
  @inline(__always)
  public func write(_ bytes: Span<UInt8>, more: Bool = false) -> WriteOutcome {
    do throws(Errno) {
      guard let count = try socket.send(bytes, more: more) else { return .wouldBlock }
      return .bytes(count)
    } catch { return .gone }
  }

  /// Sends `count` bytes of a file from `offset`, without copying them through this process.
  @inline(__always)
  public func write(file: SendableFile, offset: Int64, count: Int) -> WriteOutcome {
    do throws(Errno) {
      guard let sent = try socket.send(file: file.number, offset: offset, count: count) else {
        return .wouldBlock
      }
      if sent > 0 { return .bytes(sent) }
      // The file is shorter than it was: nothing more will come.
      file.noteEnd(at: offset)
      return .gone
    } catch {
      file.noteFailure(error)
      return .gone
    }
  }

  /// Bytes that were sent and that the peer has not acknowledged; 0 when the kernel can not say.
  public var unacknowledgedBytes: Int { (try? socket.unacknowledgedBytes()) ?? 0 }

  /// Whether the peer's system has all that was sent; `false` when the kernel can not say.
  public var isAllAcknowledged: Bool { (try? socket.unacknowledgedBytes()) == 0 }

  /// From here on the kernel takes only so many bytes beyond what the peer's window holds.
  public func limitUnsent(to bytes: Int) {
    // Without it the kernel takes more: no harm but memory.
    try? socket.limitUnsent(to: Int32(clamping: bytes))
  }

  /// Makes closing a reset that forgets what the peer has not taken.
  public func forgetWhenClosed() {
    // Without it the kernel keeps the bytes for a while: no harm but memory.
    try? socket.forgetWhenClosed()
  }

  /// Ends our half of the connection.
  public func finishWriting() {
    // A peer that is gone already needs no farewell.
    try? socket.finishSending()
  }
}
