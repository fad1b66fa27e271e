// What a request says of its body: Content-Type and Content-Encoding (RFC 9110 §8.3, §8.4). A
// label that does not fit the route is refused before the body is read, and told what does.
internal import HTTPServer
internal import Wire

/// What a route's bodies may be called.
enum BodyLabel {
  /// JSON alone.
  case json
  /// JSON, or an image as it is.
  case jsonOrImage

  /// What to send instead.
  fileprivate var advice: String {
    switch self {
    case .json: "Send JSON, and say so: Content-Type: application/json."
    case .jsonOrImage:
      "Send an image (Content-Type: image/… or application/octet-stream), or JSON "
        + "(application/json)."
    }
  }

  fileprivate func fits(_ type: ContentType, in value: Span<UInt8>) -> Bool {
    if type.matches("application/json", in: value) { return true }
    switch self {
    case .json: return false
    case .jsonOrImage:
      return type.hasType("image", in: value) || type.matches("application/octet-stream", in: value)
    }
  }
}

extension Route {
  /// What the bodies of this method are; `nil` when the route has not the method, or reads no body.
  private func label(of method: Method) -> BodyLabel? {
    switch (self, method) {
    case (.generations, .post), (.convert, .post), (.links, .post), (.asset, .patch): .json
    case (.assets, .post): .jsonOrImage
    default: nil
    }
  }

  /// Judges how a request's body is labelled.
  ///
  /// - Parameter mustFit: whether the label must be there, and be the right one: in open mode,
  ///   where forms of web pages have labels of their own (A9). Otherwise only those of bodies that
  ///   this server knows, and does not take here, are refused: curl calls everything a form.
  /// - Throws: 415.
  func checkBody(of request: Request, mustFit: Bool) throws(Failure) {
    if request.hasBody { try refuseCoding(of: request) }
    guard let label = label(of: request.head.method) else { return }
    let refusal = Failure(
      415, .invalidRequest, "unsupported_content_type", label.advice)
    guard let value = request.value(of: .contentType) else {
      let isNamed = request.head.fields.contains(.contentType)
      if mustFit, isNamed || request.hasBody { throw refusal }
      return
    }
    let bytes = Array(value.utf8)
    guard let type = ContentType(bytes.span) else {
      if mustFit { throw refusal }
      return
    }
    guard !label.fits(type, in: bytes.span) else { return }
    let isOfAnotherKind =
      type.hasType("multipart", in: bytes.span) || type.hasType("image", in: bytes.span)
      || type.matches("application/octet-stream", in: bytes.span)
    if mustFit || isOfAnotherKind { throw refusal }
  }

  /// RFC 9110 §15.5.16: a body in a coding that is not understood is 415, and Accept-Encoding says
  /// which one is.
  private func refuseCoding(of request: Request) throws(Failure) {
    let bytes = request.bytes
    var line = 0
    while let range = request.head.fields.nextValue(of: .contentEncoding, after: &line) {
      var list = ListElements(range)
      while let element = list.next(in: bytes.span) {
        let coding = String(decoding: bytes[element].prefix(40), as: UTF8.self)
        guard coding.lowercased() != "identity" else { continue }
        var failure = Failure(
          415, .invalidRequest, "unsupported_content_encoding",
          "Bodies with Content-Encoding: \(coding) are not read; send the body as it is.")
        failure.acceptEncoding = "identity"
        throw failure
      }
    }
  }
}

extension Request {
  /// Whether a body of at least one byte is announced.
  fileprivate var hasBody: Bool { head.body != .none && head.body != .length(0) }
}
