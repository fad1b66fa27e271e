// RFC 9112 §3.2, RFC 3986 §2.1: request targets, their decoded paths and queries, and the routes
// that they name. The input is a target.
@testable internal import AssetService
@testable internal import Wire

func targets(_ bytes: Span<UInt8>) throws(Broken) {
  // A request line with others is refused before, or is split at them.
  for index in bytes.indices where bytes[index] <= 0x20 || bytes[index] == 0x7F { return }
  guard let target = try? RequestTarget(bytes, 0..<bytes.count) else { return }
  try parts(target, bytes)
  try queries(target, bytes)
  try routes(target, bytes)
  for allowsEncodedSlash in [false, true] {
    guard
      let path = try? target.decodedPath(in: bytes, allowsEncodedSlash: allowsEncodedSlash)
    else { continue }
    guard target.form != .asterisk else { continue }
    try decoded(path, of: target, bytes, allowsEncodedSlash)
  }
}

/// The parts are in order, without a gap but the `?`, and of visible characters.
private func parts(_ target: RequestTarget, _ bytes: Span<UInt8>) throws(Broken) {
  guard target.form != .asterisk else {
    return try hold(bytes.array == [0x2A], "asterisk form")
  }
  if let authority = target.authority {
    try hold(authority.upperBound == target.path.lowerBound, "authority, then path")
  } else {
    try hold(target.path.lowerBound == 0 && !target.path.isEmpty, "a path in front")
  }
  let end = target.query?.upperBound ?? target.path.upperBound
  try hold(end == bytes.count, "the parts end at \(end) of \(bytes.count)")
  if let query = target.query {
    try hold(query.lowerBound == target.path.upperBound + 1, "path, `?`, query")
  }
  for byte in bytes.array { try hold(isVisible(byte) && byte != 0x23, "byte \(byte)") }
  try segments(Array(bytes, target.path))
}

/// No segment is empty, but the last, and none is `.` or `..`.
private func segments(_ path: [UInt8]) throws(Broken) {
  let segments = path.split(separator: 0x2F, omittingEmptySubsequences: false)
  for (index, segment) in segments.enumerated() where index > 0 {
    try hold(!segment.isEmpty || index == segments.count - 1, "an empty segment")
    try hold(segment != [0x2E] && segment != [0x2E, 0x2E], "a segment of dots")
  }
}

private func decoded(
  _ path: [UInt8], of target: RequestTarget, _ bytes: Span<UInt8>, _ allowsEncodedSlash: Bool
) throws(Broken) {
  let raw = Array(bytes, target.path)
  try hold(path.first == 0x2F, "a path without its slash")
  try hold(path.count <= max(raw.count, 1), "a path grew")
  for byte in path { try hold((0x20..<0x7F).contains(byte) && byte != 0x5C, "byte \(byte)") }
  try segments(path)
  if !target.needsDecoding { try hold(path == (raw.isEmpty ? [0x2F] : raw), "decoded needlessly") }
  if !allowsEncodedSlash {
    let slashes = path.count { $0 == 0x2F }
    try hold(slashes == max(raw.count { $0 == 0x2F }, 1), "a slash was decoded")
  }
  let encoded = path.flatMap { $0 == 0x2F ? [$0] : [0x25] + Array(Hex.encode([$0].span).utf8) }
  guard let again = try? RequestTarget(encoded.span, 0..<encoded.count) else {
    throw Broken(description: "written anew it is no target")
  }
  let second = try? again.decodedPath(in: encoded.span, allowsEncodedSlash: allowsEncodedSlash)
  try hold(second == path, "written anew it decodes otherwise")
}

private func queries(_ target: RequestTarget, _ bytes: Span<UInt8>) throws(Broken) {
  var reader = QueryReader(target.query)
  var (pairs, length) = (0, 0)
  while let pair = try? reader.next(in: bytes) {
    pairs += 1
    length += pair.name.count + (pair.value?.count ?? 0)
    for byte in pair.name + (pair.value ?? []) {
      try hold(byte >= 0x20 && byte != 0x7F, "byte \(byte) in a query")
    }
  }
  try hold(pairs <= QueryReader.maxPairs, "\(pairs) pairs")
  try hold(length <= target.query?.count ?? 0, "a query grew")
}

/// A delivery's name stands behind its prefix, spelled in one way, and is one segment.
private func routes(_ target: RequestTarget, _ bytes: Span<UInt8>) throws(Broken) {
  let (name, suffix, prefix): (Range<Int>, Range<Int>, String)
  switch DeliveryName(target, in: bytes) {
  case .link(let token, let ending): (name, suffix, prefix) = (token, ending, "/v1/temp-images/")
  case .permanent(let id, let ending): (name, suffix, prefix) = (id, ending, "/images/")
  case .foreign: return
  case nil:
    _ = Route(target, in: bytes)
    return
  }
  try hold(!target.needsDecoding, "an encoded delivery")
  let spelled = prefix + Array(bytes, name).text + "." + Array(bytes, suffix).text
  try hold(Array(spelled.utf8) == Array(bytes, target.path), "a delivery spelled otherwise")
  try hold(!Array(bytes, name).contains(0x2F), "a name of two segments")
  try hold(!Array(bytes, suffix).contains { $0 == 0x2F || $0 == 0x2E }, "an extension of two")
}
