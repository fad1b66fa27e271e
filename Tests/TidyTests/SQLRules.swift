// Every statement's plan is known: `CatalogSQLTests` asks SQLite for the plan of each case of
// `CatalogSQL`, and these rules see to it that there is no other SQL.

enum SQLRules {
  /// Words that a statement has, or a part of one: in capitals, as SQL is written here.
  private static let statements: [[String]] = [
    ["SELECT"], ["INSERT", "INTO"], ["INSERT", "OR"], ["REPLACE", "INTO"], ["DELETE", "FROM"],
    ["UPDATE"], ["WITH", "RECURSIVE"], ["PRAGMA"], ["ATTACH"], ["VACUUM"], ["ANALYZE"],
    ["CREATE", "TABLE"], ["CREATE", "TEMP"], ["CREATE", "INDEX"], ["CREATE", "UNIQUE"],
    ["CREATE", "TRIGGER"], ["CREATE", "VIEW"], ["ALTER", "TABLE"], ["DROP", "TABLE"],
    ["FROM"], ["WHERE"], ["ORDER", "BY"], ["LEFT", "JOIN"],
  ]
  /// The same in any spelling: SQLite takes small letters as well.
  private static let spokenStatements: [[String]] = [
    ["insert", "into"], ["delete", "from"], ["replace", "into"], ["select", "count"],
    ["select", "max"], ["select", "min"], ["select", "sum"],
  ]
  /// What takes SQL as text: `Connection` and its shorthands.
  private static let takers: Set<String> = ["prepare", "execute"]
  private static let shorthands: Set<String> = ["integer", "text"]

  /// SQL stands in `CatalogSQL` and in the schema. The room that speaks to SQLite has some too, but
  /// none about tables of ours: `sqlite_schema` is there in every database.
  static func texts(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource else { return [] }
    guard !House.sqlTexts.contains(where: { $0.path == file.path }) else { return [] }
    return file.tokens.filter { token in
      guard token.kind == .string, isSQL(token.content) else { return false }
      return file.target != "SQLite" || namesTables(token.content)
    }.map {
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

  /// Calls that hand a text to SQLite, and methods that are taken for a later call.
  static func calls(_ tokens: [Token]) -> [(what: String, line: Int)] {
    let speaksToSQLite = StructureRules.importedModules(tokens).contains { $0.name == "SQLite" }
    return tokens.indices.compactMap { index in
      let token = tokens[index]
      guard index > 1, tokens[index - 1].text == "." else { return nil }
      if takers.contains(token.text) { return (token.text, token.line) }
      guard shorthands.contains(token.text), index + 2 < tokens.count,
        tokens[index + 1].text == "("
      else { return nil }
      // Of a statement's columns they take the number.
      let isGivenText = speaksToSQLite && tokens[index + 2].kind == .string
      return tokens[index - 2].text == "connection" || isGivenText
        ? (token.text, token.line) : nil
    }
  }

  static func isSQL(_ text: String) -> Bool {
    let words = words(of: text)
    let spoken = words.map { $0.lowercased() }
    return words.indices.contains { index in
      statements.contains { words[index...].starts(with: $0) }
        || spokenStatements.contains { spoken[index...].starts(with: $0) }
    }
  }

  /// Whether a statement reads or changes a table of ours.
  private static func namesTables(_ text: String) -> Bool {
    let words = words(of: text)
    return words.indices.contains { index in
      let next = index + 1 < words.count ? words[index + 1] : ""
      return ["FROM", "INTO", "UPDATE", "JOIN", "TABLE"].contains(words[index].uppercased())
        && next != "sqlite_schema"
    }
  }

  private static func words(of text: String) -> [String] {
    text.split(whereSeparator: { !($0.isLetter || $0 == "_") }).map(String.init)
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
