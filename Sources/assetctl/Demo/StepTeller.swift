internal import Kernel
internal import Wire

/// Tells each step of the demo with the time since the start.
final class StepTeller: Sendable {
  private let errand: Errand
  private let start = SystemClock.monotonicNanoseconds

  init(_ errand: Errand) { self.errand = errand }

  /// Seconds since the start.
  var elapsed: Double { Self.seconds(SystemClock.monotonicNanoseconds - start) }

  /// One step that went as it should.
  ///
  /// - Parameters:
  ///   - name: what programs call it.
  ///   - title: what was done.
  ///   - outcome: what came of it.
  ///   - facts: names and values for people, in order.
  ///   - json: an object for programs.
  func tell(
    _ name: String, _ title: String, _ outcome: String = "", facts: [(String, String)] = [],
    json: JSONValue
  ) {
    let console = errand.console
    if errand.json {
      var line = JSONObject()
      line["step"] = .string(name)
      line["seconds"] = JSONNumber(elapsed).map { .number($0) }
      for member in json.object?.members ?? [] { line[member.name] = member.value }
      return console.print("\(JSONValue.object(line))")
    }
    console.print("\(console.faint(time)) \(console.green("✓")) \(console.bold(title))")
    let indent = String(repeating: " ", count: time.count + 3)
    if !outcome.isEmpty { console.print(indent + outcome) }
    let width = facts.map(\.0.count).max() ?? 0
    for (name, value) in facts {
      let padding = String(repeating: " ", count: width - name.count + 2)
      console.print(indent + console.faint(name + padding) + value)
    }
  }

  private var time: String {
    let milliseconds = Int(elapsed * 1000)
    let text = "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst()) s"
    return String(repeating: " ", count: max(0, 9 - text.count)) + text
  }

  static func seconds(_ nanoseconds: Int64) -> Double {
    Double(nanoseconds / 1_000_000) / 1000
  }
}
