extension RequestTarget {
  /// Whether the path as sent begins with `prefix`; allocates nothing.
  public func hasPathPrefix(_ prefix: StaticString, in bytes: Span<UInt8>) -> Bool {
    let length = prefix.utf8CodeUnitCount
    let path = self.path
    guard path.count >= length else { return false }
    return ByteScan.equals(bytes, path.lowerBound..<path.lowerBound + length, prefix)
  }
}
