// Writing heads: what comes from elsewhere can not end a line early (CR, LF, NUL and the other
// control characters are refused, RFC 9110 §5.5). Each call writes all of its line or nothing.

/// Why a line of a head was not written.
public enum HeadWriteFailure: Error, Sendable {
  /// A name that is no token, or a target or value with a character that may not stand there.
  case forbiddenCharacter
  /// The buffer is full.
  case noRoom
}

extension ByteBuffer {
  /// Appends `method SP target SP HTTP/1.1 CRLF`; the target must be visible ASCII.
  public mutating func appendRequestLine(
    _ method: StaticString, target: Span<UInt8>
  ) throws(HeadWriteFailure) {
    guard !target.isEmpty, ByteScan.queryStop(target, 0, target.count) == target.count else {
      throw .forbiddenCharacter
    }
    let before = count
    guard append(method), append(0x20), append(target), append(" HTTP/1.1\r\n") else {
      truncate(to: before)
      throw .noRoom
    }
  }

  /// Appends the Host field of an origin: the port only when the scheme would mean another.
  public mutating func appendHost(
    _ host: Span<UInt8>, port: UInt16, defaultPort: UInt16
  ) throws(HeadWriteFailure) {
    guard HostSyntax.endOfHost(host, 0..<host.count) == host.count else {
      throw .forbiddenCharacter
    }
    let before = count
    let written =
      append("Host: ") && append(host)
      && (port == defaultPort || append(0x3A) && append(decimal: Int64(port))) && append("\r\n")
    guard written else {
      truncate(to: before)
      throw .noRoom
    }
  }

  /// Appends a field with a name of ours.
  public mutating func appendField(
    _ name: StaticString, _ value: Span<UInt8>
  ) throws(HeadWriteFailure) {
    try Self.checkValue(value)
    let before = count
    guard append(name), append(": "), append(value), append("\r\n") else {
      truncate(to: before)
      throw .noRoom
    }
  }

  /// Appends a field with a number.
  public mutating func appendField(
    _ name: StaticString, decimal value: Int64
  ) throws(HeadWriteFailure) {
    let before = count
    guard append(name), append(": "), append(decimal: value), append("\r\n") else {
      truncate(to: before)
      throw .noRoom
    }
  }

  /// Appends a field whose name comes from elsewhere too.
  public mutating func appendField(
    named name: Span<UInt8>, _ value: Span<UInt8>
  ) throws(HeadWriteFailure) {
    guard !name.isEmpty else { throw .forbiddenCharacter }
    for index in name.indices where !name[index].isToken { throw .forbiddenCharacter }
    try Self.checkValue(value)
    let before = count
    guard append(name), append(": "), append(value), append("\r\n") else {
      truncate(to: before)
      throw .noRoom
    }
  }

  /// Appends the empty line that ends a head.
  public mutating func appendHeadEnd() throws(HeadWriteFailure) {
    guard append("\r\n") else { throw .noRoom }
  }

  /// Refuses control characters other than HTAB.
  private static func checkValue(_ value: Span<UInt8>) throws(HeadWriteFailure) {
    var index = ByteScan.control(value, 0, value.count)
    while index < value.count {
      guard value[index] == 0x09 else { throw .forbiddenCharacter }
      index = ByteScan.control(value, index + 1, value.count)
    }
  }
}
