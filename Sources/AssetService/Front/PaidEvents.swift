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

  /// An image can not be delivered, and nobody has it.
  func tellLost(of id: GenerationID, _ failure: Failure) {
    tell("an image that was paid for is lost", id, failure, failure.cause ?? failure.message)
  }

  /// A stored image can not be read back for its answer.
  func tellUnreadable(of id: GenerationID, _ failure: Failure, _ cause: String) {
    tell("a stored image could not be read for its answer", id, failure, cause)
  }

  private func tell(_ message: String, _ id: GenerationID, _ failure: Failure, _ cause: String) {
    log.event(
      .error, message, .init(name: "generation_id", value: .string(id.description)),
      .init(name: "code", value: JSONValue(failure.code)),
      .init(name: "error", value: .string(cause)))
  }
}
