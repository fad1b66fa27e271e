internal import HTTPClient
internal import Wire

/// Where an image is that an answer names by a URL.
enum ResultURL {
  /// A URL of an answer or of a redirect, resolved against the URL that it came from (RFC 3986
  /// §5.2); `nil` for what is no http URL.
  static func resolve(_ text: String, against base: ClientURL) -> ClientURL? {
    let reference = Array(text.utf8.prefix { $0 != UInt8(ascii: "#") })
    guard !reference.isEmpty else { return nil }
    if hasScheme(reference) { return try? ClientURL(reference) }
    let scheme = base.parts.scheme.text.description + ":"
    if reference.starts(with: "//".utf8) { return try? ClientURL(Array(scheme.utf8) + reference) }
    let whole = base.text[..<base.parts.pathAndQuery.lowerBound]
    return try? ClientURL(whole + path(reference, base))
  }

  /// `letter *( letter / digit / "+" / "-" / "." ) ":"`
  private static func hasScheme(_ text: [UInt8]) -> Bool {
    guard let end = text.firstIndex(where: { !isSchemeByte($0) }), end > 0 else { return false }
    return text[end] == UInt8(ascii: ":") && (0x61...0x7A).contains(text[0] | 0x20)
  }

  private static func isSchemeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
    default: false
    }
  }

  private static func path(_ reference: [UInt8], _ base: ClientURL) -> [UInt8] {
    let query = UInt8(ascii: "?")
    let old = Array(base.text[base.parts.pathAndQuery].prefix { $0 != query })
    if reference.first == query { return old + reference }
    let end = reference.firstIndex(of: query) ?? reference.endIndex
    var path = Array(reference[..<end])
    if reference.first != UInt8(ascii: "/") {
      let folder = old.lastIndex(of: UInt8(ascii: "/")).map { Array(old[...$0]) } ?? [0x2F]
      path = folder + path
    }
    return withoutDots(path) + reference[end...]
  }

  /// RFC 3986 §5.2.4, of a path that begins with `/`.
  private static func withoutDots(_ path: [UInt8]) -> [UInt8] {
    let parts = path.dropFirst().split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    var kept: [ArraySlice<UInt8>] = []
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      switch String(decoding: part, as: UTF8.self) {
      case ".": if isLast { kept.append([]) }
      case "..":
        _ = kept.popLast()
        if isLast { kept.append([]) }
      default: kept.append(part)
      }
    }
    return kept.reduce(into: []) { $0 += [UInt8(ascii: "/")] + $1 }
  }
}

extension UpstreamFailure {
  /// A result that could not be had, by what the client says.
  static func resultUnavailable(failure: ClientFailure) -> UpstreamFailure {
    var found =
      switch failure {
      case .timedOut:
        resultUnavailable("result_url_timeout", "it was not there when the order's time was over")
      case .exhausted: UpstreamFailure(.exhausted, "\(failure)")
      default: resultUnavailable("result_url_unreachable", Scrubber().scrub("\(failure)"))
      }
    found.isTransient =
      switch failure {
      case .timedOut, .exhausted, .unreachable, .tls, .lost, .brokeOff: true
      case .badRequest, .refusedAddress, .spokeFirst, .malformed, .unsupportedCoding, .tooLarge,
        .bodyFailed:
        false
      }
    return found
  }
}
