internal import Kernel
internal import Synchronization

/// Clients that host images at the same time, each on its connection and thread.
struct Crowd {
  let clients: Int
  /// Images of each client.
  let each: Int

  /// Images per second of all clients together.
  func run(_ port: UInt16, _ image: TestImage) throws -> Double {
    let outcome = Outcome(try ThreadSignal())
    let start = SystemClock.monotonicNanoseconds
    for _ in 0..<clients {
      let own = image.forAnotherClient()
      try KernelThread.start(name: "client") { [each] in
        outcome.end { try Self.post(each, own, port) }
      }
    }
    for _ in 0..<clients { outcome.signal.wait() }
    if let failure = outcome.failure.withLock({ $0 }) { throw failure }
    let passed = SystemClock.monotonicNanoseconds - start
    return Double(clients * each) / Double(passed) * 1e9
  }

  private static func post(_ count: Int, _ image: TestImage, _ port: UInt16) throws {
    var image = image
    let client = try LoopbackClient(port: port)
    for _ in 0..<count {
      try client.expect(201, "/v1/assets", "image/png", [image.nextHead(), image.rest])
    }
  }

  private final class Outcome: Sendable {
    let signal: ThreadSignal
    let failure = Mutex<(any Error)?>(nil)

    init(_ signal: consuming ThreadSignal) { self.signal = signal }

    func end(_ body: () throws -> Void) {
      do { try body() } catch { failure.withLock { $0 = error } }
      signal.raise()
    }
  }
}
