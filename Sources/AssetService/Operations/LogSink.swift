internal import Configuration
internal import Kernel
internal import Wire

/// Where log lines go: standard error for events, for requests where
/// the configuration says. Shared by all loops; one write per batch.
final class LogSink: Sendable {
  /// Where requests are logged; `nil` for nowhere.
  private let access: StandardStream?
  private let minimum: Settings.Log.Level

  init(access: StandardStream?, minimum: Settings.Log.Level) {
    self.access = access
    self.minimum = minimum
  }

  /// Writes whole lines of the access log.
  func write(_ lines: Span<UInt8>) {
    access?.write(lines)
  }

  /// Writes one event that is no request: a start, a collection, a fault.
  func event(_ level: Settings.Log.Level, _ message: String, _ members: JSONObject.Member...) {
    guard level >= minimum else { return }
    var object = JSONObject()
    object["time"] = .string(Timestamp.text(SystemClock.wallSeconds))
    object["level"] = .string(level.rawValue)
    object["message"] = .string(message)
    for member in members { object[member.name] = member.value }
    var line = JSONValue.object(object).bytes
    line.append(UInt8(ascii: "\n"))
    StandardStream.error.write(line.span)
  }
}
