// What the daemon does by itself: collects by policy, writes last fetches to the catalogue, and
// gives back the memory of a peak that is over.
internal import Configuration
internal import Kernel
internal import Net
internal import Store
internal import Wire

/// The recurring work of one service; ends when it is let go of.
final class Housekeeping: Sendable {
  private let store: Store
  private let workers: Workers
  private let log: LogSink
  private let policies: [Policy]
  private let interval: Duration
  /// Last fetches are written at most this late.
  private static let accessInterval = Duration.seconds(60)
  private static let memoryInterval = Duration.seconds(60)

  init(_ settings: Settings, store: Store, workers: Workers, log: LogSink) {
    self.store = store
    self.workers = workers
    self.log = log
    policies = Policy.configured(settings.collection)
    interval = settings.collection.interval
  }

  /// Runs until the task is cancelled.
  func run() async {
    async let accesses: Void = every(Self.accessInterval) { [store] in
      try await store.flushKeyUses()
      try await store.flushAccessLog()
    }
    async let collections: Void = every(interval) { [self] in try await collect() }
    async let memory: Void = keepMemory()
    _ = await (accesses, collections, memory)
  }

  private func keepMemory() async {
    var peaks = MemoryPeaks(from: ProcessFigures.residentBytes() ?? 0)
    await every(Self.memoryInterval) {
      peaks = try await workers.run { [peaks] in
        var peaks = peaks
        peaks.look(.ofThisProcess)
        return peaks
      }
    }
  }

  /// One collection; none beside an operator's, whose turn is as good as ours.
  func collect() async throws {
    let (store, policies) = (self.store, self.policies)
    let log = self.log
    let report: CollectionReport
    do {
      report = try await workers.run {
        var options = CollectionOptions()
        options.sweepsNextFolder = true
        return try store.collect(policies, options) { log.deleted($0) }
      }
    } catch let failure as StoreFailure where failure == .collectionRuns {
      return
    }
    if let jump = report.clockJump {
      log.event(
        .warning, "collection suspended: the clock jumped",
        .init(name: "seconds", value: .number(JSONNumber(jump))))
    }
    if let stop = report.sweepStop {
      log.event(
        .error, "the orphan sweep has stopped: look at it, then say assetctl gc --allow-large",
        .init(name: "reason", value: .string(stop)))
    }
    if report.stuck > 0 {
      log.event(
        .warning, "orphans could not be removed",
        .init(name: "files", value: .number(JSONNumber(report.stuck))))
    }
    for result in report.results where result.assets + result.blobs > 0 {
      log.event(.info, "collected", .init(name: "policy", value: result.json(dryRun: false)))
    }
  }

  private func every(_ interval: Duration, _ work: () async throws -> Void) async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: interval) } catch { return }
      do { try await work() } catch {
        log.event(
          .error, "housekeeping failed", .init(name: "error", value: .string("\(error)")))
      }
    }
  }
}

extension Policy {
  /// The configured policies, in their order.
  static func configured(_ settings: Settings.Collection) -> [Policy] {
    settings.policies.compactMap { policy in
      switch policy.rule {
      case .expired:
        Policy(.expired(grace: settings.grace.wholeSeconds), name: policy.name)
      case .orphans(let grace): Policy(.orphans(grace: grace.wholeSeconds), name: policy.name)
      case .records(let after): Policy(.records(after: after.wholeSeconds), name: policy.name)
      case .idle, .maxAge, .ownerSize, .totalSize: nil
      }
    }
  }
}

extension PolicyResult {
  /// `{"policy","assets","bytes","blobs","dry_run"}` (API.md §8).
  func json(dryRun: Bool) -> JSONValue {
    [
      "policy": .string(policy), "assets": .number(JSONNumber(assets)),
      "bytes": .number(JSONNumber(bytes)), "blobs": .number(JSONNumber(blobs)),
      "records": .number(JSONNumber(records)), "dry_run": .bool(dryRun),
    ]
  }
}
