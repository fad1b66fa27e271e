/// Rows in aligned columns.
struct Table {
  /// Where a column's text stands.
  enum Alignment {
    case left, right
  }
  private let heads: [(title: String, alignment: Alignment)]
  /// Columns that are left out where there is no room for all, the first one first.
  private let expendable: [String]
  private(set) var rows: [[String]] = []

  init(_ heads: (String, Alignment)..., leavingOut expendable: [String] = []) {
    self.heads = heads.map { (title: $0.0, alignment: $0.1) }
    self.expendable = expendable
  }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// The lines, the heads first; programs that want all of it ask for JSON.
  func lines(_ console: Console) -> String {
    let titles = heads.map(\.title)
    let widths = heads.indices.map { column in
      ([titles] + rows).map { $0[column].count }.max() ?? 0
    }
    let shown = columns(widths, console.width)
    let head = console.bold(line(titles, widths, shown))
    return ([head] + rows.map { line($0, widths, shown) }).map { $0 + "\n" }.joined()
  }

  /// The columns that find room.
  private func columns(_ widths: [Int], _ width: Int) -> [Int] {
    var shown = Array(heads.indices)
    for title in expendable {
      guard shown.reduce(-2, { $0 + widths[$1] + 2 }) > width else { break }
      shown.removeAll { heads[$0].title == title }
    }
    return shown
  }

  private func line(_ cells: [String], _ widths: [Int], _ shown: [Int]) -> String {
    var text = ""
    for column in shown {
      let cell = cells[column]
      let padding = String(repeating: " ", count: widths[column] - cell.count)
      text += heads[column].alignment == .right ? padding + cell : cell + padding
      text += "  "
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// Names and values, one per line.
struct FactList {
  private var facts: [(name: String, value: String)] = []

  mutating func add(_ name: String, _ value: String?) {
    if let value { facts.append((name, value)) }
  }

  func lines(_ console: Console) -> String {
    let width = facts.map(\.name.count).max() ?? 0
    return facts.map { name, value in
      console.faint(name) + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }.joined()
  }
}
