internal import HTTPClient
internal import Wire

/// What the head of an answer says beside its status.
public struct UpstreamHeaders: Sendable, Equatable {
  /// The upstream's own id of the call: visible ASCII, at most 128 characters.
  public var requestID: String?
  /// How long it asks to wait, in nanoseconds.
  public var retryAfterNanoseconds: Int64?

  /// Nothing.
  public init() {}

  /// Reads the fields of an answer by `field` (given lowercase names); `now` is in seconds since
  /// 1970.
  public init(now: Int64, field: (String) -> [UInt8]?) {
    let id = field("x-request-id") ?? []
    if (1...128).contains(id.count), id.allSatisfy({ (0x21...0x7E).contains($0) }) {
      requestID = String(decoding: id, as: UTF8.self)
    }
    retryAfterNanoseconds =
      field("retry-after-ms").flatMap { Self.nanoseconds($0, each: 1_000_000) }
      ?? field("retry-after").flatMap { Self.retryAfter($0, now: now) }
  }

  /// Seconds, possibly with a fraction, or a date (RFC 9110 §10.2.3).
  private static func retryAfter(_ text: [UInt8], now: Int64) -> Int64? {
    if let wait = nanoseconds(text, each: 1_000_000_000) { return wait }
    guard let date = HTTPDate.parse(text.span, now: now) else { return nil }
    return min(max(0, date - now), daySeconds) * 1_000_000_000
  }

  private static let daySeconds: Int64 = 86400

  /// `12` or `12.5` units, at most a day.
  private static func nanoseconds(_ text: [UInt8], each unit: Double) -> Int64? {
    guard !text.isEmpty, text.count <= 20,
      text.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }),
      let value = Double(String(decoding: text, as: UTF8.self))
    else { return nil }
    return Int64(min(value * unit, Double(daySeconds) * 1e9))
  }
}

extension UpstreamHeaders {
  init(_ response: ClientResponse, now: Int64) {
    self.init(now: now) { response.field(named: $0) }
  }
}
