import Dispatch
import Synchronization
import Testing

@testable import Kernel

/// What a standard stream does to its lines is tried in EndToEndTests, by a process of its own.
struct LineWriterTests {
  private func losses(_ expendable: Int, _ kept: Int) -> LineWriter.Losses {
    var losses = LineWriter.Losses()
    (losses.expendable, losses.kept) = (expendable, kept)
    return losses
  }

  private func line(_ number: Int) -> [UInt8] { Array("line \(number)\n".utf8) }

  /// A full queue takes no expendable line, and of those that are kept only what its reserve holds;
  /// each that is turned away is counted, and nobody waits.
  @Test func aStalledStreamCostsLinesAndNoTime() throws {
    let (entered, opened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let writer = try LineWriter(.error, room: (expendable: 100, kept: 50)) { _ in
      entered.signal()
      opened.wait()
      return []
    }
    writer.add(line(0).span, .expendable)
    entered.wait()
    let full = [UInt8](repeating: 0x20, count: 100)
    writer.add(full.span, count: 7, .expendable)
    #expect(writer.losses == .init())
    writer.add(line(1).span, count: 2, .expendable)
    writer.add(line(2).span, .kept)
    #expect(writer.losses == losses(2, 0))
    writer.add(full.span, .kept)
    #expect(writer.losses == losses(2, 1))
    // The end does not wait for the stream longer than it was told to.
    #expect(!writer.close(withinMilliseconds: 1))
    writer.add(line(3).span, .kept)
    #expect(writer.losses == losses(2, 2))
    for _ in 0..<2 { opened.signal() }
  }

  /// What the stream does not take is counted by its rank, and what it takes before and after is
  /// not.
  @Test func whatTheStreamRefusesIsCounted() throws {
    let (entered, opened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let isBroken = Mutex(false)
    let writer = try LineWriter(room: (expendable: 1000, kept: 1000), edit: { $0 }) {
      (_) throws(Errno) in
      entered.signal()
      opened.wait()
      if isBroken.withLock({ $0 }) { throw Errno(.write, code: 32) }
    }
    // Each step is a batch: it gathers while the one before it is on its way.
    func add(_ expendable: Int, _ kept: Int) {
      if expendable > 0 { writer.add(line(1).span, count: expendable, .expendable) }
      for _ in 0..<kept { writer.add(line(2).span, .kept) }
    }
    add(2, 0)
    for (breaks, next) in [(false, (5, 3)), (true, (7, 0)), (false, (0, 4)), (true, (0, 0))] {
      entered.wait()
      isBroken.withLock { $0 = breaks }
      add(next.0, next.1)
      opened.signal()
    }
    #expect(writer.close(withinMilliseconds: 60_000))
    #expect(writer.losses == losses(5, 7))
  }

  /// All lines of all threads arrive, each thread's in its order.
  @Test func nothingIsLostAndOrderIsKept() throws {
    let seen = Seen()
    let writer = try LineWriter(.error) { lines in
      seen.text.withLock { $0 += String(decoding: lines, as: UTF8.self) }
      return []
    }
    let done = DispatchSemaphore(value: 0)
    for thread in 0..<4 {
      try KernelThread.start(name: "teller") {
        // 8,000 short lines find room in any case.
        for number in 0..<2000 {
          let text = "\(thread) \(number)\n"
          writer.add(text.utf8.span, number % 2 == 0 ? .kept : .expendable)
        }
        done.signal()
      }
    }
    for _ in 0..<4 { done.wait() }
    #expect(writer.close(withinMilliseconds: 20_000))
    #expect(writer.losses == .init())
    let lines = seen.text.withLock { $0 }.split(separator: "\n")
    #expect(lines.count == 8000)
    for thread in 0..<4 {
      let own = lines.filter { $0.hasPrefix("\(thread) ") }.map(String.init)
      #expect(own == (0..<2000).map { "\(thread) \($0)" })
    }
  }

  private final class Seen: Sendable {
    let text = Mutex("")
  }
}
