/// The head of a data URL (RFC 2397), byte by byte: `data:`, a media type, any `;name=value`,
/// `;base64,`. The declared type is not kept: types are told by the bytes.
public struct DataURLPrefix: Sendable {
  /// What is known after a byte.
  public enum Step: Hashable, Sendable {
    /// Undecided.
    case more
    /// That was the comma: base64 follows.
    case payload
    /// A data URL in another encoding, or with a head longer than `limit`.
    case otherEncoding
    /// No data URL.
    case notDataURL
  }

  /// Bytes of the longest head that is followed.
  public static let limit = 512

  private var taken = 0
  /// Characters of `base64` that the parameter under way has matched; nil when it is another word.
  private var matched: Int?

  /// At the first byte of a text.
  public init() {}

  /// Whether `data:` has been read.
  public var isDataURL: Bool { taken >= 5 }

  /// Takes one byte. After anything but `more` the answer is final.
  public mutating func take(_ byte: UInt8) -> Step {
    guard isDataURL else {
      guard Self.matches(byte, taken, of: Self.scheme) else { return .notDataURL }
      taken += 1
      return .more
    }
    taken += 1
    switch byte {
    case UInt8(ascii: ","): return matched == 6 ? .payload : .otherEncoding
    case UInt8(ascii: ";"): matched = 0
    case 0x20: break
    default:
      let fits = matched.map { Self.matches(byte, $0, of: Self.base64) } ?? false
      matched = fits ? matched.map { $0 + 1 } : nil
    }
    return taken < Self.limit ? .more : .otherEncoding
  }

  private static let scheme = [UInt8]("data:".utf8)
  private static let base64 = [UInt8]("base64".utf8)

  private static func matches(_ byte: UInt8, _ index: Int, of word: [UInt8]) -> Bool {
    let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    return index < word.count && word[index] == lower
  }
}

/// Data URLs that are at hand.
public enum DataURL {
  /// Where the base64 begins in `data:…;base64,…`; nil for anything else.
  public static func payloadStart(_ text: Span<UInt8>) -> Int? {
    var prefix = DataURLPrefix()
    for index in text.indices {
      switch prefix.take(text[index]) {
      case .more: continue
      case .payload: return index + 1
      case .otherEncoding, .notDataURL: return nil
      }
    }
    return nil
  }
}
