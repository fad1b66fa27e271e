// TLS between a socket and whoever reads and writes plaintext: moves ciphertext for Crypto's
// engine. Its `unsafe` is one: plaintext is written straight to the reader's free space.
internal import Crypto

/// How far a handshake came.
public enum HandshakeOutcome: Sendable, Equatable {
  /// The peer is who it should be.
  case done
  /// The peer has to answer, or the socket's buffer is full; the channel is told.
  case wouldBlock
  /// The peer was refused, or is gone; a text for an operator, without secrets.
  case failed(String)
}

/// Whom a client's connections trust; made once, for all loops.
public final class TLSTrust: Sendable {
  /// The PEM text is none.
  public struct Unusable: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String
  }

  private let context: TLSContext

  /// The system's authorities, and those of a PEM text.
  public init(additionalAuthorities: [UInt8] = []) throws(Unusable) {
    do throws(TLSFailure) {
      context = try .client(additionalAuthorities: additionalAuthorities)
    } catch { throw Unusable(description: "\(error)") }
  }

  /// A connection to `host` (a name or an address), whose certificate must be for it.
  public func layer(for host: String) throws(Unusable) -> TLSLayer {
    do throws(TLSFailure) {
      return TLSLayer(try context.connection(to: host))
    } catch { throw Unusable(description: "\(error)") }
  }
}

/// Who a server is: one certificate and its key, as PEM text.
public final class TLSIdentity: Sendable {
  private let context: TLSContext

  /// Throws when the texts are none, or do not belong together.
  public init(certificate: [UInt8], key: [UInt8]) throws(TLSTrust.Unusable) {
    do throws(TLSFailure) {
      context = try .server(certificate: certificate, key: key)
    } catch { throw TLSTrust.Unusable(description: "\(error)") }
  }

  /// The server's side of a connection.
  public func layer() -> TLSLayer { TLSLayer(context.acceptedConnection()) }
}

/// The TLS of one connection; lives where its stream lives.
public final class TLSLayer {
  /// A TLS record with its overhead (RFC 8446 §5.2).
  private static let recordBytes = 16_384 + 256 + 5
  /// What one record's plaintext explains of the ciphertext beside its own length, generously.
  private static let overheadBytes = 64
  /// How many bytes may come that no plaintext explains, and the most of a handshake. Key updates
  /// and session tickets are some ten or a hundred bytes; a chain of certificates has 4 to 10 KB.
  private static let unexplainedLimit = 256 << 10
  /// How often one `read` asks the socket.
  private static let receivesPerRead = 16
  /// What may wait for a peer that makes us answer and does not read: what `write` leaves behind,
  /// and as much again.
  private static let unsentLimit = 2 * TLSEngine.drainThreshold

  private var engine: TLSEngine
  private var received: [UInt8] = []
  private var outgoing = [UInt8](repeating: 0, count: recordBytes)
  /// What of `outgoing` the socket has not taken.
  private var unsent = 0..<0
  /// Bytes received that no plaintext explains.
  private var unexplained = 0

  init(_ engine: consuming TLSEngine) { self.engine = engine }

  func handshake(over socket: borrowing TCPStream) -> HandshakeOutcome {
    while true {
      do throws(TLSFailure) {
        let step = try engine.handshake()
        let flushed = flush(over: socket)
        if flushed == .gone { return .failed("the peer left during the TLS handshake") }
        if step == .done {
          guard flushed != .wouldBlock else { return .wouldBlock }
          unexplained = 0
          return .done
        }
      } catch {
        // The peer may learn why from our alert.
        _ = flush(over: socket)
        return .failed("\(error)")
      }
      switch receive(over: socket) {
      case .bytes where unexplained <= Self.unexplainedLimit: continue
      case .bytes: return .failed("the TLS handshake has no end")
      case .wouldBlock: return .wouldBlock
      case .end: engine.feedEnd()
      case .gone: return .failed("the peer left during the TLS handshake")
      }
    }
  }

