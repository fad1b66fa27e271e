// The operator's command. Every command talks HTTP to the store's admin socket: the daemon's when
// one runs, else that of a service which lives as long as the command (Service/StoreAccess.swift).
internal import AssetService
internal import Configuration
internal import Foundation
internal import Kernel

@main
struct Program {
  /// Not async: the runtime would park the main thread in sigsuspend(2) with an empty mask
  /// (dispatch_main), and a signal that the demo waits for would end the process there.
  static func main() {
    ProcessLife.begin()
    SystemInfo.forbidCoreDumps()
    // What it makes of a store is as private as if the daemon had made it.
    let umask = SystemInfo.keepFilesPrivate()
    let words = Array(CommandLine.arguments.dropFirst())
    let command = (try? Arguments.leading(words))?.rest.first
    let signals =
      command == DemoCommand.form.name ? SignalWatch([.interrupt, .terminate]) : nil
    // Detached: nothing may wait for the main thread.
    Task.detached {
      ProcessLife.end(await run(words, Console.standard(), signals, umask: umask).rawValue)
    }
    KernelThread.park()
  }

  /// Runs one command line.
  ///
  /// - Parameter umask: of what is written for the one who runs it.
  static func run(
    _ words: [String], _ console: Console, _ signals: SignalWatch? = nil, umask: UInt32 = 0o022
  ) async -> ExitStatus {
    do {
      let status = try await dispatch(words, console, signals, umask)
      try console.check()
      return status
    } catch {
      let failure = CommandFailure(error)
      console.complain(failure.message)
      return failure.status
    }
  }

  private static func dispatch(
    _ words: [String], _ console: Console, _ signals: SignalWatch?, _ umask: UInt32
  ) async throws -> ExitStatus {
    let (common, words) = try Arguments.leading(words)
    switch words.first {
    case nil:
      console.complain(Commands.help(width: console.width))
      return .usage
    case "--help", "-h", "help":
      console.print(Commands.help(width: console.width))
      return .done
    case "--version":
      console.print("assetctl \(AssetService.version)")
      return .done
    case let word? where words.dropFirst().first.map { $0 == "--help" || $0 == "-h" } == true:
      let group = Commands.group(word)
      guard !group.isEmpty else { break }
      console.print(Commands.help(group, width: console.width))
      return .done
    default: break
    }
    let (command, rest) = try Commands.find(words)
    let arguments = try Arguments(common + rest, command.form)
    if arguments.has("--help") {
      console.print(command.form.help(width: console.width))
      return .done
    }
    let prepared = try command.init(arguments)
    return try await prepared.run(try errand(arguments, console, signals, umask))
  }

  private static func errand(
    _ arguments: Arguments, _ console: Console, _ signals: SignalWatch?, _ umask: UInt32
  ) throws(ConfigurationFailure) -> Errand {
    var overrides = ConfigurationOverrides()
    overrides.storageRoot = arguments["--storage"]
    let settings = try Settings.load(
      try ConfigurationFile.chosen(arguments["--config"]), overrides: overrides,
      environment: ProcessInfo.processInfo.environment)
    return Errand(
      settings: settings, namesStorage: arguments.has("--storage"), json: arguments.has("--json"),
      console: console, signals: signals, fileMode: 0o666 & ~umask)
  }
}

extension CommandFailure {
  /// Any error, as the operator sees it.
  init(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let failure as UsageFailure: self.init(failure.message, .usage)
    case let failure as ConfigurationFailure: self.init(failure.description, .usage)
    case let failure as StartFailure: self.init("The store can not be opened: \(failure).")
    default: self.init("\(error)")
    }
  }
}
