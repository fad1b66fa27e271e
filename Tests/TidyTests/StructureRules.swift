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

  /// Nor does what other files add to the types of those files.
  static func waitingElsewhere(_ files: [RepositoryFile]) -> [Violation] {
    let types = Set(
      files.filter { House.sharedByConnections.contains($0.path) }
        .flatMap { declaredTypes($0.tokens) })
    return files.filter { $0.isSource && !House.sharedByConnections.contains($0.path) }
      .flatMap { file in
        extensions(file.tokens).flatMap { name, body in
          guard types.contains(name), !isExcused(file.path, name) else { return [] as [Violation] }
          return body.filter { $0.text == "await" || $0.text == "async" }.map {
            let message = "\($0.text) in an extension of \(name), which connections share"
            return Violation(path: file.path, line: $0.line, message: message)
          }
        }
      }
  }

  private static func isExcused(_ path: String, _ type: String) -> Bool {
    House.waitingExtensions.contains { $0.path == path && $0.what == type }
  }

  /// Types that are declared at the top of a file.
  private static func declaredTypes(_ tokens: [Token]) -> [String] {
    var depth = 0
    return tokens.indices.dropLast().compactMap { index in
      if tokens[index].text == "{" { depth += 1 }
      if tokens[index].text == "}" { depth -= 1 }
      let isType = ["struct", "class", "enum"].contains(tokens[index].text)
      return depth == 0 && isType ? tokens[index + 1].text : nil
    }
  }

  /// Each extension's type and body.
  private static func extensions(_ tokens: [Token]) -> [(name: String, body: ArraySlice<Token>)] {
    tokens.indices.compactMap { index in
      guard tokens[index].text == "extension", index + 1 < tokens.count,
        let open = tokens[index...].firstIndex(where: { $0.text == "{" })
      else { return nil }
      var depth = 0
      let end = tokens[open...].firstIndex { token in
        if token.text == "{" { depth += 1 }
        if token.text == "}" { depth -= 1 }
        return depth == 0
      }
      return (tokens[index + 1].text, tokens[open..<(end ?? tokens.endIndex)])
    }
  }

  /// An answer's buffers belong to the loop, which lends them to synchronous code: nobody else has
  /// a property that holds or reaches them.
  static func sharedBuffers(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource else { return [] }
    return file.tokens.indices.compactMap { index in
      let tokens = file.tokens
      guard tokens[index].text == "var" || tokens[index].text == "let", index + 3 < tokens.count,
        [":", "="].contains(tokens[index + 2].text),
        House.loopBuffers.keys.contains(tokens[index + 3].text)
      else { return nil }
      let isInPlace = House.loopBuffers[tokens[index + 3].text] == file.path
      let isPrivate = index > 0 && tokens[index - 1].text == "private"
      let mustBePrivate = tokens[index + 3].text == "LoopScratch"
      guard !isInPlace || (mustBePrivate && !isPrivate) else { return nil }
      let message = "\(tokens[index + 3].text) is the loop's, and lent by ServerLoop.lend alone"
      return Violation(path: file.path, line: tokens[index].line, message: message)
    }
  }

  /// A file that was renamed would not be held to these rules any more.
  static func staleShared(_ files: [RepositoryFile]) -> [Violation] {
    let missing = House.sharedByConnections.union(House.loopBuffers.values)
      .subtracting(files.map(\.path)).sorted()
      .map { Violation(path: $0, message: "is in a table of the house, and is not there") }
    let idle = House.waitingExtensions.filter { exception in
      !files.contains { file in
        file.path == exception.path
          && extensions(file.tokens).contains { name, body in
            name == exception.what && body.contains { $0.text == "await" }
          }
      }
    }
    return missing
      + idle.map {
        Violation(path: $0.path, message: "no longer needs its exception \"\($0.what)\"")
      }
  }

  /// §6: a loose page in a target makes the build warn.
  static func loosePages(_ file: RepositoryFile) -> [Violation] {
    guard file.path.hasSuffix(".md"), file.target != nil, !file.isFixture,
      !file.path.contains(".docc/")
    else { return [] }
    return [Violation(path: file.path, message: "belongs into a .docc folder")]
  }
}
