// What the store has to tell an operator goes to the log.
internal import Configuration
internal import Store
internal import Wire

extension LogSink {
  /// Writes the event, as an error where something is lost.
  func tell(_ event: StoreEvent) {
    switch event {
    case .damagedBlob(let name, let problem):
      self.event(
        .error, "a stored image is damaged", .init(name: "file", value: .string("\(name)")),
        .init(name: "problem", value: .string(problem)))
    case .unreadable(let path, let problem):
      self.event(
        .error, "a part of the store can not be read", .init(name: "file", value: .string(path)),
        .init(name: "problem", value: .string(problem)))
    case .repairedBlob(let name):
      self.event(
        .warning, "a damaged image was sent again, and is whole",
        .init(name: "file", value: .string("\(name)")))
    case .damagedCatalogue(let problem):
      self.event(
        .error, "the catalogue is damaged: nothing is written and nothing is collected",
        .init(name: "problem", value: .string(problem)))
    case .readOnly(let cause):
      self.event(
        .error, "the store takes no writes", .init(name: "reason", value: .string(cause.rawValue)))
    case .writable:
      self.event(.warning, "the store takes writes again")
    case .scrubbed(let pass):
      self.event(
        pass.damaged > 0 ? .error : .info, "all stored images were read and compared",
        .init(name: "blobs", value: .number(JSONNumber(pass.blobs))),
        .init(name: "bytes", value: .number(JSONNumber(pass.bytes))),
        .init(name: "damaged", value: .number(JSONNumber(pass.damaged))),
        .init(
          name: "seconds",
          value: .number(JSONNumber((pass.endedAt ?? pass.startedAt) - pass.startedAt))))
    }
  }
}

extension ScrubReport {
  /// `{"interval","rate","pass","progress","last"}`; times are unix seconds.
  var json: JSONValue {
    [
      "interval": JSONValue(pace?.interval), "rate": JSONValue(pace?.rate),
      "pass": pass?.json ?? .null, "progress": JSONNumber(progress).map { .number($0) } ?? .null,
      "last": last?.json ?? .null,
    ]
  }
}

extension ScrubPass {
  fileprivate var json: JSONValue {
    [
      "started_at": .number(JSONNumber(startedAt)), "ended_at": JSONValue(endedAt),
      "blobs": .number(JSONNumber(blobs)), "bytes": .number(JSONNumber(bytes)),
      "damaged": .number(JSONNumber(damaged)),
    ]
  }
}
