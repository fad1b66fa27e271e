// What the log says of images that were paid for and are not stored, or not delivered.
internal import Configuration
internal import Store
internal import Wire

extension ServiceContext {
  /// Images go out as base64 because the store does not take them.
  func tellUnstored(_ images: Int, of id: GenerationID, _ failure: Failure, _ cause: String) {
    metrics.noteUnstored(images)
    tell("images could not be stored", id, failure, cause)
  }

  /// An image can not be delivered, and nobody has it; perhaps it can be had at `url` yet.
  ///
  /// No other event names such a URL: its query may open the image to whoever reads it. It stands
  /// here whole, since a part of a signature opens nothing, and in pieces, since `LogRedaction`
  /// would cut a signature that is in one: put together they are the URL.
  func tellLost(of id: GenerationID, _ failure: Failure, at url: String? = nil) {
    metrics.noteLost()
    var more: [JSONObject.Member] = []
    if let url {
      more.append(.init(name: "result_url", value: .array(Self.pieces(url).map { .string($0) })))
    }
    tell("an image that was paid for is lost", id, failure, failure.cause ?? failure.message, more)
  }

  /// What is logged of a URL, in bytes: signed ones have some 1,000.
  private static let longestURL = 4096

  /// The text in pieces that the log leaves as they are.
  static func pieces(_ url: String) -> [String] {
    var rest = Substring(url.cut(toBytes: longestURL))
    var pieces: [String] = []
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(LogRedaction.longestRun)))
      rest = rest.dropFirst(LogRedaction.longestRun)
    }
    return pieces
  }

  /// A stored image can not be read back for its answer.
  func tellUnreadable(of id: GenerationID, _ failure: Failure, _ cause: String) {
    tell("a stored image could not be read for its answer", id, failure, cause)
  }

  private func tell(
    _ message: String, _ id: GenerationID, _ failure: Failure, _ cause: String,
    _ more: [JSONObject.Member] = []
  ) {
    let members: [JSONObject.Member] = [
      .init(name: "generation_id", value: .string(id.description)),
      .init(name: "code", value: JSONValue(failure.code)),
      .init(name: "error", value: .string(cause)),
    ]
    log.event(.error, message, members + more)
  }
}
