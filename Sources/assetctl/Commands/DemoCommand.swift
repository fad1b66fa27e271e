internal import AssetService
internal import Configuration
internal import Foundation
internal import Kernel

/// `assetctl demo`
struct DemoCommand: Command {
  static let form = CommandForm(
    "demo", summary: "Shows the whole main job with one image, on a daemon of its own.",
    flags: [
      Flag("--prompt", "TEXT", "what is drawn"),
      Flag("--size", "WxH", "how large (default \(defaultSize))"),
      Flag("--keep", "stay up for a browser until Ctrl-C, and keep the store"),
    ],
    details: """
      The image is drawn in this process: no key, no network, no cost. Without --storage the store
      is a folder for temporary files, which is removed at the end.
      """)

  #if DEBUG
    /// A debug build draws slowly.
    private static let defaultSize = "256x256"
  #else
    private static let defaultSize = "1024x1024"
  #endif
  private static let defaultPrompt = "a lighthouse in a storm, stained glass"

  let prompt: String
  let size: String
  let keeps: Bool

  init(_ arguments: Arguments) throws(UsageFailure) {
    try arguments.noOperands()
    if arguments.has("--config") {
      throw UsageFailure("The demo runs with the built-in configuration; leave out --config.")
    }
    prompt = arguments["--prompt"] ?? Self.defaultPrompt
    size = arguments["--size"] ?? Self.defaultSize
    let sides = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, sides.allSatisfy({ ($0 ?? 0) > 0 }) else {
      throw UsageFailure("--size: \"\(size)\" is no size; write 512x512.")
    }
    keeps = arguments.has("--keep")
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    let root = errand.namesStorage ? errand.settings.storage.root : Self.temporaryRoot
    let isTemporary = !errand.namesStorage && !keeps
    defer { if isTemporary { Self.remove(root) } }
    let isWhole = try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await show(in: root, errand)
        return true
      }
      if let signals = errand.signals {
        group.addTask {
          if await signals.next() != nil { Self.insist(on: isTemporary ? root : nil) }
          return false
        }
      }
      defer { group.cancelAll() }
      return try await group.next() ?? false
    }
    return isWhole || keeps ? .done : .problems
  }

  /// Who says Ctrl-C does not wait for an image that is being drawn: the process ends soon.
  private static func insist(on root: String?) {
    Task.detached {
      do { try await Task.sleep(for: .seconds(2)) } catch {}
      if let root { remove(root) }
      ProcessLife.end(ExitStatus.problems.rawValue)
    }
  }

  /// What can not be removed is left to who looks after temporary files.
  private static func remove(_ root: String) { try? FileManager.default.removeItem(atPath: root) }

  private static var temporaryRoot: String {
    let number = UInt32.random(in: 0 ... .max)
    return FileManager.default.temporaryDirectory.path + "/assetd-demo-" + String(number, radix: 16)
  }

  /// All steps on a service of their own; with `--keep` it stays up until the task is cancelled.
  func show(in root: String, _ errand: Errand) async throws {
    let teller = StepTeller(errand)
    let service = try await AssetService.start(Self.settings(root), Self.options(keeps: keeps))
    do {
      try await walk(service, root, teller)
      if keeps {
        await stay(root, errand)
      } else if !errand.json {
        end(teller, errand)
      }
      await service.stop(clientTime: .seconds(1))
    } catch {
      await service.stop(clientTime: .seconds(1))
      throw error
    }
  }

  private func walk(
    _ service: AssetService, _ root: String, _ teller: StepTeller
  ) async throws {
    guard let base = service.addresses.first else { throw CommandFailure("Nothing listens.") }
    let folder = try Folder(root)
    let web = try await ServiceClient(.base(base))
    let operatorDoor = try await ServiceClient(
      .socket(path: folder.socketPath, host: "localhost"), keeping: folder)
    let walk = DemoWalk(
      prompt: prompt, size: size, base: base, root: root, web: web, operatorDoor: operatorDoor,
      teller: teller)
    do {
      try await walk.run()
      await web.close()
      await operatorDoor.close()
    } catch {
      await web.close()
      await operatorDoor.close()
      throw error
    }
  }

  private func end(_ teller: StepTeller, _ errand: Errand) {
    let seconds = (teller.elapsed * 10).rounded() / 10
    let store = errand.namesStorage ? "the store stays" : "the store is removed"
    errand.console.print(
      "\nDone in \(seconds) s; \(store). With --keep the daemon stays up for a browser.")
  }

  private func stay(_ root: String, _ errand: Errand) async {
    errand.console.errors(
      "\nOpen the link in a browser, or look around: assetctl ls --storage \(root)\n"
        + "Ctrl-C ends the daemon; the store stays.\n")
    do { try await Task.sleep(for: .seconds(366 * 24 * 3600)) } catch {}
  }

  // MARK: The daemon

  private static func settings(_ root: String) -> Settings {
    var settings = Settings()
    settings.listen = [ListenAddress(IPAddress(127, 0, 0, 1), port: 0)]
    settings.storage.root = root
    // One image must fit, however full the disk is.
    settings.storage.minFreeBytes = 0
    // What has expired is shown at once as what a collection takes.
    settings.collection.grace = .zero
    settings.log.access = .off
    settings.log.level = .warning
    return settings
  }

  private static func options(keeps: Bool) -> AssetService.Options {
    var options = AssetService.Options()
    options.keepsHouse = keeps
    return options
  }
}
