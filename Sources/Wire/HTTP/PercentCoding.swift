// Percent-decoding (RFC 3986 §2.1): of a path, once and strictly; of query pairs, as forms send
// them. A decoder that meets `%2541` answers `%41`, never `A`.

extension RequestTarget {
  /// The path decoded once, starting with `/`.
  ///
  /// Throws `badPath` for bad hex, an encoded NUL, control character or byte above ASCII, a `\`, an
  /// encoded `/` unless `allowsEncodedSlash` (one route takes ids that hold a slash), and for a
  /// segment that is empty, `.` or `..` once decoded. Allocates; a path with `needsDecoding` false
  /// is its own decoded form, but for a `\`.
  public func decodedPath(
    in bytes: Span<UInt8>, allowsEncodedSlash: Bool = false
  ) throws(RequestRejection) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(path.count + 1)
    var segmentStart = 1
    var index = path.lowerBound
    if path.isEmpty { decoded.append(0x2F) }
    while index < path.upperBound {
      var byte = bytes[index]
      index += 1
      if byte == 0x25 {
        guard let value = PercentCoding.byte(bytes, index, path.upperBound),
          value >= 0x20, value < 0x7F, value != 0x2F || allowsEncodedSlash
        else { throw .badPath }
        byte = value
        index += 2
      } else if byte == 0x2F, decoded.count > 0 {
        guard Self.isPlainSegment(decoded, segmentStart) else { throw .badPath }
        segmentStart = decoded.count + 1
      }
      // Some read it as a slash, however it came.
      guard byte != 0x5C else { throw .badPath }
      decoded.append(byte)
    }
    guard decoded.count == segmentStart || Self.isPlainSegment(decoded, segmentStart) else {
      throw .badPath
    }
    // A slash that was encoded is a slash to whoever compares this: it must not make up a segment
    // that a plain slash could not.
    if allowsEncodedSlash { try Self.checkSegments(decoded) }
    return decoded
  }

  /// Whether the bytes from `start` are a segment other than the empty one, `.` and `..`.
  private static func isPlainSegment(_ path: [UInt8], _ start: Int) -> Bool {
    switch path.count - start {
    case ...0: false
    case 1: path[start] != 0x2E
    case 2: path[start] != 0x2E || path[start + 1] != 0x2E
    default: true
    }
  }

  private static func checkSegments(_ path: [UInt8]) throws(RequestRejection) {
    let segments = path.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      if segment.isEmpty && !isLast || segment == [0x2E] || segment == [0x2E, 0x2E] {
        throw .badPath
      }
    }
  }
}

/// Percent-encoded bytes.
enum PercentCoding {
  /// The byte that the two hex digits at `index` spell; `nil` when they are none or not there.
  static func byte(_ bytes: Span<UInt8>, _ index: Int, _ end: Int) -> UInt8? {
    guard index + 1 < end, let high = bytes[index].hexValue, let low = bytes[index + 1].hexValue
    else { return nil }
    return high << 4 | low
  }

  /// Decodes `range` as `application/x-www-form-urlencoded` does: `+` is a space. `nil` for bad hex
  /// or an encoded control character, which no option of ours holds; `isLenient` keeps both, bad
  /// hex as it stands.
  static func formDecoded(
    _ bytes: Span<UInt8>, _ range: Range<Int>, isLenient: Bool
  ) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      var byte = bytes[index]
      index += 1
      if byte == 0x2B { byte = 0x20 }
      if byte == 0x25 {
        let value = Self.byte(bytes, index, range.upperBound)
        if let value, isLenient || (value >= 0x20 && value != 0x7F) {
          byte = value
          index += 2
        } else if !isLenient {
          return nil
        }
      }
      decoded.append(byte)
    }
    return decoded
  }
}

/// Walks over the `name=value` pairs of a query.
public struct QueryReader: Sendable {
  /// One pair, decoded.
  public struct Pair: Sendable, Equatable {
    /// The name; may be empty.
    public let name: [UInt8]
    /// The value; `nil` when there is no `=`.
    public let value: [UInt8]?
  }

  /// A query that can not be read.
  public enum Failure: Error, Sendable {
    /// Bad hex, or an encoded control character.
    case badEncoding
    /// More pairs than `maxPairs`.
    case tooManyPairs
  }

  /// How many pairs are read at most.
  public static var maxPairs: Int { 64 }

  private var index: Int
  private let end: Int
  private let isLenient: Bool
  private var pairs = 0

  /// A walk over `range`, which is `RequestTarget.query`; `nil` is a query without pairs. One that
  /// `isLenient` reads what a browser's form can mean: nothing is `badEncoding`, values may hold
  /// any byte.
  public init(_ range: Range<Int>?, isLenient: Bool = false) {
    self.isLenient = isLenient
    index = range?.lowerBound ?? 0
    end = range?.upperBound ?? 0
  }

  /// The next pair; empty ones (`&&`) are skipped, `nil` ends. Allocates.
  public mutating func next(in bytes: Span<UInt8>) throws(Failure) -> Pair? {
    while index < end {
      let start = index
      var equals: Int?
      while index < end, bytes[index] != 0x26 {
        if bytes[index] == 0x3D, equals == nil { equals = index }
        index += 1
      }
      let stop = index
      index = min(index + 1, end)
      guard start < stop else { continue }
      pairs += 1
      guard pairs <= Self.maxPairs else { throw .tooManyPairs }
      guard let name = decoded(bytes, start..<(equals ?? stop)) else { throw .badEncoding }
      guard let equals else { return Pair(name: name, value: nil) }
      guard let value = decoded(bytes, equals + 1..<stop) else { throw .badEncoding }
      return Pair(name: name, value: value)
    }
    return nil
  }

  private func decoded(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    PercentCoding.formDecoded(bytes, range, isLenient: isLenient)
  }
}
