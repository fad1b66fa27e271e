internal import Wire

/// How a body is encoded (RFC 9110 §8.4). We ask for none; some servers and proxies do it all the
/// same, and what was paid for must not be lost to that.
enum ContentCoding: Equatable {
  /// Not at all.
  case identity
  case gzip
  case deflate
  /// In a way that we can not read, or in several; as the server calls it.
  case other(String)

  /// Words that some servers write where they mean none.
  private static let none: Set<String> = ["identity", "none", "utf-8", "utf8"]

  init(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) {
    var codings: [String] = []
    head.forEachElement(of: .contentEncoding, in: bytes) { coding in
      let text = String(decoding: [UInt8](copying: coding), as: UTF8.self).lowercased()
      if !Self.none.contains(text) { codings.append(text) }
    }
    switch codings.count == 1 ? codings[0] : codings.isEmpty ? "identity" : "" {
    case "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    default: self = .other(String(codings.joined(separator: ", ").prefix(40)))
    }
  }

  /// The decoder that the body needs, if any.
  var inflater: Inflater? {
    switch self {
    case .gzip: Inflater(.gzip)
    case .deflate: Inflater(.deflate)
    case .identity, .other: nil
    }
  }
}
