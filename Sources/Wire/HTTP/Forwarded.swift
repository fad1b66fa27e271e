// What a proxy says about the request it passed on: Forwarded (RFC 7239) and its older cousins. To
// be believed only when the peer is a trusted proxy, which the caller knows.

/// One element of Forwarded, as ranges of the head's bytes without quotes.
public struct ForwardedElement: Sendable, Equatable {
  /// Who sent the request to the proxy.
  public private(set) var client: Range<Int>?
  /// `http` or `https`.
  public private(set) var scheme: Range<Int>?
  /// The Host that the proxy was asked for.
  public private(set) var host: Range<Int>?

  /// Reads one element of the list; `nil` when it is malformed or names something twice.
  public init?(_ bytes: Span<UInt8>, _ element: Range<Int>) {
    var pairs = ListElements(element)
    while let pair = pairs.next(in: bytes, separator: 0x3B) {
      var equals = pair.lowerBound
      while equals < pair.upperBound, bytes[equals].isToken { equals += 1 }
      guard equals > pair.lowerBound, equals < pair.upperBound, bytes[equals] == 0x3D,
        let value = Self.value(bytes, equals + 1..<pair.upperBound)
      else { return nil }
      let name = pair.lowerBound..<equals
      if ByteScan.equalsIgnoringCase(bytes, name, "for") {
        guard client == nil else { return nil }
        client = value
      } else if ByteScan.equalsIgnoringCase(bytes, name, "proto") {
        guard scheme == nil else { return nil }
        scheme = value
      } else if ByteScan.equalsIgnoringCase(bytes, name, "host") {
        guard host == nil else { return nil }
        host = value
      }
    }
  }

  /// A token or a quoted string without escapes.
  private static func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    guard let first = range.first else { return nil }
    if bytes[first] != 0x22 {
      for index in range where !bytes[index].isToken { return nil }
      return range
    }
    guard range.count >= 2, bytes[range.upperBound - 1] == 0x22 else { return nil }
    let inner = range.dropFirst().dropLast()
    for index in inner where bytes[index] == 0x22 || bytes[index] == 0x5C { return nil }
    return inner
  }
}

/// What trusted proxies say about a request.
public struct ForwardedRequest: Sendable, Equatable {
  /// The nearest address that is no trusted proxy; `nil` when none is named.
  public private(set) var client: IPAddress?
  /// Whether the client spoke https; `nil` when it is not said.
  public private(set) var isSecure: Bool?
  /// Where the host that the client asked for stands; checked as a Host field is.
  public private(set) var host: Range<Int>?
  /// Where the path prefix that the proxy took off stands: `/…` of unreserved characters, no `.`
  /// or `..` segment; without the one slash at its end that many proxies send (`/img/`).
  public private(set) var prefix: Range<Int>?

  /// Reads the fields of a request whose peer is a trusted proxy.
  ///
  /// Scheme and host come from the proxy that names the client, counted from the end, where the
  /// peer wrote. Malformed values count as absent.
  ///
  /// Most proxies write either Forwarded or the X-Forwarded fields and pass the others on as they
  /// came, so where both are there one of them may be the client's own. Nobody can tell which: what
  /// both say is believed, and nothing at all when they do not name the same client.
  public init(
    _ fields: FieldSection, in bytes: Span<UInt8>, isTrusted: (IPAddress) -> Bool
  ) {
    let hasOld = [.xForwardedFor, .xForwardedProto, .xForwardedHost].contains {
      fields.contains($0)
    }
    let believed =
      switch (fields.contains(.forwarded), hasOld) {
      case (true, true):
        Account(standard: fields, bytes, isTrusted)
          .agreeing(with: Account(older: fields, bytes, isTrusted), bytes)
      case (true, false): Account(standard: fields, bytes, isTrusted)
      case (false, _): Account(older: fields, bytes, isTrusted)
      }
    (client, isSecure, host) = (believed.client, believed.isSecure, believed.host)
    if var named = fields.soleValue(of: .xForwardedPrefix) {
      if named.count > 1, bytes[named.upperBound - 1] == 0x2F { named.removeLast() }
      if Self.isPrefix(bytes, named) { prefix = named }
    }
  }

  /// What one kind of fields says.
  private struct Account {
    var client: IPAddress?
    var isSecure: Bool?
    var host: Range<Int>?

    private init() {}

    /// RFC 7239.
    init(standard fields: FieldSection, _ bytes: Span<UInt8>, _ isTrusted: (IPAddress) -> Bool) {
      let elements = ForwardedRequest.elements(.forwarded, fields, bytes)
        .map { ForwardedElement(bytes, $0) }
      let hop: Int
      (client, hop) = ForwardedRequest.client(elements.map { $0?.client }, bytes, isTrusted)
      let outermost = ForwardedRequest.element(elements, hop) ?? nil
      take(scheme: outermost?.scheme, host: outermost?.host, bytes)
    }