  /// Whether bytes have come that no `read` has given out.
  var hasUnread: Bool { engine.hasUnread }

  /// A read that ends without the peer's close_notify is `.gone`, not `.end`: it may have been cut.
  ///
  /// Bounded, whatever the peer sends: `.bytes(0)` says that records came which hold no plaintext,
  /// and that there may be more. A peer that sends little else, or that makes us answer and does
  /// not read, is `.gone`.
  func read(into output: inout OutputSpan<UInt8>, over socket: borrowing TCPStream) -> ReadOutcome {
    for _ in 0..<Self.receivesPerRead {
      let read = decrypt(into: &output)
      switch read {
      case .plaintext(let count):
        unexplained = max(0, unexplained - count - Self.overheadBytes)
        return .bytes(count)
      case .closed: return .end
      case .truncated, nil: return .gone
      case .wantsCiphertext, .control: break
      }
      // A key update is answered while reading.
      guard answers(over: socket) else { return .gone }
      if read == .control { return .bytes(0) }
      switch receive(over: socket) {
      case .bytes where unexplained <= Self.unexplainedLimit: continue
      case .bytes, .gone: return .gone
      case .wouldBlock: return .wouldBlock
      case .end: engine.feedEnd()
      }
    }
    return .bytes(0)
  }

  /// Sends what reading left to say; `false` when the peer is gone, or does not take it.
  private func answers(over socket: borrowing TCPStream) -> Bool {
    switch flush(over: socket) {
    case .bytes: true
    case .wouldBlock: engine.pendingCiphertext <= Self.unsentLimit
    case .gone: false
    }
  }

  private func decrypt(into output: inout OutputSpan<UInt8>) -> TLSRead? {
    unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
      var free = unsafe MutableSpan(_unsafeElements: buffer.extracting(initialized...))
      do throws(TLSFailure) {
        let read = try engine.read(into: &free)
        if case .plaintext(let count) = read { initialized += count }
        return read
      } catch { return nil }
    }
  }

  func write(_ bytes: Span<UInt8>, over socket: borrowing TCPStream) -> WriteOutcome {
    switch flush(over: socket) {
    case .gone: return .gone
    case .wouldBlock: return .wouldBlock
    case .bytes: break
    }
    do throws(TLSFailure) {
      let taken = try engine.write(plaintext: bytes)
      if flush(over: socket) == .gone { return .gone }
      return taken == 0 && bytes.count > 0 ? .wouldBlock : .bytes(taken)
    } catch { return .gone }
  }

  /// `.bytes(0)` when nothing is left to send.
  func flush(over socket: borrowing TCPStream) -> WriteOutcome {
    while true {
      if unsent.isEmpty {
        var buffer = outgoing.mutableSpan
        let count = engine.drainCiphertext(into: &buffer)
        guard count > 0 else { return .bytes(0) }
        unsent = 0..<count
      }
      switch socket.write(outgoing.span.extracting(unsent)) {
      case .bytes(let count): unsent = unsent.lowerBound + count..<unsent.upperBound
      case .wouldBlock: return .wouldBlock
      case .gone: return .gone
      }
    }
  }

  func finish(over socket: borrowing TCPStream) {
    engine.shutdown()
    _ = flush(over: socket)
  }

  private func receive(over socket: borrowing TCPStream) -> ReadOutcome {
    // Taken out for the while: the span of a property of `self` can not be lent to the engine.
    var bytes: [UInt8] = []
    swap(&bytes, &received)
    bytes.removeAll(keepingCapacity: true)
    var outcome = ReadOutcome.wouldBlock
    bytes.append(addingCapacity: Self.recordBytes) { outcome = socket.read(into: &$0) }
    if case .bytes(let count) = outcome {
      unexplained += count
      engine.feed(ciphertext: bytes.span)
    }
    swap(&bytes, &received)
    return outcome
  }
}
