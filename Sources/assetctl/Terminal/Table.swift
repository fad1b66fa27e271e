/// Rows in aligned columns.
struct Table {
  /// Where a column's text stands.
  enum Alignment {
    case left, right
  }
  private let heads: [(title: String, alignment: Alignment)]
  private(set) var rows: [[String]] = []

  init(_ heads: (String, Alignment)...) {
    self.heads = heads.map { (title: $0.0, alignment: $0.1) }
  }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// The lines, the heads first.
  func lines(_ console: Console) -> String {
    let titles = heads.map(\.title)
    let widths = heads.indices.map { column in
      ([titles] + rows).map { $0[column].count }.max() ?? 0
    }
    let head = console.bold(line(titles, widths))
    return ([head] + rows.map { line($0, widths) }).map { $0 + "\n" }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
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
