import Configuration
import Synchronization
import Testing

@testable import AssetService

/// How many calls ran at once, and how many were let in.
private final class Tally: Sendable {
  private let counts = Mutex((running: 0, most: 0, served: 0))
  var most: Int { counts.withLock { $0.most } }
  var served: Int { counts.withLock { $0.served } }

  func begin() {
    counts.withLock {
      $0.running += 1
      $0.most = max($0.most, $0.running)
    }
  }

  func end(served: Bool) {
    counts.withLock {
      $0.running -= 1
      $0.served += served ? 1 : 0
    }
  }
}

/// `max_concurrent`: calls beyond it wait for their turn.
@Suite struct UpstreamGatesTests {
  @Test func theNextInLineTakesThePlaceThatIsLeft() async throws {
    let gates = UpstreamGates()
    var upstream = Settings.Upstream(name: "one", dialect: .sample)
    upstream.maxConcurrent = 2
    let tally = Tally()
    await withTaskGroup(of: Void.self) { [upstream] group in
      for _ in 0..<50 {
        group.addTask {
          let pass = await gates.enter(upstream)
          tally.begin()
          await Task.yield()
          // The pass must not go before its end is counted.
          withExtendedLifetime(pass) { tally.end(served: pass != nil) }
        }
      }
    }
    #expect(tally.most == 2)
    #expect(tally.served == 50)
    // All places are free again.
    let passes = [await gates.enter(upstream), await gates.enter(upstream)]
    #expect(passes.allSatisfy { $0 != nil })
  }
}
