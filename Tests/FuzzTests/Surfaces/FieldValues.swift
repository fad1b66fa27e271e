// Single values: dates, URLs, addresses, media types, file names (RFC 9110, 3986, 4291, 6266).
@testable internal import Wire

func fieldValues(_ bytes: Span<UInt8>) throws(Broken) {
  try dates(bytes)
  try urls(bytes)
  try mediaTypes(bytes)
  try fileNames(bytes)
  for size in [Int64(0), 1, 10, .max] {
    guard case .part(let offset, let length) = ByteRange(bytes, size: size) else { continue }
    try hold(offset >= 0 && length >= 1 && length <= size - offset, "\(length) from \(offset)")
  }
  if let address = IPAddress(bytes) {
    _ = address.addressClass
    try hold((2...45).contains(bytes.count), "an address of \(bytes.count) characters")
  }
  if EntityTag.list(bytes, 0..<bytes.count, names: [0x61].span, weakly: false) {
    try hold(
      EntityTag.list(bytes, 0..<bytes.count, names: [0x61].span, weakly: true),
      "what is equal strongly is equal weakly")
  }
}

/// RFC 9110 §5.6.7: a date in any form is the same time in the one form that is written.
private func dates(_ bytes: Span<UInt8>) throws(Broken) {
  for now in [Int64.min, 0, 1_900_000_000, .max] {
    guard let time = HTTPDate.parse(bytes, now: now) else { continue }
    let written = HTTPDate.format(time)
    let text = written.indices.map { written[$0] }
    // Second 60 of the year 9999 is the one time that has no form of its own.
    guard time <= 253_402_300_799 else { continue }
    try hold(HTTPDate.parse(text.span, now: 0) == time, "\(text.text) is not \(time)")
  }
}

private func urls(_ bytes: Span<UInt8>) throws(Broken) {
  guard let url = try? AbsoluteURL(bytes) else { return }
  try hold(!url.host.isEmpty && url.host.upperBound <= bytes.count, "host \(url.host)")
  try hold(url.pathAndQuery.lowerBound >= url.host.upperBound, "a path before its host")
  try hold(url.pathAndQuery.upperBound <= bytes.count, "a path behind the end")
  let origin = url.origin(in: bytes)
  // One dot behind a host is dropped. With another before it, no resolver knows the host.
  let host = Array(bytes, url.host)
  guard host != [0x2E], host.suffix(2) != [0x2E, 0x2E] else { return }
  guard let again = try? AbsoluteURL(origin.span) else {
    throw Broken(description: "\(origin.text) is no URL")
  }
  try hold(again.origin(in: origin.span) == origin, "\(origin.text) has another origin")
  try hold(again.port == url.port && again.scheme == url.scheme, "\(origin.text) is elsewhere")
  try hold(again.address == url.address, "\(origin.text) is another address")
}

private func mediaTypes(_ bytes: Span<UInt8>) throws(Broken) {
  guard let type = ContentType(bytes) else { return }
  try hold(type.essence.upperBound <= bytes.count, "essence \(type.essence)")
  let boundary = type.parameter("boundary", in: bytes)
  try hold(boundary.map { $0.count < bytes.count } ?? true, "a parameter grew")
}

/// RFC 6266: whatever the name, the field is one line of ASCII with balanced quotes.
private func fileNames(_ bytes: Span<UInt8>) throws(Broken) {
  let value = ContentDisposition.attachment.value(fileName: bytes)
  for byte in value { try hold((0x20..<0x7F).contains(byte), "byte \(byte) in a disposition") }
  try hold(value.count { $0 == 0x22 } <= 2, "quotes in \(value.text)")
  try hold(!value.contains(0x5C) && !value.contains(0x2F), "a separator in \(value.text)")
  try hold(value.count <= 64 + 4 * ContentDisposition.maxFileName, "\(value.count) bytes")
}
