internal import HTTPServer
internal import Net
internal import Wire

/// One call of the API: the request, who makes it, and what its answer's URLs are built on.
struct Call {
  let request: Request
  let caller: Caller
  let query: Query
  let bases: Bases

  /// The whole body as JSON within `JSONLimits.body`; an empty body is an empty object. `workers`
  /// read a long one.
  ///
  /// - Throws: 400 when it is no such JSON object, 413 when it is longer than `limit` bytes.
  func json(limit: Int64, on workers: Workers) async throws -> JSONValue {
    let bytes = try await request.body.collect(limit: limit)
    return try await workers.run(over: bytes.count) { try Self.object(bytes) }
  }

  /// The JSON of a body.
  ///
  /// - Throws: 400, as `json`.
  static func object(_ bytes: [UInt8]) throws -> JSONValue {
    guard !bytes.isEmpty else { return .object(JSONObject()) }
    let value = try JSONValue.parse(bytes.span, limits: .body)
    guard value.object != nil else {
      throw Failure.badRequest("The body must be a JSON object.", code: "invalid_json")
    }
    return value
  }
}

extension Workers {
  /// Up to so many bytes are read, checked and written in a part of a millisecond, whatever they
  /// are.
  static let shortBytes = 32 << 10

  /// Runs what takes as long as `bytes` are many: here when they are few, else on a thread of the
  /// pool, for the loop's others would wait.
  func run<Result: Sendable>(
    over bytes: Int, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    guard bytes > Self.shortBytes else { return try body() }
    return try await run(body)
  }
}

extension ServiceContext {
  /// How the URLs of a call's answer are spelled.
  func urls(_ call: Call) -> AssetURLs { AssetURLs(links: links, base: call.bases.delivery) }
}
