// What a client may ask of an order that is not offered yet: an answer that comes later, and one
// purchase for two equal calls. What would change the form of the answer is refused; what a client
// may do without is named in the answer (RFC 7240 §2: a preference that is not met is no error).
internal import HTTPServer
internal import Wire

extension Call {
  /// The wishes of a request that are not met, for `x_asset.ignored`.
  var ignoredWishes: [String] {
    var wishes: [String] = []
    // Who sends it may count on it: an order that is sent again is bought again.
    if request.head.fields.contains(.idempotencyKey) { wishes.append("Idempotency-Key") }
    if prefers("respond-async") { wishes.append("Prefer: respond-async") }
    return wishes
  }

  private func prefers(_ name: String) -> Bool {
    let bytes = request.bytes
    var line = 0
    while let range = request.head.fields.nextValue(of: .prefer, after: &line) {
      var list = ListElements(range)
      while let element = list.next(in: bytes.span) {
        // `name`, `name=value` or `name; parameters` (RFC 7240 §2).
        let token = bytes[element].prefix { ![0x20, 0x09, 0x3B, 0x3D].contains($0) }
        if String(decoding: token, as: UTF8.self).lowercased() == name { return true }
      }
    }
    return false
  }

  /// - Throws: 400 for `?async=`, unless it says no.
  func refuseLaterAnswer() throws(Failure) {
    guard let text = query["async"], text != "false", text != "0" else { return }
    throw .laterAnswer
  }
}

extension Failure {
  static let laterAnswer = badRequest(
    "Answers that come later (\"async\") are not offered by this server yet.", param: "async")
}