    /// X-Forwarded-For, -Proto and -Host.
    init(older fields: FieldSection, _ bytes: Span<UInt8>, _ isTrusted: (IPAddress) -> Bool) {
      let nodes = ForwardedRequest.elements(.xForwardedFor, fields, bytes)
      let hop: Int
      (client, hop) = ForwardedRequest.client(nodes, bytes, isTrusted)
      let schemes = ForwardedRequest.elements(.xForwardedProto, fields, bytes)
      let hosts = ForwardedRequest.elements(.xForwardedHost, fields, bytes)
      take(
        scheme: ForwardedRequest.element(schemes, hop),
        host: ForwardedRequest.element(hosts, hop), bytes)
    }

    private mutating func take(
      scheme: Range<Int>?, host: Range<Int>?, _ bytes: Span<UInt8>
    ) {
      if let scheme {
        if ByteScan.equalsIgnoringCase(bytes, scheme, "https") { isSecure = true }
        if ByteScan.equalsIgnoringCase(bytes, scheme, "http") { isSecure = false }
      }
      if let host, HostSyntax.isHost(bytes, host) { self.host = host }
    }

    func agreeing(with other: Account, _ bytes: Span<UInt8>) -> Account {
      var both = Account()
      guard client == other.client else { return both }
      both.client = client
      if isSecure == other.isSecure { both.isSecure = isSecure }
      if let host, let named = other.host, Self.areEqual(bytes, host, named) { both.host = host }
      return both
    }

    private static func areEqual(
      _ bytes: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>
    ) -> Bool {
      guard one.count == other.count else { return false }
      for (left, right) in zip(one, other) where bytes[left] != bytes[right] { return false }
      return true
    }
  }

  /// The element `hop` places before the last; the first when there are fewer, because many
  /// proxies replace what they were sent.
  private static func element<T>(_ elements: [T], _ hop: Int) -> T? {
    elements.isEmpty ? nil : elements[max(0, elements.count - 1 - hop)]
  }

  /// The last elements of a list, 32 at most: a request does not pass more proxies.
  private static func elements(
    _ name: FieldName, _ fields: FieldSection, _ bytes: Span<UInt8>
  ) -> [Range<Int>] {
    var elements: [Range<Int>] = []
    var line = 0
    while let value = fields.nextValue(of: name, after: &line) {
      var list = ListElements(value)
      while let element = list.next(in: bytes) { elements.append(element) }
    }
    return elements.suffix(32)
  }

  /// From the peer backwards, the first address that is not trusted, and its place before the
  /// last. One that can not be read (`unknown`, `_hidden`) ends the search: what is before it may
  /// be made up.
  private static func client(
    _ nodes: [Range<Int>?], _ bytes: Span<UInt8>, _ isTrusted: (IPAddress) -> Bool
  ) -> (IPAddress?, hop: Int) {
    var last: (IPAddress?, hop: Int) = (nil, 0)
    for (hop, node) in nodes.reversed().enumerated() {
      guard let node, let address = self.address(bytes, node) else { return last }
      last = (address, hop)
      if !isTrusted(address) { return last }
    }
    return last
  }

  /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
  private static func address(_ bytes: Span<UInt8>, _ node: Range<Int>) -> IPAddress? {
    if let bare = IPAddress(bytes, node) { return bare.unmapped }
    guard let first = node.first else { return nil }
    let isBracketed = bytes[first] == 0x5B
    var end = first
    while end < node.upperBound, bytes[end] != (isBracketed ? 0x5D : 0x3A) { end += 1 }
    guard end < node.upperBound else { return nil }
    let rest = (isBracketed ? end + 1 : end)..<node.upperBound
    let isPort =
      rest.first.map { bytes[$0] == 0x3A } ?? true
      && (rest.isEmpty || HostSyntax.port(bytes, rest.dropFirst()) != nil)
    guard isPort else { return nil }
    guard let address = IPAddress(bytes, (isBracketed ? first + 1 : first)..<end) else {
      return nil
    }
    if case .v6 = address, !isBracketed { return nil }
    return address.unmapped
  }

  private static func isPrefix(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count >= 2, range.count <= 256, bytes[range.lowerBound] == 0x2F else {
      return false
    }
    var segmentStart = range.lowerBound + 1
    for index in range.lowerBound + 1...range.upperBound {
      if index == range.upperBound || bytes[index] == 0x2F {
        var dots = 0
        for place in segmentStart..<index where bytes[place] == 0x2E { dots += 1 }
        guard index > segmentStart, dots < index - segmentStart || dots > 2 else { return false }
        segmentStart = index + 1
        continue
      }
      guard bytes[index].isUnreserved else { return false }
    }
    return true
  }
}
