// What comes out: one aligned line per measure as soon as it is there, and JSON at the end.
internal import Foundation
internal import Kernel
internal import Wire

/// One quantity of one case, run by run.
struct Measure {
  /// The same quantity of something that does the same work.
  struct Peer {
    let name: String
    let values: [Double]
  }
  /// What was measured: `256 KB`.
  let subject: String
  /// What of it, with the unit: `server CPU µs/request`.
  let quantity: String
  let own: [Double]
  var peers: [Peer] = []
  /// The target of the design, when there is one: `≤ 0.80`.
  var target: String?
}

extension Measure {
  /// Of contenders with their runs, ours first; a target wants someone beside us.
  init(
    _ subject: String, _ quantity: String, _ names: [String], _ runs: [[Double]],
    target: String? = nil
  ) {
    self.init(
      subject: subject, quantity: quantity, own: runs[0],
      peers: zip(names, runs).dropFirst().map { Peer(name: $0, values: $1) },
      target: runs.count > 1 ? target : nil)
  }
}

/// The report of one bench.
final class Report {
  private let bench: String
  private let arguments: Arguments
  private var measures: [Measure] = []
  private var notes: [String] = []

  init(bench: String, arguments: Arguments) {
    self.bench = bench
    self.arguments = arguments
  }

  /// Says something about what follows.
  func note(_ text: String) {
    notes.append(text)
    StandardStream.output.write(text + "\n")
  }

  /// Prints the line of a measure and keeps it for the JSON.
  func add(_ measure: Measure) {
    measures.append(measure)
    var line = (measure.subject + " ").padding(to: 22) + (measure.quantity + " ").padding(to: 31)
    line += "assetd " + Self.right(Self.text(measure.own.median), 8)
    for peer in measure.peers {
      line += "   \(peer.name) " + Self.right(Self.text(peer.values.median), 8)
      line += "  ×" + Self.right(Self.ratioText(measure.own.ratio(to: peer.values)), 5)
    }
    if let target = measure.target { line += "   target \(target)" }
    StandardStream.output.write(line + "\n")
  }

  /// Writes the figures of every run as one JSON object.
  func write(to path: String) throws {
    let document: JSONValue = [
      "bench": .string(bench), "time": JSONValue(SystemClock.wallSeconds),
      "cores": JSONValue(ProcessInfo.processInfo.processorCount),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
      "runs": JSONValue(arguments.runs), "seconds": JSONValue(arguments.seconds),
      "notes": .array(notes.map { .string($0) }), "measures": .array(measures.map(Self.json)),
    ]
    let bytes = document.bytes + [UInt8(ascii: "\n")]
    do { try Data(bytes).write(to: URL(filePath: path)) } catch {
      throw Trouble("\(path) can not be written: \(error.localizedDescription)")
    }
  }

  private static func json(_ measure: Measure) -> JSONValue {
    var object = JSONObject()
    object["subject"] = .string(measure.subject)
    object["quantity"] = .string(measure.quantity)
    object["median"] = number(measure.own.median)
    object["runs"] = .array(measure.own.map(number))
    object["peers"] = .array(
      measure.peers.map { peer in
        [
          "name": .string(peer.name), "median": number(peer.values.median),
          "runs": .array(peer.values.map(number)),
          "ratio": number(measure.own.ratio(to: peer.values)),
        ]
      })
    object["target"] = JSONValue(measure.target)
    return .object(object)
  }

  private static func number(_ value: Double) -> JSONValue {
    JSONNumber(value).map { .number($0) } ?? .null
  }

  /// Three figures that count: `0.43`, `13.1`, `61,204`.
  private static func text(_ value: Double) -> String {
    let digits = abs(value) < 10 ? 2 : abs(value) < 1000 ? 1 : 0
    return value.formatted(
      .number.precision(.fractionLength(digits)).locale(Locale(identifier: "en_US")))
  }

  private static func ratioText(_ value: Double) -> String {
    value.isFinite ? String(format: "%.2f", value) : "–"
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

extension String {
  /// Filled up with spaces.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

extension [Double] {
  /// The middle one; not a number when there is none.
  var median: Double {
    guard !isEmpty else { return .nan }
    let sorted = self.sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }

  /// The median of the ratios of pairs: what changes from run to run on a shared machine hits both.
  func ratio(to peer: [Double]) -> Double { zip(self, peer).map { $0 / $1 }.median }
}

extension Int {
  /// `4 KB`, `1.5 MB`; units of 1,024.
  var bytesText: String {
    let (value, unit) =
      self < 1 << 20 ? (Double(self) / 1024, "KB") : (Double(self) / 1048576, "MB")
    return value.formatted(
      .number.precision(.fractionLength(0...1)).locale(Locale(identifier: "en_US"))) + " " + unit
  }
}
