internal import HTTPServer
internal import Synchronization

/// What the service is doing, as `/readyz` and the operator's command see it.
final class ServiceState: Sendable {
  private let draining = Atomic<Bool>(false)

  var isDraining: Bool { draining.load(ordering: .relaxed) }

  func beginDraining() { draining.store(true, ordering: .relaxed) }

  /// Where it listens, as base URLs with the real ports; empty when it serves only its socket.
  private let listening = Mutex<[String]>([])

  var addresses: [String] { listening.withLock { $0 } }

  func noteListening(at addresses: [String]) { listening.withLock { $0 = addresses } }

  private let server = Mutex<HTTPServer?>(nil)

  /// Client connections now.
  var connections: Int { server.withLock { $0?.connectionCount ?? 0 } }

  func noteServing(with server: HTTPServer) { self.server.withLock { $0 = server } }
}
