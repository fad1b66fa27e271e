// What a Prometheus server scrapes (text exposition format 0.0.4,
// https://prometheus.io/docs/instrumenting/exposition_formats/).
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Net
internal import Store

/// `/metrics`.
struct MetricsHandler {
  let context: ServiceContext
  let reader: CatalogReader
  let upstreams: UpstreamCounters

  func answer() async throws -> Response {
    let root = context.store.root
    // A disk that does not answer is not asked, nor are threads that may wait for it: the rest is
    // what somebody looks for then.
    let isStalled = context.store.health == .readOnly(.diskStalled)
    // Not on the loop: both may wait for the kernel. When all threads are busy they are left out.
    let machine =
      isStalled
      ? nil
      : try? await context.workers.run {
        (ProcessFigures.read(), try? Directory.open(path: root).space())
      }
    var page = MetricsPage()
    page.family("assetd_build_info", .gauge, "The version that runs.")
    page.sample("assetd_build_info", ["version": AssetService.version], 1)
    addExchanges(&page)
    addRefusals(&page)
    addTurns(&page)
    addUpstreams(&page)
    addState(&page)
    addLosses(&page)
    addPaidPath(&page)
    if !isStalled { try await addTotals(&page) }
    addStore(&page)
    addProcess(&page, machine?.0)
    if let space = machine?.1 { addDisk(&page, space) }
    var response = Response(status: 200, body: .bytes(Array(page.text.utf8)))
    response.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
    return response
  }

  /// A number of one kind of requests, all loops together.
  private func sum(
    _ kind: RequestKind, _ count: (borrowing LoopCounters.Exchanges) -> Int
  ) -> Int {
    context.metrics.loops.reduce(0) { $0 + $1.with(kind, count) }
  }

