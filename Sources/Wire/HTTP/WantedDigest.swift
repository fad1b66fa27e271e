// Integrity preferences (RFC 9530 §4): whether a client asks for the digest that we have.

extension FieldSection {
  /// Whether Want-Repr-Digest asks for SHA-256: `sha-256`, alone or with a preference above 0. Of
  /// several the last counts (RFC 9651 §4.2.2); parameters are ignored.
  public func wantsSHA256(in bytes: Span<UInt8>) -> Bool {
    var isWanted = false
    var line = 0
    while let value = nextValue(of: .wantReprDigest, after: &line) {
      var members = ListElements(value)
      while let member = members.next(in: bytes) {
        var end = member.lowerBound
        while end < member.upperBound, bytes[end] != 0x3B { end += 1 }
        var equals = member.lowerBound
        while equals < end, bytes[equals] != 0x3D { equals += 1 }
        guard ByteScan.equals(bytes, member.lowerBound..<equals, "sha-256") else { continue }
        isWanted = equals == end || (Decimal.parse(bytes, equals + 1..<end) ?? 0) > 0
      }
    }
    return isWanted
  }
}
