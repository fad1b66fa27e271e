// What a client orders (API.md §3): checked before money is spent, so that a wrong value is a 400
// that names it.
internal import Configuration
internal import Crypto
internal import Store
internal import Wire

/// One order of images.
struct GenerationOrder {
  let model: Settings.Model
  /// How many images.
  let n: Int
  let prompt: String
  let format: Settings.ResponseFormat
  let options: AssetOptions
  /// The request without our own members and without nulls: what an upstream may be sent.
  let parameters: JSONObject
  /// What makes two orders the same.
  let fingerprint: Digest
  /// How long it is, about: to read or write a long one is no work for a loop.
  let bytes: Int

  /// What all of its images may need, in bytes; no more than there can be.
  var expectedBytes: Int64 {
    let (bytes, isTooMuch) = model.expectedBytes.multipliedReportingOverflow(by: Int64(n))
    return isTooMuch ? .max : bytes
  }

  /// The members that OpenAI's generations know, beside `model` and `asset`.
  private static let known: Set<String> = [
    "prompt", "n", "size", "quality", "background", "moderation", "output_format",
    "output_compression", "stream", "partial_images", "response_format", "style", "user",
    "safety_identifier",
  ]

  /// - Throws: 400 or 404 that names the parameter.
  init(
    _ body: JSONValue, catalog: ModelCatalog, caller: Caller, defaults: Settings.Defaults
  ) throws(Failure) {
    let object = (body.object ?? JSONObject()).filter { !$0.value.isNull }
    let check = ParameterCheck(object)
    model = try catalog.model(named: try check.model())
    prompt = try check.prompt()
    n = try check.number("n", in: 1...model.maxN) ?? 1
    try check.formats(sizes: model.sizes)
    options = try AssetOptions(object["asset"])
    let ofKey = caller.key?.defaults.responseFormat.flatMap {
      Settings.ResponseFormat(rawValue: $0)
    }
    format =
      try check.choice("response_format", Settings.ResponseFormat.self) ?? ofKey
      ?? model.responseFormat ?? defaults.responseFormat
    if options.store == false, format == .url {
      throw .badRequest(
        "With \"asset.store\": false there is no URL; ask for b64_json.", param: "asset.store")
    }
    let text = JSONValue.object(object).canonicalBytes
    bytes = text.count
    fingerprint = Self.fingerprint(of: text, owner: caller.owner)
    parameters = object.filter { !["asset", "stream", "async"].contains($0.name) }
  }

  /// The parameters as an upstream is sent them: its own name of the model, and of those that it
  /// does not know, what its entry says.
  ///
  /// - Throws: 400 when its entry rejects unknown ones.
  func parameters(for upstream: Settings.Upstream) throws(Failure) -> JSONObject {
    var object = parameters.filter { $0.name != "model" }
    let isUnknown = { (member: JSONObject.Member) in !Self.known.contains(member.name) }
    switch upstream.unknownParameters {
    case .forward: break
    case .drop: object = object.filter { !isUnknown($0) }
    case .reject:
      guard let member = object.members.first(where: isUnknown) else { break }
      throw .badRequest(
        "The parameter \"\(member.name.shownName)\" is not known.", param: member.name,
        code: "unknown_parameter")
    }
    object["n"] = .number(JSONNumber(n))
    return object
  }

  /// The name that the upstream calls the model by.
  var upstreamModel: String {
    model.upstreamModel ?? (model.id == "*" ? parameters["model"]?.string ?? "" : model.id)
  }

  /// "Same" is owner, route and the request with sorted members, nulls dropped, numbers canonical.
  private static func fingerprint(of canonical: [UInt8], owner: Owner) -> Digest {
    var hash = SHA256()
    let head = Array("\(owner.name)\n/v1/images/generations\n".utf8)
    hash.update(head.span)
    hash.update(canonical.span)
    return hash.finalize()
  }
}

/// Checks the parameters of a request one by one.
private struct ParameterCheck {
  private let object: JSONObject
  /// OpenAI's limit for GPT image models, in code points.
  private static let promptCharacters = 32_000

  init(_ object: JSONObject) { self.object = object }

  func text(_ name: String) throws(Failure) -> String? {
    guard let value = object[name] else { return nil }
    guard let text = value.string else {
      throw .badRequest("\"\(name)\" must be a text.", param: name)
    }
    return text
  }

  /// The longest name of a model, in bytes. It goes into rows, logs and lists of its assets.
  private static let modelBytes = 256

  func model() throws(Failure) -> String? {
    guard let name = try text("model") else { return nil }
    let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control }
    guard (1...Self.modelBytes).contains(name.utf8.count),
      !name.unicodeScalars.contains(where: isControl)
    else {
      throw .badRequest(
        "\"model\" must be a name of 1 to \(Self.modelBytes) bytes without control characters.",
        param: "model")
    }
    return name
  }

  func number(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
    guard let value = object[name] else { return nil }
    guard let number = value.int, range.contains(number) else {
      throw .badRequest(
        "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound).",
        param: name)
    }
    return number
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ type: Choice.Type
  ) throws(Failure) -> Choice? {
    guard let text = try text(name) else { return nil }
    return try Choice.named(text, param: name)
  }

  func prompt() throws(Failure) -> String {
    guard let prompt = try text("prompt"), !prompt.isEmpty else {
      throw .badRequest("A \"prompt\" is needed.", param: "prompt", code: "missing_prompt")
    }
    // Bytes first: they need not be counted.
    guard prompt.utf8.count <= 4 * Self.promptCharacters,
      prompt.unicodeScalars.count <= Self.promptCharacters
    else {
      throw .badRequest(
        "\"prompt\" is longer than \(Self.promptCharacters) characters.", param: "prompt")
    }
    return prompt
  }

  func formats(sizes: [String]?) throws(Failure) {
    _ = try number("partial_images", in: 0...3)
    _ = try number("output_compression", in: 0...100)
    if let size = try text("size") {
      if let sizes, !sizes.contains(size) {
        throw .badRequest(
          "\"size\" must be one of \(sizes.joined(separator: ", ")).", param: "size")
      }
    }
    if try text("output_format") == "svg" {
      throw .badRequest(
        "SVG can hold scripts and is not hosted; ask for png, jpeg or webp.",
        param: "output_format")
    }
    if let stream = object["stream"] {
      guard stream == .bool(false) else {
        throw .badRequest("Streaming is not offered by this server yet.", param: "stream")
      }
    }
    if let flag = object["async"], flag != .bool(false) { throw .laterAnswer }
  }
}
