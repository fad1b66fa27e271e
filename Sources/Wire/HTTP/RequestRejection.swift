// Why a request head is refused: the wire policy of PROMISES.md as a closed list.

/// A reason to answer an error and close the connection.
public enum RequestRejection: UInt8, Error, CaseIterable, Sendable {
  /// The request line has another shape than `method SP target SP version CRLF`.
  case badRequestLine
  /// The request line is longer than the limit.
  case requestLineTooLong
  /// CONNECT to a host and port.
  case methodNotImplemented
  /// Well-formed, but neither HTTP/1.1 nor HTTP/1.0; also the preface of HTTP/2.
  case versionNotSupported
  /// A target in no form that the method allows, or with characters outside visible ASCII.
  case badTarget
  /// A path with an empty, `.` or `..` segment, bad hex, or a forbidden encoded byte.
  case badPath
  /// A CR or LF that is not part of a CRLF.
  case bareLineEnd
  /// A control character.
  case controlCharacter
  /// A line that starts with white space.
  case obsoleteFold
  /// White space between a field's name and its colon.
  case spaceBeforeColon
  /// A field name that is empty, has no colon or is no token.
  case badFieldName
  /// A header section with too many bytes.
  case fieldsTooLarge
  /// A header section with too many lines.
  case tooManyFields
  /// HTTP/1.1 without Host.
  case missingHost
  /// More than one Host, or one that is no host.
  case badHost
  /// More than one Content-Length, or one that is no number of at most 63 bits.
  case badContentLength
  /// Anything but one `Transfer-Encoding: chunked` in HTTP/1.1.
  case badTransferEncoding
  /// Both Transfer-Encoding and Content-Length.
  case conflictingFraming

  /// The status to answer with, before closing.
  public var status: Int {
    switch self {
    case .requestLineTooLong: 414
    case .fieldsTooLarge, .tooManyFields: 431
    case .methodNotImplemented: 501
    case .versionNotSupported: 505
    default: 400
    }
  }

  /// One sentence for the client.
  public var reason: StaticString {
    switch self {
    case .badRequestLine: "The request line is malformed."
    case .requestLineTooLong: "The request line is too long."
    case .methodNotImplemented: "This method is not implemented."
    case .versionNotSupported: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
    case .badTarget: "The request target is malformed."
    case .badPath: "The path is malformed."
    case .bareLineEnd: "Lines must end with CR LF."
    case .controlCharacter: "A header field holds a control character."
    case .obsoleteFold: "Folded header lines are not accepted."
    case .spaceBeforeColon: "White space before a colon is not accepted."
    case .badFieldName: "A header field name is malformed."
    case .fieldsTooLarge: "The header section is too large."
    case .tooManyFields: "There are too many header fields."
    case .missingHost: "The Host header field is missing."
    case .badHost: "The Host header field is malformed or repeated."
    case .badContentLength: "Content-Length is malformed or repeated."
    case .badTransferEncoding: "Only one Transfer-Encoding, chunked, is accepted."
    case .conflictingFraming: "Transfer-Encoding and Content-Length exclude each other."
    }
  }

  init(_ fault: FieldSection.Fault) {
    self =
      switch fault {
      case .bareLineEnd: .bareLineEnd
      case .controlCharacter: .controlCharacter
      case .obsoleteFold: .obsoleteFold
      case .spaceBeforeColon: .spaceBeforeColon
      case .badName: .badFieldName
      case .tooLarge: .fieldsTooLarge
      case .tooMany: .tooManyFields
      }
  }
}

/// How large a request head may be.
public struct RequestLimits: Sendable {
  /// Bytes of the request line without its CRLF; more is a 414.
  public let requestLine: Int
  /// Bytes of the header section with its closing empty line; more is a 431.
  public let headerSection: Int
  /// Header field lines; more is a 431.
  public let fields: Int

  /// Limits, lowered to what offsets of 16 bits can hold: 16 KiB, 47 KiB and 100.
  public init(requestLine: Int = 8192, headerSection: Int = 32768, fields: Int = 100) {
    self.requestLine = min(max(16, requestLine), 16 * 1024)
    self.headerSection = min(max(2, headerSection), 47 * 1024)
    self.fields = min(max(0, fields), FieldSection.capacity)
  }

  /// The longest head that can be complete: a buffer of this size is enough.
  public var longestHead: Int { 2 + requestLine + 2 + headerSection }
}
