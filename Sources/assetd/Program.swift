// The daemon: configuration in, a running service out, signals to the end.
internal import AssetService
internal import Configuration
internal import Foundation
internal import Kernel

@main
struct Program {
  /// Not async: an async `main` leaves the main thread to libdispatch, see `KernelThread.park`.
  static func main() {
    ProcessLife.begin()
    ProcessLife.ignoreStraySignals()
    // Before any thread starts: they all inherit the mask.
    let signals = SignalWatch([.terminate, .interrupt, .hangUp]) { ProcessLife.endSoon(0) }
    let words = Array(CommandLine.arguments.dropFirst())
    // Detached: nothing may wait for the main thread.
    Task.detached {
      do throws(UsageFailure) {
        await run(try Arguments(words), signals)
      } catch {
        end(2, "assetd: \(error.message)")
      }
      ProcessLife.end(0)
    }
    KernelThread.park()
  }

  private static func run(_ arguments: Arguments, _ signals: SignalWatch) async {
    switch arguments.action {
    case .help: end(0, Arguments.help, on: .output)
    case .version: end(0, "assetd \(AssetService.version)", on: .output)
    case .checkConfiguration:
      let settings = load(arguments)
      for warning in AssetService.warnings(for: settings) {
        StandardStream.error.write("warning: \(warning)\n")
      }
      end(0, settings.summary, on: .output)
    case .serve:
      await serve(load(arguments), signals)
    }
  }

  private static func load(_ arguments: Arguments) -> Settings {
    do throws(ConfigurationFailure) {
      let settings = try Settings.load(
        try ConfigurationFile.chosen(arguments.configuration), overrides: arguments.overrides,
        environment: ProcessInfo.processInfo.environment)
      let refused = settings.notOffered
      if !refused.isEmpty { end(2, refused.joined(separator: "\n")) }
      return settings
    } catch {
      end(2, error.description)
    }
  }

  private static func serve(_ settings: Settings, _ signals: SignalWatch) async {
    SystemInfo.raiseDescriptorLimit()
    SystemInfo.forbidCoreDumps()
    SystemInfo.keepFilesPrivate()
    let service: AssetService
    var options = AssetService.Options()
    options.tellsItsLife = true
    // A command of assetctl that has the store for itself must not keep the daemon from starting.
    options.lockPatience = .seconds(5)
    do throws(StartFailure) { service = try await AssetService.start(settings, options) } catch {
      end(3, "assetd: \(error)")
    }
    for address in service.addresses { StandardStream.output.write("listening on \(address)\n") }
    await untilTermination(signals, service)
    // The first one drains; the second one waits for nothing, and for a disk that hangs no longer
    // than `ProcessLife.endSoon` says.
    let impatience = Task {
      await untilTermination(signals, service)
      guard !Task.isCancelled else { return }
      await service.abandonCalls()
    }
    await service.stop(clientTime: settings.limits.drainTimeout)
    impatience.cancel()
  }

  private static func untilTermination(
    _ signals: SignalWatch, _ service: AssetService
  ) async {
    while await signals.next() == .hangUp { service.noteHangUp() }
  }

  private static func end(
    _ status: Int32, _ message: String, on stream: StandardStream = .error
  ) -> Never {
    let text = message.hasSuffix("\n") ? message : message + "\n"
    do throws(Errno) { try stream.write(text.utf8.span) } catch {
      if stream == .output {
        end(3, "assetd: standard output can not be written (\(error)).")
      }
    }
    ProcessLife.end(status)
  }
}
