import Synchronization
import Testing

@testable import AssetService

/// When memory is given back: only a peak that is over is worth the allocator's locks.
@Suite struct MemoryPeaksTests {
  private static let unit: Int64 = 1 << 20

  /// A process as a test says it is, in MiB; what is given back goes down to what is in use and 20
  /// MiB beside it.
  private final class Fake: Sendable {
    private struct State {
      var resident: Int64 = 30
      var allocated: Int64 = 10
      var counts = 0
      var giftsBack = 0
    }
    private let state = Mutex(State())
    /// How often blocks were counted, and memory given back.
    var counts: Int { state.withLock { $0.counts } }
    var giftsBack: Int { state.withLock { $0.giftsBack } }

    func set(resident: Int64, allocated: Int64) {
      state.withLock { ($0.resident, $0.allocated) = (resident, allocated) }
    }

    var process: MemoryPeaks.Process {
      MemoryPeaks.Process(
        resident: { [self] in state.withLock { $0.resident } * MemoryPeaksTests.unit },
        allocated: { [self] in
          state.withLock {
            $0.counts += 1
            return $0.allocated
          } * MemoryPeaksTests.unit
        },
        giveBack: { [self] in
          state.withLock {
            $0.giftsBack += 1
            $0.resident = $0.allocated + 20
          }
        })
    }
  }

  @Test func aProcessThatIsSmallIsNotLookedInto() {
    let fake = Fake()
    var peaks = MemoryPeaks(from: 30 * Self.unit)
    for resident: Int64 in [30, 60, 93, 25, 80] {
      fake.set(resident: resident, allocated: 10)
      peaks.look(fake.process)
    }
    #expect(fake.counts == 0 && fake.giftsBack == 0)
  }

  @Test func aPeakIsGivenBackOnceItIsOver() {
    let fake = Fake()
    var peaks = MemoryPeaks(from: 30 * Self.unit)
    fake.set(resident: 400, allocated: 380)
    peaks.look(fake.process)
    #expect(fake.giftsBack == 0, "it is in use")
    // Over, and nothing has gone back by itself.
    fake.set(resident: 400, allocated: 12)
    peaks.look(fake.process)
    #expect(fake.giftsBack == 1)
    for _ in 0..<10 { peaks.look(fake.process) }
    #expect(fake.giftsBack == 1)
    // Another, which began and ended between two looks.
    fake.set(resident: 300, allocated: 12)
    peaks.look(fake.process)
    #expect(fake.giftsBack == 2)
  }

  /// What stays resident whatever is given back is not given back again and again.
  @Test func whatStaysIsLeft() {
    let fake = Fake()
    var peaks = MemoryPeaks(from: 30 * Self.unit)
    let stubborn = MemoryPeaks.Process(
      resident: { 500 * Self.unit }, allocated: fake.process.allocated,
      giveBack: fake.process.giveBack)
    for _ in 0..<10 { peaks.look(stubborn) }
    #expect(fake.giftsBack == 1)
  }

  /// The real one, from here.
  @Test func thisProcessCanBeAsked() {
    let process = MemoryPeaks.Process.ofThisProcess
    let block = [UInt8](repeating: 1, count: 32 << 20)
    #expect(process.resident() > 32 << 20)
    #expect(process.allocated() > 32 << 20)
    #expect(block.count == 32 << 20)
  }
}
