// POST /v1/images/convert (API.md §4): a gateway's whole Images API answer, back with every entry
// in the form that was asked for.
internal import Configuration
internal import HTTPServer
internal import Kernel
internal import Links
internal import Net
internal import Store
internal import Wire

/// The convert call; one per loop.
struct ConvertHandler {
  let context: ServiceContext
  let reader: CatalogReader
  /// More entries than this in one answer are refused.
  private static let maxItems = 16
  private static let queryNames = AssetOptions.queryNames.union(["response_format"])

  func convert(_ call: Call) async throws -> Response {
    try call.caller.require(.host)
    try call.query.expect(Self.queryNames)
    let format =
      try call.query.choice("response_format", Settings.ResponseFormat.self)
      ?? call.caller.key?.defaults.responseFormat.flatMap { .init(rawValue: $0) }
      ?? context.settings.defaults.responseFormat
    let options = try AssetOptions(call.query)
    let terms = AssetTerms(
      options, key: call.caller.key, defaults: context.settings.defaults, now: context.now)
    call.request.body.limit = context.settings.limits.bodyBytes
    let keeping = TextKeeping(
      store: context.store, workers: context.workers,
      allowance: RescueAllowance(
        memory: context.conversions, limit: context.limits.conversionBytes))
    let intake = AnswerIntake(.conversion(keeping), maxItems: Self.maxItems) { [context] in
      try await Deposit.begin(
        in: context.store, on: context.workers, within: .new(ServiceContext.firstReservation))
    }
    try await intake.take(call.request.body)
    guard !intake.skeleton.items.isEmpty else {
      throw Failure.badRequest(
        "The body has no \"data\" with images.", param: "data", code: "missing_image")
    }
    switch format {
    case .url: return try await host(intake, terms, call)
    case .base64JSON: return try await inline(intake, terms, call)
    }
  }

  // MARK: To URLs

  private func host(
    _ intake: AnswerIntake, _ terms: AssetTerms, _ call: Call
  ) async throws -> Response {
    var report = ConvertReport(intake)
    var works: [(index: Int, work: IngestWork)] = []
    let new = NewAsset(
      owner: call.caller.owner, lifetime: terms.lifetime, quota: call.caller.key?.quota)
    for (index, item) in intake.taken.enumerated() {
      switch item {
      case .settled(let work): works.append((index, work))
      case .failed(let failure), .unstored(let failure, _): report.fail(index, failure)
      case .plain: keepURL(intake.skeleton.items[index].url, index, &report, call)
      }
    }
    try report.check()
    try await publish(works, new, &report, context.urls(call))
    return try report.response(intake.skeleton, terms.base64, on: context.workers)
  }

  /// All in one transaction. Where the quota or a takedown refuses one of them, each in its own:
  /// the others are converted.
  private func publish(
    _ works: [(index: Int, work: IngestWork)], _ new: NewAsset, _ report: inout ConvertReport,
    _ urls: AssetURLs
  ) async throws {
    var refused: StoreFailure?
    do throws(StoreFailure) {
      let published = try await together(works.map(\.work), new)
      for (index, one) in published.enumerated() {
        report.host(works[index].index, one.asset, urls)
      }
    } catch { refused = error }
    guard let refused else { return }
    guard refused.isOfOneImage else { throw refused }
    for (index, _) in works { try report.checkText(index, Failure(refused)) }
    for (index, work) in works {
      switch await alone(work, new) {
      case .success(let published): report.host(index, published.asset, urls)
      case .failure(let failure) where failure.isOfOneImage:
        report.fail(index, Failure(failure))
      case .failure(let failure): throw failure
      }
    }
  }

  private func together(
    _ works: [IngestWork], _ new: NewAsset
  ) async throws(StoreFailure) -> [PublishedAsset] {
    var publication = Publication()
    for work in works { try publication.add(work, as: new) }
    return try await context.store.publish(publication)
  }

  private func alone(
    _ work: IngestWork, _ new: NewAsset
  ) async -> Result<PublishedAsset, StoreFailure> {
    do throws(StoreFailure) {
      return .success(try await context.store.publish(work, as: new))
    } catch { return .failure(error) }
  }

  /// An entry that is a URL already: ours stays, another's would have to be fetched.
  private func keepURL(
    _ url: String?, _ index: Int, _ report: inout ConvertReport, _ call: Call
  ) {
    guard let url else { return report.fail(index, .entryWithoutImage(index)) }
    if OwnURL(url, base: call.bases.delivery) == nil { report.fail(index, .foreignURL(index)) }
  }

  // MARK: To base64

