// What the daemon tells about itself when it starts.
internal import Configuration
internal import Foundation
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
