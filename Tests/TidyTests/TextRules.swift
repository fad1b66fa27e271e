// Rules about lines: lengths, notes, places, documentation.

enum TextRules {
  private static let linted = [
    ".swift", ".h", ".sh", ".json5", ".modulemap", ".c", ".ci/run", ".ci/fuzz", ".ci/races",
  ]

  /// §6: a file is at most 400 lines.
  static func fileLength(_ file: RepositoryFile) -> [Violation] {
    guard isLinted(file) else { return [] }
    let count = file.text.utf8.count(where: { $0 == 0x0A })
    guard count > House.mostLines else { return [] }
    let message = "has \(count) lines; at most \(House.mostLines)"
    return [Violation(path: file.path, message: message)]
  }

  /// §6: 100 columns.
  static func columns(_ file: RepositoryFile) -> [Violation] {
    guard isLinted(file) else { return [] }
    return lines(file) { line in
      // Bytes bound characters: most lines need no count.
      line.utf8.count > House.mostColumns && line.count > House.mostColumns
        ? "more than \(House.mostColumns) columns" : nil
    }
  }

  /// §6: what is to be done is an issue, not a comment.
  static func notes(_ file: RepositoryFile) -> [Violation] {
    guard !file.isFixture else { return [] }
    return lines(file, with: House.notes) { "\"\($0)\" is an issue, not a comment" }
  }

  /// Nothing names a folder of the machine that it was written on.
  static func workplaces(_ file: RepositoryFile) -> [Violation] {
    guard !file.isFixture else { return [] }
    return lines(file, with: House.workplaces) { "\"\($0)\" is a place of someone's machine" }
  }

  private static func isLinted(_ file: RepositoryFile) -> Bool {
    !file.isFixture && linted.contains { file.path.hasSuffix($0) }
  }

  private static func lines(
    _ file: RepositoryFile, _ judge: (Substring) -> String?
  ) -> [Violation] {
    file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .compactMap { index, line in
        judge(line).map { Violation(path: file.path, line: index + 1, message: $0) }
      }
  }

  /// The file is searched as a whole first: hits are rare.
  private static func lines(
    _ file: RepositoryFile, with words: [String], _ message: (String) -> String
  ) -> [Violation] {
    let found = words.filter { file.text.contains($0) }
    guard !found.isEmpty else { return [] }
    return lines(file) { line in found.first { line.contains($0) }.map(message) }
  }

  /// §6: every public or package declaration says what it is.
  static func documentation(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, file.isSwift else { return [] }
    let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
    var found: [Violation] = []
    for (index, token) in file.tokens.enumerated() where isExported(index, in: file.tokens) {
      var above = token.line - 2
      while above >= 0, lines[above].drop(while: { $0 == " " }).hasPrefix("@") { above -= 1 }
      let isDocumented =
        above >= 0 && lines[above].drop(while: { $0 == " " }).hasPrefix("///")
      if !isDocumented {
        let message = "a \(token.text) declaration without ///"
        found.append(Violation(path: file.path, line: token.line, message: message))
      }
    }
    return found
  }

  private static let afterAccess: Set<String> = [
    "@", "actor", "associatedtype", "borrowing", "class", "consuming", "convenience", "enum",
    "final", "fileprivate", "func", "indirect", "init", "internal", "isolated", "lazy", "let",
    "mutating", "nonisolated", "nonmutating", "override", "private", "protocol", "required",
    "static", "struct", "subscript", "typealias", "unowned", "var", "weak",
  ]

  /// Whether the token is an access level before a declaration, and no name, label or call.
  private static func isExported(_ index: Int, in tokens: [Token]) -> Bool {
    guard ["public", "package", "open"].contains(tokens[index].text), index + 1 < tokens.count
    else { return false }
    let before = index > 0 ? tokens[index - 1].text : ""
    return afterAccess.contains(tokens[index + 1].text) && ![".", ",", "case"].contains(before)
  }
}
