// Rules about the whole: the top, the manifest, the arrows.

enum StructureRules {
  /// ARCHITECTURE §1: only these stand at the top.
  static func top(_ names: [String]) -> [Violation] {
    names.filter { !House.top.contains($0) && !$0.hasPrefix(".") }
      .map { Violation(path: $0, message: "does not belong at the top") }
      + House.top.subtracting(names).sorted()
      .map { Violation(path: $0, message: "is missing at the top") }
  }

  /// §1 and §5: no packages, no binaries, three system libraries, the settings for every target.
  static func manifest(_ file: RepositoryFile) -> [Violation] {
    var found: [Violation] = []
    let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, token) in file.tokens.enumerated() where token.kind == .word {
      guard index > 0, file.tokens[index - 1].text == "." else { continue }
      func report(_ message: String) {
        found.append(Violation(path: file.path, line: token.line, message: message))
      }
      switch token.text {
      case "package", "binaryTarget", "plugin", "macro", "unsafeFlags":
        report(".\(token.text) has no place here")
      case "systemLibrary":
        let line = String(lines[token.line - 1])
        if !House.systemLibraries.contains(where: { line.contains("name: \"\($0)\"") }) {
          report("this system library is not in the house's table")
        }
      case "target", "executableTarget", "testTarget":
        let call = arguments(after: index, in: file.tokens)
        if !call.contains("swiftSettings : settings") { report("a target without `settings`") }
      default: break
      }
    }
    for setting in House.settings where !file.text.contains(setting) {
      found.append(Violation(path: file.path, message: "the settings lack \(setting)"))
    }
    return found
  }

  /// The tokens of a call's parentheses, with spaces between them.
  private static func arguments(after index: Int, in tokens: [Token]) -> String {
    var depth = 0
    var words: [String] = []
    for token in tokens[(index + 1)...] {
      if token.text == "(" { depth += 1 }
      if token.text == ")" { depth -= 1 }
      words.append(token.text)
      if depth == 0 { break }
    }
    return words.joined(separator: " ")
  }

  /// §3: what a target imports is below it.
  static func imports(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, let target = file.target, file.isSwift else { return [] }
    guard let allowed = House.arrows[target] else {
      return [Violation(path: file.path, message: "the target \(target) is not in the table")]
    }
    let excused = House.importExceptions.filter { $0.path == file.path }.map(\.what)
    return importedModules(file.tokens).filter { name, _ in
      !allowed.contains(name) && !House.everywhere.contains(name) && !excused.contains(name)
    }.map { name, line in
      Violation(path: file.path, line: line, message: "\(target) must not import \(name)")
    }
  }

  /// The modules that `import` names; `import struct A.B` is `A`.
  static func importedModules(_ tokens: [Token]) -> [(name: String, line: Int)] {
    let kinds: Set<String> = [
      "struct", "class", "enum", "protocol", "typealias", "func", "var", "let",
    ]
    return tokens.indices.compactMap { index in
      guard tokens[index].text == "import", index + 1 < tokens.count else { return nil }
      var next = index + 1
      if kinds.contains(tokens[next].text), next + 1 < tokens.count { next += 1 }
      return tokens[next].kind == .word ? (tokens[next].text, tokens[index].line) : nil
    }
  }

  /// An exception that nothing needs any more is taken out of the table.
  static func staleExceptions(_ files: [RepositoryFile]) -> [Violation] {
    let all = House.importExceptions + House.unsafeFiles + House.loopholes
    return all.filter { exception in
      guard let file = files.first(where: { $0.path == exception.path }) else { return true }
      switch exception.what {
      case "unsafe": return !file.tokens.contains { $0.text == "unsafe" }
      case let what where House.loopholes.contains(where: { $0.what == what }):
        return !CodeRules.loopholes(file.tokens).contains { $0.what == what }
      case let module: return !importedModules(file.tokens).contains { $0.name == module }
      }
    }.map { Violation(path: $0.path, message: "no longer needs its exception \"\($0.what)\"") }
  }

  /// What connections share is lent to synchronous code only.
  static func waiting(_ file: RepositoryFile) -> [Violation] {
    guard House.sharedByConnections.contains(file.path) else { return [] }
    return file.tokens.filter { $0.text == "await" || $0.text == "async" }.map {
      let message = "\($0.text) stands where connections share what they use"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// A file that was renamed would not be held to that rule any more.
  static func staleShared(_ files: [RepositoryFile]) -> [Violation] {
    House.sharedByConnections.subtracting(files.map(\.path)).sorted()
      .map { Violation(path: $0, message: "is in a table of the house, and is not there") }
  }

  /// §6: a loose page in a target makes the build warn.
  static func loosePages(_ file: RepositoryFile) -> [Violation] {
    guard file.path.hasSuffix(".md"), file.target != nil, !file.isFixture,
      !file.path.contains(".docc/")
    else { return [] }
    return [Violation(path: file.path, message: "belongs into a .docc folder")]
  }
}