  private func inline(
    _ intake: AnswerIntake, _ terms: AssetTerms, _ call: Call
  ) async throws -> Response {
    var report = ConvertReport(intake)
    let urls = context.urls(call)
    for (index, item) in intake.taken.enumerated() {
      switch item {
      case .settled(let work):
        let blob = try work.blob
        report.items[index] = .base64(
          .ingest(work, bytes: blob.bytes), blob.image.mediaType)
      case .failed(let failure), .unstored(let failure, _): report.fail(index, failure)
      case .plain:
        do {
          let asset = try await owned(intake.skeleton.items[index].url, index, call)
          guard let file = try await context.store.load(asset.id).file else {
            throw DeliveryFailure.gone(wasPermanent: asset.lifetime == .permanent).failure
          }
          report.items[index] = .base64(
            .file(file, bytes: asset.blob.bytes), asset.blob.image.mediaType)
          report.note(index, asset, urls)
        } catch { report.fail(index, Failure(error)) }
      }
    }
    return try report.response(intake.skeleton, terms.base64, on: context.workers)
  }

  /// The asset behind one of our URLs, as delivery would judge it.
  private func owned(_ url: String?, _ index: Int, _ call: Call) async throws -> Asset {
    guard let url else { throw Failure.entryWithoutImage(index) }
    guard let own = OwnURL(url, base: call.bases.delivery) else { throw Failure.foreignURL(index) }
    return try await own.asset(context, reader)
  }

}

/// What became of the entries.
private struct ConvertReport {
  var items: [ItemReply]
  var images: [JSONValue] = []
  private let warnings: [JSONValue]
  private var failed: [JSONValue] = []
  private var firstFailure: Failure?
  /// Why an entry that failed can not go back as it came.
  private var firstLoss: Failure?
  private let intake: AnswerIntake

  init(_ intake: AnswerIntake) {
    self.intake = intake
    let taken = intake.taken
    items = Array(repeating: .keep, count: taken.count)
    warnings = IntakeItem.warnings(taken)
  }

  /// The entry is hosted.
  mutating func host(_ index: Int, _ asset: Asset, _ urls: AssetURLs) {
    items[index] = .url(urls.url(of: asset))
    note(index, asset, urls)
  }

  /// The asset of an entry.
  mutating func note(_ index: Int, _ asset: Asset, _ urls: AssetURLs) {
    let member = JSONObject.Member(name: "index", value: .number(JSONNumber(index)))
    let summary = asset.summary(urls).object?.members ?? []
    images.append(.object(JSONObject([member] + summary)))
  }

  /// The entry stays as it was.
  mutating func fail(_ index: Int, _ failure: Failure) {
    if firstFailure == nil { firstFailure = failure }
    failed.append([
      "index": .number(JSONNumber(index)), "code": JSONValue(failure.code),
      "message": .string(failure.message),
    ])
    let texts = intake.originals(index)
    guard !texts.isEmpty else { return }
    items[index] = .original(texts)
    guard firstLoss == nil, let loss = texts.compactMap(\.loss).first else { return }
    firstLoss = .entryNotKept(index, failure, loss)
  }

  /// - Throws: the first entry's failure when all failed; why one can not go back.
  func check() throws {
    if let firstFailure, failed.count == items.count { throw firstFailure }
    if let firstLoss { throw firstLoss }
  }

  /// - Throws: when the entry could not go back, should it fail.
  func checkText(_ index: Int, _ refusal: Failure) throws {
    guard let loss = intake.originals(index).compactMap(\.loss).first else { return }
    throw Failure.entryNotKept(index, refusal, loss)
  }

  /// - Throws: as `check`.
  func response(
    _ skeleton: Skeleton, _ form: Settings.Base64Form, on workers: Workers
  ) throws -> Response {
    try check()
    var summary = JSONObject()
    summary["images"] = .array(images)
    if !failed.isEmpty { summary["failed"] = .array(failed) }
    if !warnings.isEmpty { summary["warnings"] = .array(warnings) }
    return AnswerReply(skeleton: skeleton, items: items, summary: summary, form: form)
      .response(on: workers)
  }
}

extension StoreFailure {
  /// Whether it is about one image, and others may still be published.
  fileprivate var isOfOneImage: Bool { kind == .full(.quota) || kind == .blocked }
}

extension Failure {
  static func entryWithoutImage(_ index: Int) -> Failure {
    badRequest(
      "data[\(index)] has neither b64_json nor url.", param: "data[\(index)]",
      code: "missing_image")
  }

  /// An entry can neither be hosted nor be kept for the answer.
  static func entryNotKept(_ index: Int, _ refusal: Failure, _ loss: Failure) -> Failure {
    var failure = Failure(
      loss.status, type: loss.type, loss.code,
      "data[\(index)] can not be hosted (\(refusal.message)) and not be kept for the answer, "
        + "either (\(loss.message)): nothing was converted.",
      param: "data[\(index)]", retryAfter: loss.retryAfter)
    failure.cause = loss.cause
    return failure
  }

  static func foreignURL(_ index: Int) -> Failure {
    badRequest(
      "data[\(index)].url is not one of this server's own URLs, and it does not fetch others yet.",
      param: "data[\(index)].url", code: "url_not_supported")
  }
}