  private func addExchanges(_ page: inout MetricsPage) {
    let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]
    page.family(
      "assetd_http_requests_total", .counter, "Requests that ended, by kind and status.")
    for kind in RequestKind.allCases {
      for (index, name) in classes.enumerated() {
        page.sample(
          "assetd_http_requests_total", ["kind": "\(kind)", "status": name],
          sum(kind) { $0.byStatus[index].current })
      }
    }
    page.family(
      "assetd_http_requests_aborted_total", .counter,
      "Requests whose client left, or was cut off, before the end.")
    for kind in RequestKind.allCases {
      page.sample(
        "assetd_http_requests_aborted_total", ["kind": "\(kind)"], sum(kind) { $0.aborted.current })
    }
    page.family(
      "assetd_http_response_body_bytes_total", .counter, "Body bytes handed to the kernel.")
    for kind in RequestKind.allCases {
      page.sample(
        "assetd_http_response_body_bytes_total", ["kind": "\(kind)"],
        sum(kind) { $0.bodyBytes.current })
    }
    addDurations(&page)
  }

  private func addDurations(_ page: inout MetricsPage) {
    let name = "assetd_http_request_duration_seconds"
    page.family(name, .histogram, "From the whole head to the last byte handed to the kernel.")
    for kind in RequestKind.allCases {
      var total = 0
      for (index, bound) in LoopCounters.durationBounds.enumerated() {
        total += sum(kind) { $0.byDuration[index].current }
        page.sample(
          name + "_bucket", ["kind": "\(kind)", "le": "\(Double(bound) / 1e9)"], total)
      }
      total += sum(kind) { $0.byDuration[LoopCounters.durationBounds.count].current }
      page.sample(name + "_bucket", ["kind": "\(kind)", "le": "+Inf"], total)
      page.sample(
        name + "_sum", ["kind": "\(kind)"],
        seconds: Double(sum(kind) { $0.nanoseconds.current }) / 1e9)
      page.sample(name + "_count", ["kind": "\(kind)"], total)
    }
  }

  private func addState(_ page: inout MetricsPage) {
    let loops = context.metrics.loops
    page.single(
      "assetd_open_asset_hits_total", .counter, "Deliveries that found their asset open.",
      loops.reduce(0) { $0 + $1.openHits.current })
    page.single(
      "assetd_open_asset_misses_total", .counter,
      "Deliveries that had to read the row and open the file.",
      loops.reduce(0) { $0 + $1.openMisses.current })
    page.single(
      "assetd_connections", .gauge, "Client connections now.", context.state.connections)
    page.single(
      "assetd_ready", .gauge, "Whether /readyz says so.",
      HealthHandlers(context: context).ready.status == 200 ? 1 : 0)
  }

  private func addPaidPath(_ page: inout MetricsPage) {
    page.single(
      "assetd_quota_refusals_total", .counter, "Orders and uploads that a key's quota refused.",
      context.metrics.quotaRefusals)
    page.single(
      "assetd_unstored_images_total", .counter,
      "Images that were paid for and went out without being stored.",
      context.metrics.unstoredImages)
    page.single(
      "assetd_lost_images_total", .counter,
      "Images that were paid for and are neither stored nor delivered; the log names them.",
      context.metrics.lostImages)
    page.single(
      "assetd_purchases_under_way", .gauge, "Paid calls of upstreams now.",
      context.purchases.count)
  }

  private func addTotals(_ page: inout MetricsPage) async throws {
    let totals = try await context.store.read(atOnce: reader) { reader in try reader.totals() }
    page.single("assetd_assets", .gauge, "Assets, expired ones too.", totals.assets)
    page.single(
      "assetd_asset_bytes", .gauge, "Logical bytes: every asset counts its image.",
      Int(totals.assetBytes))
    page.single("assetd_blobs", .gauge, "Files.", totals.blobs)
    page.single("assetd_blob_bytes", .gauge, "Bytes of the files.", Int(totals.blobBytes))
    page.single(
      "assetd_disk_bytes", .gauge, "What the disk gives for the files.", Int(totals.diskBytes))
  }

  private func addStore(_ page: inout MetricsPage) {
    let space = context.store.space
    page.single(
      "assetd_reserved_bytes", .gauge, "Space kept for images that are arriving.",
      Int(space.reserved))
    page.single(
      "assetd_awaiting_unlink_bytes", .gauge, "Space of files that are about to be removed.",
      Int(space.awaitingUnlink))
    if let limit = context.settings.storage.maxBytes {
      page.single("assetd_max_bytes", .gauge, "storage.max_bytes.", Int(limit))
    }
    page.single(
      "assetd_commits_total", .counter, "Transactions of the catalogue.",
      Int(context.store.commitStatistics.commits))
    addDamage(&page)
    page.single(
      "assetd_io_failures_total", .counter, "Failed calls of the store.",
      Int(context.store.failureCount))
  }

  private func addDamage(_ page: inout MetricsPage) {
    let damaged = context.store.damagedBlobs
    page.single(
      "assetd_damaged_blobs", .gauge,
      "Blobs whose file is missing, has another size or does not hash to its name.",
      damaged.current)
    page.single(
      "assetd_damage_found_total", .counter, "Blobs that were found damaged.", damaged.found)
    let scrub = context.store.scrubReport
    page.single(
      "assetd_scrubbed_blobs_total", .counter, "Blobs that the scrub has looked at.", scrub.blobs)
    page.single(
      "assetd_scrubbed_bytes_total", .counter, "Bytes that the scrub has read.", Int(scrub.bytes))
    page.single(
      "assetd_scrub_last_end_seconds", .gauge,
      "When the scrub had last read every blob, in unix seconds; 0 for never.",
      Int(scrub.last?.endedAt ?? 0))
    page.single(
      "assetd_catalogue_damaged", .gauge, "Whether the catalogue is damaged.",
      context.store.damage == nil ? 0 : 1)
    page.family(
      "assetd_read_only", .gauge, "Whether the store takes no writes, by the reason.")
    for cause in StoreHealth.Cause.allCases {
      page.sample(
        "assetd_read_only", ["reason": cause.rawValue],
        context.store.health == .readOnly(cause) ? 1 : 0)
    }
    page.single(
      "assetd_orphan_sweep_stopped", .gauge,
      "Whether the orphan sweep waits for assetctl gc --allow-large.",
      context.store.orphanSweepStop == nil ? 0 : 1)
    page.single(
      "assetd_orphan_sweep_stops_total", .counter, "Runs of the orphan sweep that stopped.",
      context.store.orphanSweepStops)
  }
}
