// Every statement's plan is known: `CatalogSQLTests` asks SQLite for the plan of each case of
// `CatalogSQL`, and these rules see to it that there is no other SQL.

enum SQLRules {
  /// Words that a statement has: in capitals, as SQL is written here.
  private static let statements: [[String]] = [
    ["SELECT"], ["INSERT", "INTO"], ["INSERT", "OR"], ["REPLACE", "INTO"], ["DELETE", "FROM"],
    ["UPDATE"], ["WITH", "RECURSIVE"], ["PRAGMA"], ["ATTACH"], ["VACUUM"], ["ANALYZE"],
    ["CREATE", "TABLE"], ["CREATE", "TEMP"], ["CREATE", "INDEX"], ["CREATE", "UNIQUE"],
    ["CREATE", "TRIGGER"], ["CREATE", "VIEW"], ["ALTER", "TABLE"], ["DROP", "TABLE"],
  ]
  /// What takes SQL as text: `Connection` and its shorthands.
  private static let takers: Set<String> = ["prepare", "execute"]
  private static let shorthands: Set<String> = ["integer", "text"]

  /// SQL stands in `CatalogSQL`, in the schema, and in the room that speaks to SQLite.
  static func texts(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, file.target != "SQLite" else { return [] }
    guard !House.sqlTexts.contains(where: { $0.path == file.path }) else { return [] }
    return file.tokens.filter { $0.kind == .string && isSQL($0.content) }.map {
      let message = "SQL has its place in CatalogSQL, where its plan is asked for"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// A statement is run by its name in `CatalogSQL`: text goes to SQLite in few places.
  static func calls(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, file.target != "SQLite" else { return [] }
    let excused = House.sqlCalls.filter { $0.path == file.path }.map(\.what)
    return calls(file.tokens).filter { !excused.contains($0.what) }.map {
      let message = "\($0.what)() takes SQL that no test knows: a session takes a CatalogSQL"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// Calls that hand a text to SQLite.
  static func calls(_ tokens: [Token]) -> [(what: String, line: Int)] {
    tokens.indices.dropLast().compactMap { index in
      let token = tokens[index]
      guard index > 1, tokens[index - 1].text == ".", tokens[index + 1].text == "(" else {
        return nil
      }
      let isShorthand =
        shorthands.contains(token.text) && tokens[index - 2].text == "connection"
      return takers.contains(token.text) || isShorthand ? (token.text, token.line) : nil
    }
  }

  static func isSQL(_ text: String) -> Bool {
    let words = text.split(whereSeparator: { !($0.isLetter || $0 == "_") })
    return words.indices.contains { index in
      statements.contains { words[index...].starts(with: $0.map { $0[...] }) }
    }
  }

  /// Exceptions that nothing needs any more.
  static func stale(_ files: [RepositoryFile]) -> [Violation] {
    let texts = House.sqlTexts.filter { exception in
      !files.contains { file in
        file.path == exception.path && file.tokens.contains { isSQL($0.content) }
      }
    }
    let calls = House.sqlCalls.filter { exception in
      !files.contains { file in
        file.path == exception.path
          && Self.calls(file.tokens).contains { $0.what == exception.what }
      }
    }
    return (texts + calls).map {
      Violation(path: $0.path, message: "no longer needs its exception \"\($0.what)\"")
    }
  }
}
