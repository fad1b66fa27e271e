// Where orders meet upstreams: which one is asked, and who is next when it can not be reached.
internal import Configuration
internal import HTTPClient
internal import Net
internal import Upstream
internal import Wire

/// An upstream's answer under way, and where it came from.
final class UpstreamReply: ByteSource {
  /// The upstream's name.
  let upstream: String
  /// Its own id of the call.
  let requestID: String?
  private let source: any Upstream
  private let answer: any UpstreamAnswer
  /// The call counts as running until its answer is let go of.
  private let pass: UpstreamPass?

  init(
    _ name: String, _ source: any Upstream, _ answer: any UpstreamAnswer, _ pass: UpstreamPass?
  ) {
    upstream = name
    self.pass = pass
    requestID = answer.requestID
    self.source = source
    self.answer = answer
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    do {
      let hasMore = try await answer.read(consume)
      if !hasMore { pass?.answered() }
      return hasMore
    } catch let failure as UpstreamFailure {
      pass?.failed(failure)
      throw failure
    }
  }

  /// Fetches a result that is a URL on the upstream's own origin.
  func fetch(_ url: String, on loop: isolated EventLoop) async throws -> any ByteSource {
    let answer = try await source.fetch(url, on: loop)
    return UpstreamReply(upstream, source, answer, nil)
  }
}

/// The upstreams of one loop.
final class UpstreamDesk {
  private let upstreams: [String: any Upstream]
  private let gates: UpstreamGates

  init(upstreams: [String: any Upstream], gates: UpstreamGates) {
    self.upstreams = upstreams
    self.gates = gates
  }

  /// Sends an order to the first of `candidates` that takes it. The next one is asked only when no
  /// money can have been spent.
  func send(
    _ order: GenerationOrder, to candidates: [Settings.Upstream], on loop: isolated EventLoop
  ) async throws -> UpstreamReply {
    var last: any Error = Failure.busy
    for candidate in candidates {
      guard let upstream = upstreams[candidate.name] else { continue }
      let request = UpstreamOrder(
        model: order.upstreamModel, parameters: try order.parameters(for: candidate),
        timeoutNanoseconds: order.model.timeout.nanoseconds)
      let pass: UpstreamPass
      do {
        pass = try await gates.enter(candidate)
      } catch {
        last = error
        continue
      }
      do {
        let answer = try await upstream.generate(request, on: loop)
        return UpstreamReply(candidate.name, upstream, answer, pass)
      } catch {
        pass.failed(error)
        guard error.isUnspent else { throw error }
        last = error
      }
    }
    throw last
  }
}

extension Failure {
  static func upstreamBusy(_ name: String) -> Failure {
    Failure(
      503, .server, "upstream_busy",
      "The upstream \"\(name)\" has as many calls waiting as it may have.",
      retryAfter: 5)
  }

  /// It is asked again after `nanoseconds`.
  static func upstreamUnavailable(
    _ name: String, failures: Int, nanoseconds: Int64
  ) -> Failure {
    let seconds = Int((nanoseconds + 999_999_999) / 1_000_000_000)
    return Failure(
      503, .upstream, "upstream_unavailable",
      "The upstream \"\(name)\" did not answer its last \(failures) calls; it is asked again in "
        + "\(seconds) s.",
      retryAfter: seconds)
  }
}
