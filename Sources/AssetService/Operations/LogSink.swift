// The log's door: everything that is logged comes through here, as whole lines of JSON, and leaves
// on the threads of `LineWriter`. Nothing in this room writes to a standard stream itself.
internal import Configuration
internal import Kernel
internal import Wire

/// Where log lines go: standard error for events, for requests where the configuration says. Shared
/// by all loops; nobody ever waits for it.
final class LogSink: Sendable {
  /// Where events are told; `nil` for nowhere.
  private let events: LineWriter?
  /// Where requests are logged; `nil` for nowhere.
  private let access: LineWriter?
  private let minimum: Settings.Log.Level

  /// Starts a thread for each stream.
  init(_ settings: Settings.Log) throws(Errno) {
    minimum = settings.level
    let events = try LineWriter(.error) { LogRedaction.shortening($0) }
    self.events = events
    access =
      switch settings.access {
      case .stderr: events
      case .stdout: try LineWriter(.output) { LogRedaction.shortening($0) }
      case .off: nil
      }
  }

  /// A log that is written by these.
  init(events: LineWriter?, access: LineWriter?, minimum: Settings.Log.Level) {
    self.events = events
    self.access = access
    self.minimum = minimum
  }

  /// A log that nobody keeps.
  static let none = LogSink(events: nil, access: nil, minimum: .error)

  /// Takes `count` whole lines of the access log; they are dropped, and counted, when the stream
  /// does not take them fast enough.
  func write(_ lines: Span<UInt8>, count: Int) {
    access?.add(lines, count: count, .expendable)
  }

  /// Tells one event that is no request: a start, a collection, a fault. Those that an operator
  /// should look at are kept when lines have to be dropped.
  func event(_ level: Settings.Log.Level, _ message: String, _ members: JSONObject.Member...) {
    event(level, message, members)
  }

  /// The same, with members that were gathered.
  func event(_ level: Settings.Log.Level, _ message: String, _ members: [JSONObject.Member]) {
    guard let events, level >= minimum else { return }
    var object = JSONObject()
    object["time"] = .string(Timestamp.text(SystemClock.wallSeconds))
    object["level"] = .string(level.rawValue)
    object["message"] = .string(message)
    for member in members { object[member.name] = member.value }
    var line = JSONValue.object(object).bytes
    line.append(UInt8(ascii: "\n"))
    events.add(line.span, level >= .warning ? .kept : .expendable)
  }

  /// Lines that were not written since the start.
  var losses: LineWriter.Losses {
    var sum = events?.losses ?? LineWriter.Losses()
    if let access, access !== events {
      sum.expendable += access.losses.expendable
      sum.kept += access.losses.kept
    }
    return sum
  }

  /// How long the last lines may take, in milliseconds.
  private static let lastMilliseconds: Int32 = 1000

  /// Writes what waits, if the streams take it within a second each. What is logged later is lost.
  func close() {
    access?.close(withinMilliseconds: Self.lastMilliseconds)
    events?.close(withinMilliseconds: Self.lastMilliseconds)
  }
}
