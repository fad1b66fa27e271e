// What a collection answers, line by line as it comes: a list of two million assets is shown in
// pages and never held.
internal import Kernel
internal import Synchronization
internal import Wire

/// Shows the assets' lines, and keeps the others: one for each policy, and the sums.
final class CollectionListing: Sendable {
  private struct State {
    /// The beginning of a line whose end has not come.
    var begun: [UInt8] = []
    /// Assets that are not shown yet.
    var items: [JSONValue] = []
    var isFirstPage = true
    var others: [JSONValue] = []
  }
  private let console: Console
  private let json: Bool
  private let state = Mutex(State())
  /// Assets that are shown at once, under columns of one width.
  private static let page = 1000

  /// - Parameter json: whether the lines are passed on as they are.
  init(_ console: Console, json: Bool) {
    self.console = console
    self.json = json
  }

  /// Takes the next bytes.
  ///
  /// - Throws: when a line is no JSON, or nobody reads what is shown.
  func take(_ bytes: Span<UInt8>) throws {
    try state.withLock { state in
      var whole = 0
      for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
        for place in whole..<index { state.begun.append(bytes[place]) }
        whole = index + 1
        try endLine(&state)
      }
      for place in whole..<bytes.count { state.begun.append(bytes[place]) }
    }
    try console.check()
  }

  /// Shows what is left; all lines but the assets'.
  func end() throws -> [JSONValue] {
    try state.withLock { state in
      try endLine(&state)
      showItems(&state)
      return state.others
    }
  }

  private func endLine(_ state: inout State) throws(CommandFailure) {
    guard !state.begun.isEmpty else { return }
    let line: JSONValue
    do throws(JSONFailure) { line = try JSONValue.parse(state.begun.span) } catch {
      throw CommandFailure("The answer is no JSON: \(error).")
    }
    if json { console.write(state.begun + [UInt8(ascii: "\n")]) }
    state.begun.removeAll(keepingCapacity: true)
    guard line["reason"] != nil, line["collects"] == nil else { return state.others.append(line) }
    guard !json else { return }
    state.items.append(line)
    if state.items.count == Self.page { showItems(&state) }
  }

  private func showItems(_ state: inout State) {
    guard !state.items.isEmpty else { return }
    var table = Table(
      ("policy", .left), ("id", .left), ("sha256", .left), ("bytes", .right), ("reason", .left))
    for item in state.items {
      table.add(
        item.text("policy"), item["id"]?.string ?? "-",
        item["sha256"]?.string.map { String($0.prefix(12)) } ?? "-",
        Spoken.bytes(Int64(item.number("bytes"))), item.text("reason"))
    }
    let lines = table.lines(console)
    console.print(state.isFirstPage ? lines : String(lines.drop { $0 != "\n" }.dropFirst()))
    state.isFirstPage = false
    state.items = []
  }
}
