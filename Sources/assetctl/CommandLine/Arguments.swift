internal import Configuration

/// A wrong command line: one sentence.
struct UsageFailure: Error, Equatable {
  let message: String

  init(_ message: String) { self.message = message }
}

/// A command line, taken apart by a command's form.
struct Arguments {
  /// What stands after the flags, or between them.
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]

  /// Takes words apart: `--flag value`, `--flag=value`, `--` before operands that begin with a
  /// dash.
  ///
  /// - Throws: `UsageFailure` that names the word, and the flag that was probably meant.
  init(_ words: some Sequence<String>, _ form: CommandForm) throws(UsageFailure) {
    var rest = Array(words)[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        return
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let given = String(parts[0])
      let name = given == "-h" ? "--help" : given == "-o" ? "--output" : given
      guard let flag = form.allFlags.first(where: { $0.name == name }) else {
        throw Self.unknown(given, among: form.allFlags.map(\.name), of: "assetctl \(form.name)")
      }
      let inline = parts.count == 2 ? String(parts[1]) : nil
      values[name, default: []].append(try Self.value(of: flag, inline, &rest))
    }
  }

  /// The flags of every command that stand before the command, with their values, and the rest of
  /// the line.
  ///
  /// - Throws: `UsageFailure` when one has no value.
  static func leading(
    _ words: [String]
  ) throws(UsageFailure) -> (flags: [String], rest: [String]) {
    var rest = words[...]
    while let word = rest.first {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = Flag.common.first { $0.name == parts.first.map(String.init) }
      guard let flag, flag.name != Flag.help.name else { break }
      rest.removeFirst()
      _ = try value(of: flag, parts.count == 2 ? String(parts[1]) : nil, &rest)
    }
    return (Array(words.prefix(words.count - rest.count)), Array(rest))
  }

  private static func value(
    of flag: Flag, _ inline: String?, _ rest: inout ArraySlice<String>
  ) throws(UsageFailure) -> String {
    guard flag.value != nil else {
      if inline != nil { throw UsageFailure("\(flag.name) takes no value.") }
      return ""
    }
    guard let value = inline ?? rest.popFirst(), !value.isEmpty else {
      throw UsageFailure("\(flag.name) needs a value.")
    }
    // A flag that was left without its value must not swallow the next flag.
    if inline == nil, value.hasPrefix("--") {
      throw UsageFailure("\(flag.name) needs a value; \"\(value)\" is a flag.")
    }
    return value
  }

  /// The failure of a word that is none of `known`.
  static func unknown(
    _ word: String, among known: [String], of subject: String
  ) -> UsageFailure {
    let guess = Spelling.nearest(to: word, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
    return UsageFailure("\"\(word)\" is not known.\(guess) See \(subject) --help.")
  }

  // MARK: Reading

  /// Whether a flag was given.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// A flag's value; the last one counts.
  subscript(_ name: String) -> String? { values[name]?.last }

  /// Every value of a flag that may be repeated.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// A flag's whole number above 0.
  func count(_ name: String) throws(UsageFailure) -> Int? {
    guard let text = self[name] else { return nil }
    guard let value = Int(text), value > 0 else {
      throw UsageFailure("\(name): \"\(text)\" is not a whole number above 0.")
    }
    return value
  }

  /// A flag's time, as seconds.
  func seconds(_ name: String) throws(UsageFailure) -> Int64? {
    guard let text = self[name] else { return nil }
    do throws(QuantityFailure) { return try Quantity.time(text).wholeSeconds } catch {
      throw UsageFailure("\(name): \"\(text)\" \(error.message).")
    }
  }

  /// A flag's size, in bytes.
  func bytes(_ name: String) throws(UsageFailure) -> Int64? {
    guard let text = self[name] else { return nil }
    do throws(QuantityFailure) { return try Quantity.bytes(text) } catch {
      throw UsageFailure("\(name): \"\(text)\" \(error.message).")
    }
  }

  /// One of a few words.
  func choice(_ name: String, of words: [String]) throws(UsageFailure) -> String? {
    guard let text = self[name] else { return nil }
    return try Self.choice(text, of: words, name)
  }

  /// - Throws: when `text` is none of `words`.
  static func choice(
    _ text: String, of words: [String], _ name: String
  ) throws(UsageFailure) -> String {
    guard words.contains(text) else {
      throw UsageFailure("\(name): \"\(text)\" is none of \(words.joined(separator: ", ")).")
    }
    return text
  }

  /// The one operand.
  func operand(_ what: String) throws(UsageFailure) -> String {
    guard operands.count == 1 else {
      throw UsageFailure(operands.isEmpty ? "\(what) is missing." : "One \(what) at a time.")
    }
    return operands[0]
  }

  /// At least one operand.
  func someOperands(_ what: String) throws(UsageFailure) -> [String] {
    guard !operands.isEmpty else { throw UsageFailure("\(what) is missing.") }
    return operands
  }

  /// None.
  func noOperands() throws(UsageFailure) {
    if let first = operands.first { throw UsageFailure("\"\(first)\" is one word too many.") }
  }
}
