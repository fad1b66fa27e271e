internal import HTTPServer
internal import Store

/// Why an image was not delivered. What happened is here, the status in `answer`.
enum DeliveryFailure: Error {
  case linkInvalid, linkExpired, unknown, preconditionFailed
  case gone(wasPermanent: Bool)
  case rangeUnsatisfiable(size: Int64)
  case methodNotAllowed
  case store(StoreFailure)
  /// It must be read by a thread that may wait for the disk.
  case notAtHand

  /// As a client sees it.
  var failure: Failure {
    switch self {
    case .linkInvalid:
      Failure(403, .permission, "link_invalid", "This link was not made by this server.")
    case .linkExpired: Failure(410, .notFound, "link_expired", "This link has expired.")
    case .gone: Failure(410, .notFound, "asset_gone", "This image was removed.")
    case .unknown: Failure(404, .notFound, "not_found", "There is no such image.")
    case .preconditionFailed:
      Failure(412, .invalidRequest, "precondition_failed", "The image is another one.")
    case .rangeUnsatisfiable(let size):
      Failure(416, .invalidRequest, "range_not_satisfiable", "The image has \(size) bytes.")
    case .methodNotAllowed: .methodNotAllowed("GET, HEAD, OPTIONS")
    case .store(let failure): Failure(failure)
    case .notAtHand: .busy
    }
  }

  /// What may be said of a name that holds an id: a temporary asset's is no secret, so not even
  /// that there was one.
  var underItsID: DeliveryFailure {
    if case .gone(wasPermanent: false) = self { .unknown } else { self }
  }

  /// Writes the error as the answer. What is not there may be asked for again soon.
  func answer(into response: inout ResponseWriter) {
    let failure = self.failure
    let envelope = failure.envelope
    response.start(failure.status)
    response.lines("Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n")
    response.lines("Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n")
    switch self {
    case .unknown, .gone, .linkExpired: response.lines("Cache-Control: max-age=60\r\n")
    case .rangeUnsatisfiable(let size):
      response.lines("Cache-Control: no-store\r\nAccept-Ranges: bytes\r\n")
      response.piece("Content-Range: bytes */")
      response.piece(size)
      response.piece("\r\n")
    case .methodNotAllowed:
      response.lines("Cache-Control: no-store\r\nAllow: GET, HEAD, OPTIONS\r\n")
    default: response.lines("Cache-Control: no-store\r\n")
    }
    if let seconds = failure.retryAfter { response.field("Retry-After", Int64(seconds)) }
    response.end(envelope.span)
  }
}
