// What a scrape says of failures, of pauses, and of the machine.
internal import Configuration
internal import Kernel
internal import Store

extension MetricsHandler {
  /// Errors by what they say.
  func addRefusals(_ page: inout MetricsPage) {
    var sums: [LoopCounters.Refusal: Int] = [:]
    for loop in context.metrics.loops { sums.merge(loop.refusalCounts) { $0 + $1 } }
    let name = "assetd_http_errors_total"
    page.family(name, .counter, "Answers that are errors, by status and code.")
    for (refusal, count) in sums.sorted(by: {
      ($0.key.status, $0.key.code) < ($1.key.status, $1.key.code)
    }) {
      page.sample(name, ["status": "\(refusal.status)", "code": refusal.code], count)
    }
  }

  /// For how long loops served nobody else.
  func addTurns(_ page: inout MetricsPage) {
    let loops = context.metrics.loops
    let name = "assetd_loop_turn_seconds"
    page.family(name, .histogram, "Turns of the event loops: for so long nobody else was served.")
    var total = 0
    for (index, bound) in LoopCounters.turnBounds.enumerated() {
      total += loops.reduce(0) { $0 + $1.turns[index].current }
      page.sample(name + "_bucket", ["le": "\(Double(bound) / 1e9)"], total)
    }
    total += loops.reduce(0) { $0 + $1.turns[LoopCounters.turnBounds.count].current }
    page.sample(name + "_bucket", ["le": "+Inf"], total)
    page.sample(
      name + "_sum", [:],
      seconds: Double(loops.reduce(0) { $0 + $1.turnNanoseconds.current }) / 1e9)
    page.sample(name + "_count", [:], total)
    page.family(
      "assetd_loop_longest_turn_seconds", .gauge, "The longest turn since the start, by loop.")
    for (index, loop) in loops.enumerated() {
      page.sample(
        "assetd_loop_longest_turn_seconds", ["loop": "\(index)"],
        seconds: Double(loop.longestTurn.current) / 1e9)
    }
  }

  func addUpstreams(_ page: inout MetricsPage) {
    let all = upstreams.all.sorted { $0.key < $1.key }
    page.family(
      "assetd_upstream_calls_total", .counter,
      "Calls of upstreams that ended: answered, abandoned, or the kind of the failure.")
    for (upstream, calls) in all {
      for (outcome, count) in calls.byOutcome.sorted(by: { $0.key < $1.key }) {
        page.sample(
          "assetd_upstream_calls_total", ["upstream": upstream, "outcome": outcome], count)
      }
    }
    let name = "assetd_upstream_call_duration_seconds"
    page.family(name, .histogram, "From the call's turn to the end of its answer.")
    for (upstream, calls) in all {
      var total = 0
      for (index, bound) in UpstreamCounters.bounds.enumerated() {
        total += calls.byDuration[index]
        page.sample(name + "_bucket", ["upstream": upstream, "le": "\(bound)"], total)
      }
      total += calls.byDuration[UpstreamCounters.bounds.count]
      page.sample(name + "_bucket", ["upstream": upstream, "le": "+Inf"], total)
      page.sample(
        name + "_sum", ["upstream": upstream], seconds: Double(calls.nanoseconds) / 1e9)
      page.sample(name + "_count", ["upstream": upstream], total)
    }
  }

  func addLosses(_ page: inout MetricsPage) {
    let losses = context.log.losses
    page.family(
      "assetd_log_lines_dropped_total", .counter,
      "Lines of the log that the stream did not take in time: of requests and events up to info, "
        + "or of graver events.")
    page.sample("assetd_log_lines_dropped_total", ["rank": "expendable"], losses.expendable)
    page.sample("assetd_log_lines_dropped_total", ["rank": "kept"], losses.kept)
  }

  /// The names are those of every Prometheus client.
  func addProcess(_ page: inout MetricsPage, _ figures: ProcessFigures?) {
    page.family("process_cpu_seconds_total", .counter, "Processor time, user and system.")
    page.sample(
      "process_cpu_seconds_total", [:], seconds: Double(SystemClock.processNanoseconds) / 1e9)
    page.single(
      "process_start_time_seconds", .gauge, "When the service started, in unix seconds.",
      Int(context.metrics.startedAt))
    page.single(
      "process_max_fds", .gauge, "Descriptors that may be open.", SystemInfo.descriptorLimit)
    guard let figures else { return }
    page.single("process_open_fds", .gauge, "Descriptors that are open.", figures.descriptors)
    page.single(
      "process_resident_memory_bytes", .gauge, "Memory in use.", Int(figures.residentBytes))
  }

  func addDisk(_ page: inout MetricsPage, _ space: DiskSpace) {
    page.single(
      "assetd_disk_free_bytes", .gauge, "What the store's disk has left.", Int(space.freeBytes))
    page.single(
      "assetd_disk_total_bytes", .gauge, "The size of the store's disk.", Int(space.totalBytes))
    page.single(
      "assetd_min_free_bytes", .gauge, "storage.min_free_bytes: what is left free.",
      Int(context.settings.storage.minFreeBytes))
  }
}
