// Rules about what runs on loops: nothing blocks, and errors have their status from one place.

enum LoopRules {
  /// Nothing blocks a loop: what waits for a disk, a name server or another thread stands in Store
  /// and Kernel, whose callers use workers, or in a file of the table.
  static func blocking(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, let target = file.target, House.loopRooms.contains(target) else {
      return []
    }
    let excused = House.blockingFiles.filter { $0.path == file.path }.map(\.what)
    return blocking(file.tokens).filter { !excused.contains($0.what) }.map {
      let message = "\($0.what) may block a loop: it belongs to a worker"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  static func blocking(_ tokens: [Token]) -> [(what: String, line: Int)] {
    tokens.indices.compactMap { index in
      let token = tokens[index]
      if House.blockingCalls.contains(token.text) { return (token.text, token.line) }
      guard index > 1 else { return nil }
      let (before, type) = (tokens[index - 1].text, tokens[index - 2].text)
      // `Data(contentsOf:)` and its like; `append(contentsOf:)` is another thing.
      if token.text == "contentsOf", before == "(", ["Data", "String"].contains(type) {
        return (token.text, token.line)
      }
      let isMember = House.blockingMembers.contains { $0.type == type && $0.member == token.text }
      return before == "." && isMember ? (token.text, token.line) : nil
    }
  }

  /// An error's status is a part of a `Failure`, which has its envelope: nobody answers with a bare
  /// one.
  static func statuses(_ file: RepositoryFile) -> [Violation] {
    guard file.isSource, file.target == "AssetService",
      file.path != "Sources/AssetService/Failures.swift"
    else { return [] }
    let excused = House.statusFiles.filter { $0.path == file.path }.map(\.what)
    return statuses(file.tokens).filter { !excused.contains($0.what) }.map {
      let message = "\($0.what) answers with an error's status: throw a Failure"
      return Violation(path: file.path, line: $0.line, message: message)
    }
  }

  /// Calls that begin an answer with a status of 4xx or 5xx.
  static func statuses(_ tokens: [Token]) -> [(what: String, line: Int)] {
    let answering: Set<String> = ["Response", "start", "answer", "refuse", "respond"]
    return tokens.indices.dropFirst(2).compactMap { index in
      guard let number = Int(tokens[index].text), (400..<600).contains(number) else { return nil }
      let (before, name) = (tokens[index - 1].text, tokens[index - 2].text)
      // A label's colon stands with it; that of `a ? status : 502` does not.
      let isLabelled = before == ":" && name == "status" && tokens[index - 1].isAttached
      let isFirst = before == "(" && answering.contains(name)
      return isLabelled || isFirst ? (name, tokens[index].line) : nil
    }
  }

  /// Exceptions that nothing needs any more.
  static func stale(_ files: [RepositoryFile]) -> [Violation] {
    let blocking = House.blockingFiles.filter { exception in
      !files.contains { file in
        file.path == exception.path
          && Self.blocking(file.tokens).contains { $0.what == exception.what }
      }
    }
    let statuses = House.statusFiles.filter { exception in
      !files.contains { file in
        file.path == exception.path
          && Self.statuses(file.tokens).contains { $0.what == exception.what }
      }
    }
    return (blocking + statuses).map {
      Violation(path: $0.path, message: "no longer needs its exception \"\($0.what)\"")
    }
  }
}
