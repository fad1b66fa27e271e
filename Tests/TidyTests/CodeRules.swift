// Rules about code: what its tokens may be.

enum CodeRules {
  /// §5: the word `unsafe` is an exact census of where memory is handled by hand.
  static func unsafeWord(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, let target = file.target, !House.unsafeRooms.contains(target),
      !House.unsafeFiles.contains(where: { $0.path == file.path }),
      let token = file.tokens.first(where: { $0.text == "unsafe" })
    else { return [] }
    let message = "`unsafe` stands outside of the rooms and files that may have it"
    return [Violation(path: file.path, line: token.line, message: message)]
  }

  /// §5: nothing that switches a check of the compiler off, unless the table has its reason.
  static func loopholes(_ file: RepositoryFile) -> [Violation] {
    let excused = House.loopholes.filter { $0.path == file.path }.map(\.what)
    return loopholes(file.tokens).filter { !excused.contains($0.what) }.map {
      Violation(path: file.path, line: $0.line, message: "\($0.what) is not allowed")
    }
  }

  static func loopholes(_ tokens: [Token]) -> [(what: String, line: Int)] {
    var found: [(what: String, line: Int)] = []
    for index in tokens.indices.dropFirst() {
      let token = tokens[index]
      let before = tokens[index - 1]
      switch token.text {
      case "unchecked" where before.text == "@": found.append(("@unchecked", token.line))
      case "unsafe" where before.text == "(" && index > 1 && tokens[index - 2].kind == .word:
        let word = tokens[index - 2].text
        if word == "nonisolated" || word == "unowned" {
          found.append(("\(word)(unsafe)", token.line))
        }
      case "!" where token.isAttached:
        let next = index + 1 < tokens.count ? tokens[index + 1] : nil
        if next?.text == "=", next?.isAttached == true { continue }
        switch before.text {
        case "try", "as": found.append((before.text + "!", token.line))
        case ")", "]", "}", ">", "?": found.append(("!", token.line))
        case _ where before.kind == .word: found.append(("!", token.line))
        default: break
        }
      default: break
      }
    }
    return found
  }

  /// §6: libraries are silent; programs print.
  static func printing(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, let target = file.target, !House.programs.contains(target) else {
      return []
    }
    let calls: Set<String> = ["print", "debugPrint", "dump"]
    return file.tokens.indices.dropLast().compactMap { index in
      let token = file.tokens[index]
      guard calls.contains(token.text), file.tokens[index + 1].text == "(" else { return nil }
      let before = index > 0 ? file.tokens[index - 1].text : ""
      guard before != ".", before != "func" else { return nil }
      return Violation(path: file.path, line: token.line, message: "a library does not print")
    }
  }

  /// Nothing blocks a loop: a standard stream is written by the log's thread (`LineWriter`), and by
  /// programs that have no loop to hold up.
  static func blockingStreams(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, let target = file.target, target != "Kernel",
      !House.programs.contains(target)
    else { return [] }
    return file.tokens.filter { House.blockingStreams.contains($0.text) }.map {
      let message = "\($0.text) may block a loop: hand the line to the log"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// exit(3) takes libssl apart while threads may still use it: `ProcessLife.end` waits for them.
  static func ends(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, file.target != "Kernel" else { return [] }
    return file.tokens.indices.dropLast().compactMap { index in
      let token = file.tokens[index]
      guard token.text == "exit" || token.text == "_exit", file.tokens[index + 1].text == "(",
        index == 0 || file.tokens[index - 1].text != "."
      else { return nil }
      let message = "a program ends by ProcessLife.end, which waits for its threads"
      return Violation(path: file.path, line: token.line, message: message)
    }
  }

  /// §6: a name says what a thing is.
  static func emptyNames(_ file: RepositoryFile) -> [Violation] {
    guard file.isSwift else { return [] }
    var found: [Violation] = []
    let name = file.path.split(separator: "/").last?.dropLast(6) ?? ""
    if hasEmptyPart(String(name)) {
      found.append(Violation(path: file.path, message: "the file's name says nothing"))
    }
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    for index in file.tokens.indices.dropLast() where kinds.contains(file.tokens[index].text) {
      let next = file.tokens[index + 1]
      if next.kind == .word, hasEmptyPart(next.text) {
        let message = "the name \(next.text) says nothing"
        found.append(Violation(path: file.path, line: next.line, message: message))
      }
    }
    return found
  }

  private static func hasEmptyPart(_ name: String) -> Bool {
    var parts = [""]
    for character in name {
      if character.isUppercase { parts.append("") }
      parts[parts.count - 1].append(character)
    }
    return parts.contains { House.emptyNames.contains($0) }
  }

  /// §6: a function fits a screen.
  static func functionLength(_ file: RepositoryFile) -> [Violation] {
    functions(file.tokens).filter { $0.lines > House.mostFunctionLines }.map {
      let message = "\($0.name) has \($0.lines) lines; at most \(House.mostFunctionLines)"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// Every function, initializer and subscript with a body: its lines from keyword to brace.
  static func functions(_ tokens: [Token]) -> [(name: String, line: Int, lines: Int)] {
    tokens.indices.compactMap { index in
      let token = tokens[index]
      let isAfterDot = index > 0 && tokens[index - 1].text == "."
      guard ["func", "init", "deinit", "subscript"].contains(token.text), !isAfterDot else {
        return nil
      }
      guard let open = bodyStart(after: index, in: tokens) else { return nil }
      var depth = 0
      for close in tokens[open...] {
        if close.text == "{" { depth += 1 }
        if close.text == "}" { depth -= 1 }
        guard depth == 0 else { continue }
        let name = token.text == "func" && index + 1 < tokens.count ? tokens[index + 1].text : ""
        let shown = name.isEmpty ? token.text : name
        return (shown, token.line, close.line - token.line + 1)
      }
      return nil
    }
  }

  /// The body's brace; nil for a requirement of a protocol, which the next declaration ends.
  private static func bodyStart(after index: Int, in tokens: [Token]) -> Int? {
    let ends: Set<String> = [
      "func", "init", "deinit", "subscript", "var", "let", "case", "static", "mutating",
      "typealias",
      "associatedtype", "public", "internal", "private", "struct", "enum", "class", "extension",
      "@",
      "}",
    ]
    var depth = 0
    for next in (index + 1)..<max(tokens.count, index + 1) {
      switch tokens[next].text {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "{" where depth == 0: return next
      case let text where depth == 0 && next > index + 1 && ends.contains(text):
        // `-> @Sendable () -> Void` and `throws(E)` stand on the declaration's own lines.
        if text != "@" || tokens[next].line != tokens[next - 1].line { return nil }
      default: break
      }
      if depth < 0 { return nil }
    }
    return nil
  }
}
