internal import HTTPServer
internal import Wire

/// One call of the API: the request, who makes it, and what its answer's URLs are built on.
struct Call {
  let request: Request
  let caller: Caller
  let query: Query
  let bases: Bases

  /// The whole body as JSON within `JSONLimits.body`; an empty body is an empty object.
  ///
  /// - Throws: 400 when it is no such JSON object, 413 when it is longer than `limit` bytes.
  func json(limit: Int64) async throws -> JSONValue {
    let bytes = try await request.body.collect(limit: limit)
    guard !bytes.isEmpty else { return .object(JSONObject()) }
    let value = try JSONValue.parse(bytes.span, limits: .body)
    guard value.object != nil else {
      throw Failure.badRequest("The body must be a JSON object.", code: "invalid_json")
    }
    return value
  }
}

extension ServiceContext {
  /// How the URLs of a call's answer are spelled.
  func urls(_ call: Call) -> AssetURLs { AssetURLs(links: links, base: call.bases.delivery) }
}
