import Testing

@testable import Kernel

@Suite struct WaitingLineTests {
  /// Against an array, through every turn of the ring.
  @Test func whoCameFirstIsTakenFirst() {
    var line = WaitingLine<Int>()
    var model: [Int] = []
    var next = 0
    #expect(line.takeFirst() == nil && line.first == nil && line.isEmpty)
    for step in 0..<4000 {
      // Longer and shorter in turn.
      let appends = step / 500 % 2 == 0 ? 3 : 1
      for _ in 0..<appends {
        line.append(next)
        model.append(next)
        next += 1
      }
      for _ in 0..<2 {
        #expect(line.first == model.first)
        #expect(line.takeFirst() == (model.isEmpty ? nil : model.removeFirst()))
        #expect(line.count == model.count && line.isEmpty == model.isEmpty)
      }
    }
    while let first = line.takeFirst() { #expect(first == model.removeFirst()) }
    #expect(model.isEmpty)
  }

  private final class Held {}

  /// What was taken out is not kept by the line.
  @Test func nothingIsHeldThatWasTaken() {
    var line = WaitingLine<Held>()
    var held = Held()
    line.append(held)
    let isHeld = !isKnownUniquelyReferenced(&held)
    _ = line.takeFirst()
    let isLetGo = isKnownUniquelyReferenced(&held)
    #expect(isHeld && isLetGo)
  }

  /// Of an array, 400,000 times 400,000 moves.
  @Test func aLongLineMovesNobody() {
    var line = WaitingLine<Int>()
    let start = SystemClock.monotonicNanoseconds
    for number in 0..<400_000 { line.append(number) }
    var sum = 0
    while let first = line.takeFirst() { sum += first }
    #expect(sum == 400_000 * 399_999 / 2)
    #expect(SystemClock.monotonicNanoseconds - start < 30_000_000_000)
    #expect(line.places.isEmpty, "a peak's memory is not kept")
  }
}
