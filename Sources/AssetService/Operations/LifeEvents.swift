// What the daemon tells about itself when it starts.
public import Configuration
internal import Foundation
internal import Kernel
internal import Wire

extension LogSink {
  /// It serves at these addresses; and what of the configuration an operator should look at.
  func started(_ settings: Settings, at addresses: [String]) {
    event(
      .info, "started", .init(name: "version", value: .string(AssetService.version)),
      .init(
        name: "pid", value: .number(JSONNumber(Int(ProcessInfo.processInfo.processIdentifier)))),
      .init(name: "listen", value: .array(addresses.map { .string($0) })),
      .init(name: "storage", value: .string(settings.storage.root)))
    for warning in AssetService.warnings(for: settings) {
      event(.warning, "configuration", .init(name: "warning", value: .string(warning)))
    }
    for upstream in settings.upstreams {
      guard let obstacle = upstream.obstacle else { continue }
      event(
        .warning, "an upstream is not usable",
        .init(name: "upstream", value: .string(upstream.name)),
        .init(name: "reason", value: .string(obstacle)))
    }
    for model in settings.unusableModels {
      event(
        .warning, "a model is not offered: none of its upstreams is usable",
        .init(name: "model", value: .string(model.id)))
    }
  }
}

extension AssetService {
  /// What a configuration probably does not mean, on this machine: one sentence each. For
  /// `--check-config` and the log of a start.
  public static func warnings(for settings: Settings) -> [String] {
    settings.warnings
      + (space(of: settings.storage.root).map { space in
        settings.warnings(disk: space.totalBytes, free: space.freeBytes)
      } ?? [])
  }

  /// What the disk of a folder has; of one that is not there yet, the disk of what is above it.
  private static func space(of root: String) -> DiskSpace? {
    var place = URL(fileURLWithPath: root)
    while true {
      if let folder = try? Directory.open(path: place.path) { return try? folder.space() }
      let above = place.deletingLastPathComponent()
      guard above.path != place.path else { return nil }
      place = above
    }
  }
}
