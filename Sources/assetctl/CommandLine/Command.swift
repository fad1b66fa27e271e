internal import Configuration
internal import Kernel

/// How a command ended; what every `--help` says about it.
enum ExitStatus: Int32, Sendable, Comparable {
  /// Done.
  case done = 0
  /// Done, and something is not as it should be; or refused.
  case problems = 1
  /// Wrong arguments or configuration.
  case usage = 2
  /// It could not run.
  case failed = 3

  /// By gravity.
  static func < (a: ExitStatus, b: ExitStatus) -> Bool { a.rawValue < b.rawValue }
}

/// Why a command could not do its work: one sentence, and how the program ends.
struct CommandFailure: Error, Equatable {
  let message: String
  let status: ExitStatus

  init(_ message: String, _ status: ExitStatus = .failed) {
    self.message = message
    self.status = status
  }
}

/// One command; one file each in `Commands/`.
protocol Command: Sendable {
  /// What its line may hold.
  static var form: CommandForm { get }

  /// Checks the line before anything is touched.
  init(_ arguments: Arguments) throws(UsageFailure)

  /// Does it.
  func run(_ errand: Errand) async throws -> ExitStatus
}

/// What a command works with.
struct Errand: Sendable {
  /// The configuration with its flags.
  let settings: Settings
  /// Whether `--storage` was given.
  let namesStorage: Bool
  /// Whether the output is for programs.
  let json: Bool
  let console: Console
  /// Ctrl-C and its like, for a command that has something to put away; `nil`: they end it.
  let signals: SignalWatch?
  /// The permission bits of files that are written for the one who runs the command.
  let fileMode: UInt32
}

/// All commands, in the order of the help.
enum Commands {
  static let all: [any Command.Type] = [
    DemoCommand.self, GCCommand.self, StatsCommand.self, ListCommand.self, ShowCommand.self,
    PutCommand.self, GetCommand.self, RemoveCommand.self, PinCommand.self, UnpinCommand.self,
    LinkCommand.self, KeysCreateCommand.self, KeysListCommand.self, KeysRevokeCommand.self,
  ]

  /// The command that a line begins with, and the rest of the line.
  static func find(
    _ words: [String]
  ) throws(UsageFailure) -> (command: any Command.Type, rest: ArraySlice<String>) {
    for command in all {
      let name = command.form.name.split(separator: " ").map(String.init)
      if words.starts(with: name) { return (command, words.dropFirst(name.count)) }
    }
    let names = all.map { $0.form.name }
    let group = names.filter { $0.hasPrefix((words.first ?? "") + " ") }
    guard group.isEmpty else {
      let choice = group.joined(separator: ", ")
      if words.count < 2 { throw UsageFailure("There are \(choice); say which.") }
      throw Arguments.unknown(words[1], among: group.map { lastWord($0) }, of: "assetctl")
    }
    throw Arguments.unknown(words.first ?? "", among: names.map { firstWord($0) }, of: "assetctl")
  }

  private static func firstWord(_ name: String) -> String { String(name.prefix { $0 != " " }) }

  private static func lastWord(_ name: String) -> String {
    name.split(separator: " ").last.map(String.init) ?? name
  }

  /// The commands that begin with this word, where it is none by itself: `keys`.
  static func group(_ word: String) -> [any Command.Type] {
    all.filter { $0.form.name.hasPrefix(word + " ") }
  }

  /// The help of all, or of some that belong together.
  static func help(_ commands: [any Command.Type] = all, width: Int) -> String {
    let rows = commands.map { ($0.form.name, $0.form.summary) }
    let about =
      "Looks after a store of assetd: through the running daemon, or alone under the "
      + "store's lock."
    let more = "assetctl COMMAND --help tells more; assetctl --version the version."
    return ["Usage: assetctl COMMAND [flags]", about.wrapped(to: width)]
      .joined(separator: "\n\n") + "\n\n" + CommandForm.table(rows, width: width) + "\n"
      + [more, CommandForm.exitStatus].map { $0.wrapped(to: width) }.joined(separator: "\n\n")
      + "\n"
  }
}
