// What a command's line may hold, said once: the parser and the help both read it.

/// One flag.
struct Flag: Sendable {
  /// With its dashes.
  let name: String
  /// What stands for its value in the help; `nil`: it has none.
  let value: String?
  /// What it does, in one line.
  let help: String

  init(_ name: String, _ value: String? = nil, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
  }

  static let config = Flag(
    "--config", "FILE", "the configuration (default: Config/assetd.json5, or built in)")
  static let storage = Flag("--storage", "DIR", "the store, over storage.root")
  static let json = Flag("--json", "one JSON object per line")
  static let help = Flag("--help", "this text")

  /// Those of every command.
  static let common = [config, storage, json, help]
}

extension Flag {
  init(_ name: String, _ help: String) { self.init(name, nil, help) }
}

/// How a command is called.
struct CommandForm: Sendable {
  /// One word or two: `gc`, `keys create`.
  let name: String
  /// What follows the flags: `ID…`; empty for nothing.
  let operands: String
  /// What it does, in one line.
  let summary: String
  /// Its own flags.
  let flags: [Flag]
  /// What its flags do not say.
  let details: String

  init(
    _ name: String, operands: String = "", summary: String, flags: [Flag] = [],
    details: String = ""
  ) {
    self.name = name
    self.operands = operands
    self.summary = summary
    self.flags = flags
    self.details = details
  }

  var allFlags: [Flag] { flags + Flag.common }

  /// The text of `--help`, in lines of at most `width` characters.
  func help(width: Int) -> String {
    let operands = operands.isEmpty ? "" : " \(operands)"
    var text = "Usage: assetctl \(name)\(operands)\(flags.isEmpty ? "" : " [flags]")\n\n"
    text += summary.wrapped(to: width) + "\n\n"
    if !details.isEmpty { text += details.wrapped(to: width) + "\n\n" }
    let rows = allFlags.map { ($0.name + ($0.value.map { " \($0)" } ?? ""), $0.help) }
    text += Self.table(rows, width: width)
    return text + "\n" + Self.exitStatus.wrapped(to: width) + "\n"
  }

  /// Two columns; the right one goes on below itself.
  static func table(_ rows: [(left: String, right: String)], width: Int) -> String {
    let indent = (rows.map(\.left.count).max() ?? 0) + 4
    return rows.map { left, right in
      let lines = right.lines(of: max(20, width - indent))
      let first = "  " + left + String(repeating: " ", count: indent - 2 - left.count)
      let margin = "\n" + String(repeating: " ", count: indent)
      return first + lines.joined(separator: margin) + "\n"
    }.joined()
  }

  static let exitStatus = """
    Exit status: 0 done; 1 problems found (no such asset, a refusal, a difference); 2 wrong
    arguments or configuration; 3 could not run (no store, store in use, no answer, disk full).
    """
}
