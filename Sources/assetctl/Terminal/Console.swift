internal import Foundation
internal import Kernel
internal import Synchronization

/// Where a command's words go.
struct Console: Sendable {
  /// Takes bytes for standard output.
  let output: @Sendable ([UInt8]) throws(Errno) -> Void
  /// Takes text for standard error.
  let errors: @Sendable (String) -> Void
  /// Whether a person reads standard output.
  let isTerminal: Bool
  /// Whether a person reads standard error: progress is shown there.
  let showsProgress: Bool
  /// Whether words may be coloured (https://no-color.org).
  let hasColour: Bool
  /// How many columns a text may have: the terminal's, 80 where there is none.
  var width = 80
  /// Why standard output takes no more.
  private let trouble = Trouble()

  /// The process's own streams.
  static func standard() -> Console {
    let environment = ProcessInfo.processInfo.environment
    let isTerminal = isatty(StandardStream.output.rawValue) == 1
    let isPlain = environment["NO_COLOR"]?.isEmpty == false || environment["TERM"] == "dumb"
    return Console(
      output: { bytes throws(Errno) in try StandardStream.output.write(bytes.span) },
      errors: { StandardStream.error.write($0) }, isTerminal: isTerminal,
      showsProgress: isatty(StandardStream.error.rawValue) == 1 && environment["TERM"] != "dumb",
      hasColour: isTerminal && !isPlain, width: max(40, StandardStream.output.columns ?? 80))
  }

  /// One line, or a text that ends with a line break of its own.
  func print(_ text: String) {
    write(Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  /// Bytes for standard output; none any more once it has failed, which `check` tells.
  func write(_ bytes: [UInt8]) {
    guard trouble.first.withLock({ $0 == nil }) else { return }
    do throws(Errno) { try output(bytes) } catch {
      trouble.first.withLock { $0 = error }
    }
  }

  /// - Throws: what kept standard output from taking all that was written; the rest is worth
  ///   nothing.
  func check() throws(CommandFailure) {
    guard let error = trouble.first.withLock({ $0 }) else { return }
    throw CommandFailure("Standard output can not be written (\(error)).")
  }

  private final class Trouble: Sendable {
    let first = Mutex<Errno?>(nil)
  }

  /// What went wrong, on standard error.
  func complain(_ message: String) {
    let text = message.hasPrefix("Usage:") ? message : "assetctl: " + message
    errors(text.hasSuffix("\n") ? text : text + "\n")
  }

  // MARK: Colour

  func bold(_ text: String) -> String { paint(text, "1") }
  func faint(_ text: String) -> String { paint(text, "2") }
  func green(_ text: String) -> String { paint(text, "32") }
  func red(_ text: String) -> String { paint(text, "31") }

  private func paint(_ text: String, _ code: String) -> String {
    hasColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

/// A bar on one line of a terminal that is drawn over again; nothing anywhere else.
final class ProgressBar {
  private let console: Console
  private let label: String
  private var shown = ""
  private var drawnAt: Int64 = 0
  private static let cells = 30
  /// Nanoseconds from one drawing to the next.
  private static let interval: Int64 = 100_000_000

  init(_ label: String, _ console: Console) {
    self.label = label
    self.console = console
  }

  /// Shows `done` of `total`; `text` says both for people.
  func show(_ done: Int64, of total: Int64, _ text: @autoclosure () -> String) {
    guard console.showsProgress, total > 0 else { return }
    let now = SystemClock.monotonicNanoseconds
    guard now - drawnAt >= Self.interval else { return }
    drawnAt = now
    let filled = Int(Double(Self.cells) * min(1, max(0, Double(done) / Double(total))))
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "░", count: Self.cells - filled)
    draw("\(label) \(bar) \(text())")
  }

  /// Wipes the bar away.
  func end() {
    guard !shown.isEmpty else { return }
    draw("")
    console.errors("\r")
  }

  deinit { end() }

  private func draw(_ line: String) {
    let rest = String(repeating: " ", count: max(0, shown.count - line.count))
    console.errors("\r" + line + rest)
    shown = line
  }
}
