import Configuration
import HTTPServer
import Kernel
import Testing
import Wire

@testable import AssetService

struct AccessLogWriterTests {
  private static func writer(_ sink: LogSink = .none) -> AccessLogWriter {
    let bases = BaseSettings(publicURL: nil, trustedProxies: [], state: ServiceState())
    return AccessLogWriter(sink: sink, bases: bases)
  }

  /// Lines are written a tenth of a second after the first of them; where none waits, no turn is
  /// asked for.
  @Test func linesWaitATenthOfASecondAtMost() {
    var log = Self.writer()
    let outcome = ExchangeOutcome(
      status: 200, bodyBytes: 1, nanoseconds: 1000, isAborted: false)
    let note: [UInt8] = Array("{\"time\":\"\"".utf8)
    #expect(log.turnEnded(at: 0) == nil)
    log.end(outcome, note: note.span)
    let due: Int64 = 5 + 100_000_000
    #expect(log.turnEnded(at: 5) == due)
    log.end(outcome, note: note.span)
    #expect(log.turnEnded(at: due - 1) == due)
    #expect(log.turnEnded(at: due) == nil)
    let isEmpty = log.isEmpty
    #expect(isEmpty)
    #expect(log.turnEnded(at: due + 1) == nil)
    log.end(outcome, note: note.span)
    #expect(log.turnEnded(at: due + 2) == due + 2 + 100_000_000)
  }

  /// Many lines are written before their time.
  @Test func manyLinesDoNotWait() {
    var log = Self.writer()
    let outcome = ExchangeOutcome(
      status: 200, bodyBytes: 1, nanoseconds: 1000, isAborted: false)
    let note = [UInt8](repeating: 0x20, count: 1000)
    for _ in 0..<31 { log.end(outcome, note: note.span) }
    let before = log.isEmpty
    log.end(outcome, note: note.span)
    let after = log.isEmpty
    #expect(!before && after)
  }

  /// Each line that finds no room is counted, and by its rank, whichever stream it was for.
  @Test(arguments: [true, false]) func droppedLinesAreCounted(isOneStream: Bool) throws {
    let events = try LineWriter(.error, room: (expendable: 0, kept: 0))
    let access = isOneStream ? events : try LineWriter(.output, room: (expendable: 0, kept: 0))
    let sink = LogSink(events: events, access: access, minimum: .info)
    var log = Self.writer(sink)
    let outcome = ExchangeOutcome(
      status: 200, bodyBytes: 1, nanoseconds: 1000, isAborted: false)
    let note: [UInt8] = Array("{\"time\":\"\"".utf8)
    for count in [3, 2] {
      for _ in 0..<count { log.end(outcome, note: note.span) }
      log.flush()
    }
    for level in [Settings.Log.Level.debug, .info, .warning, .error] { sink.event(level, "a") }
    let losses = sink.losses
    #expect(losses.expendable == 6 && losses.kept == 2, "\(losses)")
    sink.close()
  }
}
