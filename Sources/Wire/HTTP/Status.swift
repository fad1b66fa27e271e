// Reason phrases (RFC 9110 §15, RFC 6585).

/// Status codes as a status line shows them.
public enum Status {
  /// The phrase of a status that we send; a general one for others of its class.
  public static func reason(_ status: Int) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 206: "Partial Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 499: "Client Closed Request"
    default: serverReason(status)
    }
  }

  private static func serverReason(_ status: Int) -> StaticString {
    switch status {
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    case ..<200: "Informational"
    case ..<300: "Success"
    case ..<400: "Redirection"
    case ..<500: "Client Error"
    default: "Server Error"
    }
  }
}

extension ByteBuffer {
  /// Appends `HTTP/1.1 SP status SP reason CRLF`; `false` when it does not fit. `status` has three
  /// digits.
  @discardableResult
  public mutating func appendStatusLine(_ status: Int) -> Bool {
    precondition((100...999).contains(status), "a status has three digits")
    let before = count
    guard append("HTTP/1.1 "), append(decimal: Int64(status)), append(0x20),
      append(Status.reason(status)), append("\r\n")
    else {
      truncate(to: before)
      return false
    }
    return true
  }
}
