// A stream in the clear or through TLS, with the same reads and writes: whoever speaks a protocol
// over it need not know which.
internal import Crypto
internal import Kernel

/// Why connecting could not even begin; texts for an operator.
public enum ConnectFailure: Error, Hashable, Sendable {
  /// This process or system has no descriptor or memory left.
  case exhausted(String)
  /// No route, or refused at once.
  case unreachable(String)
}

/// A connected stream whose bytes may travel encrypted.
///
/// Reads and writes as `TCPStream` does; edge-triggered, so a read or write goes on until it would
/// block.
public struct ByteStream: ~Copyable {
  private let socket: TCPStream
  private var tls: TLSLayer?

  /// A stream in the clear.
  public init(_ socket: consuming TCPStream) { self.socket = socket }

  /// Starts to connect; `connectFailure` says how it went once the channel is writable.
  ///
  /// - Throws: when the system refuses at once.
  public static func connect(to peer: Peer) throws(ConnectFailure) -> ByteStream {
    do throws(Errno) {
      return ByteStream(try TCPStream.connect(to: peer.address))
    } catch {
      throw error.isShortage ? .exhausted("\(error)") : .unreachable("\(error)")
    }
  }

  /// How connecting went; `nil` is well, else a text for an operator.
  public func connectFailure() -> String? { socket.connectFailure().map { "\($0)" } }

  /// Begins service on a loop.
  public func register(_ channel: any Channel, on loop: isolated EventLoop) -> ChannelID? {
    socket.register(channel, on: loop)
  }

  /// From here on all bytes pass `layer`, whose handshake comes first.
  public mutating func secure(with layer: TLSLayer) { tls = layer }

  /// Goes on with the handshake; `.done` in the clear.
  public mutating func handshake() -> HandshakeOutcome { tls?.handshake(over: socket) ?? .done }

  /// Whether bytes have come from the socket that no read has given out.
  public var hasUnread: Bool { tls?.hasUnread ?? false }

  /// Receives into the free end of `output`.
  ///
  /// Through TLS, `.bytes(0)` says that what came holds nothing for the reader, and that there may
  /// be more: read again, after a turn of the loop's others.
  public mutating func read(into output: inout OutputSpan<UInt8>) -> ReadOutcome {
    guard let tls else { return socket.read(into: &output) }
    return tls.read(into: &output, over: socket)
  }

  /// Sends; through TLS what was taken may wait for `flush`.
  public mutating func write(_ bytes: Span<UInt8>) -> WriteOutcome {
    guard let tls else { return socket.write(bytes) }
    return tls.write(bytes, over: socket)
  }

  /// Sends what `write` took and the socket did not yet; `.bytes(0)` when nothing is left.
  public mutating func flush() -> WriteOutcome { tls?.flush(over: socket) ?? .bytes(0) }

  /// Says farewell as far as that needs no waiting; dropping the stream then closes it.
  public mutating func finish() { tls?.finish(over: socket) }
}
