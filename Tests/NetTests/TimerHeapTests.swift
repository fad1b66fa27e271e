import Testing

@testable import Net

struct TimerHeapTests {
  private func entry(_ deadline: Int64) -> TimerHeap<Int>.Entry { .init(deadline: deadline, id: 1) }

  @Test func entriesComeInOrder() {
    var heap = TimerHeap<Int>()
    var random = SystemRandomNumberGenerator()
    let deadlines = (0..<500).map { _ in Int64.random(in: 0..<100, using: &random) }
    for deadline in deadlines { heap.insert(entry(deadline)) }
    var out: [Int64] = []
    while let next = heap.popDue(at: 49) { out.append(next.deadline) }
    #expect(out == deadlines.filter { $0 < 50 }.sorted())
    while let next = heap.popDue(at: .max) { out.append(next.deadline) }
    #expect(out == deadlines.sorted())
    #expect(heap.count == 0)
    #expect(heap.popDue(at: .max) == nil)
  }

  /// epoll_wait(2) counts milliseconds: rounded up, or the loop would spin for the last one.
  @Test(
    arguments: [
      (0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2), (-5, 0), (Int64.max, 60_000),
    ] as [(Int64, Int32)])
  func waitIsRoundedUp(_ deadline: Int64, _ milliseconds: Int32) {
    var heap = TimerHeap<Int>()
    #expect(heap.milliseconds(from: 0) == -1)
    heap.insert(entry(deadline))
    #expect(heap.milliseconds(from: 0) == milliseconds)
  }
}
