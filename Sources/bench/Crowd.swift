internal import Kernel
internal import Synchronization

/// Clients that host images at the same time, each on its connection and thread.
struct Crowd {
  let clients: Int
  /// Images of each client.
  let each: Int

  /// Sends them all; images per second of all clients together, and what was answered.
  func run(
    _ port: UInt16, _ image: TestImage
  ) throws -> (rate: Double, answers: [LoopbackClient.Answer]) {
    let outcome = Outcome(ThreadSignal())
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
    return (Double(clients * each) / Double(passed) * 1e9, outcome.answers.withLock { $0 })
  }

  private static func post(
    _ count: Int, _ image: TestImage, _ port: UInt16
  ) throws -> [LoopbackClient.Answer] {
    var image = image
    let client = try LoopbackClient(port: port)
    return try (0..<count).map { _ in
      try client.expect(201, "/v1/assets", "image/png", [image.nextHead(), image.rest])
    }
  }

  private final class Outcome: Sendable {
    let signal: ThreadSignal
    let answers = Mutex<[LoopbackClient.Answer]>([])
    let failure = Mutex<(any Error)?>(nil)

    init(_ signal: consuming ThreadSignal) { self.signal = signal }

    func end(_ body: () throws -> [LoopbackClient.Answer]) {
      do {
        let own = try body()
        answers.withLock { $0 += own }
      } catch { failure.withLock { $0 = error } }
      signal.raise()
    }
  }
}
