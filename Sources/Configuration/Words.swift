// Readers of single words: addresses, URLs, names.

extension ListenAddress {
  static let form =
    "an address and port, such as \"127.0.0.1:8080\", \"[::1]:8080\" or, for all of IPv4, "
    + "\"0.0.0.0:8080\""
}

extension Item {
  /// A string that `parse` understands, or a problem that says what it should be.
  private func word<Value>(_ expected: String, _ parse: (String) -> Value?) -> Value? {
    guard let text = string() else { return nil }
    if let value = parse(text) { return value }
    fail("\(shown) is not \(expected)")
    return nil
  }

  func listenAddress() -> (address: ListenAddress, item: Item?)? {
    word(ListenAddress.form) { ListenAddress($0) }.map { ($0, self) }
  }

  func baseURL() -> BaseURL? {
    word("an absolute http or https URL without user, query and fragment") { BaseURL($0) }
  }

  func network() -> Network? {
    word("an address or a network such as \"10.0.0.0/8\" (no bits set beyond the prefix)") {
      parseNetwork($0)
    }
  }

  func origin() -> String? {
    word("an origin such as \"https://example.com\", or \"*\"") { text in
      if text == "*" { return text }
      guard let url = BaseURL(text), url.path.isEmpty, !text.hasSuffix("/") else { return nil }
      return url.origin
    }
  }

  func fetchRule() -> FetchRule? {
    word("a host, \"*.suffix\", an address or a network, each with an optional \":port\"") {
      FetchRule($0)
    }
  }

  func path() -> String? {
    word("a path") { isPath($0) ? $0 : nil }
  }

  /// A name for `assetctl` and reports.
  func name() -> String? {
    word("a name: 1 to 64 letters, digits, \".\", \"_\" and \"-\"") { text in
      let isName =
        (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
          $0.isDigit || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2D || $0 == 0x2E
            || $0 == 0x5F
        }
      return isName ? text : nil
    }
  }

  /// A model's id, an owner or an image size: something short that is seen.
  func label() -> String? {
    word("1 to 128 visible ASCII characters") { text in
      let isLabel =
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      return isLabel ? text : nil
    }
  }

  /// A field name (RFC 9110 §5.1) that delivery does not set itself.
  func headerName() -> String? {
    word("a header name that is free for tags, such as \"Cache-Tag\"") { text in
      let isToken =
        (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
          $0.isDigit || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || Self.tokenMarks.contains($0)
        }
      return isToken && !Self.ownHeaders.contains(text.lowercased()) ? text : nil
    }
  }

  private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)

  /// What delivery and framing say themselves (API: delivery; RFC 9112).
  private static let ownHeaders: Set<String> = [
    "accept-ranges", "access-control-allow-origin", "allow", "cache-control", "connection",
    "content-disposition", "content-encoding", "content-length", "content-range",
    "content-security-policy", "content-type", "cross-origin-resource-policy", "date", "etag",
    "keep-alive", "last-modified", "location", "repr-digest", "retry-after", "server",
    "set-cookie", "timing-allow-origin", "trailer", "transfer-encoding", "upgrade", "vary",
    "x-content-type-options", "x-request-id",
  ]

  /// A time that something may take at most: not nothing, not longer than a day.
  func timeout() -> Duration? {
    time(atLeast: .milliseconds(1), atMost: .seconds(86_400))
  }
}

/// Whether a text can name a file: not empty, no NUL, not longer than PATH_MAX (limits.h).
func isPath(_ text: String) -> Bool {
  (1...4095).contains(text.utf8.count) && !text.utf8.contains(0)
}
