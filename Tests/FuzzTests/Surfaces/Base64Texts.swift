// RFC 4648: however text and room are split the bytes are the same; what is encoded decodes to
// itself; tokens and ids have one spelling.
internal import Wire

func base64Texts(_ bytes: Span<UInt8>) throws(Broken) {
  try decoding(bytes)
  try encoding(bytes)
  try oneSpelling(bytes)
  if let start = DataURL.payloadStart(bytes) {
    try hold(start <= bytes.count && bytes[start - 1] == 0x2C, "a payload at \(start)")
  }
}

private func decoding(_ text: Span<UInt8>) throws(Broken) {
  let whole = Base64.decode(text)
  try hold(whole == reference(text), "other bytes than one character after the other")
  try hold(whole.map { $0.count <= text.count / 4 * 3 + 2 } ?? true, "too many bytes")
  for pieces in cuts(text.count) {
    for room in [3, 35, 300] {
      try hold(decoded(text, pieces, room) == whole, "the bytes depend on the split")
    }
  }
}

/// What the text means, without any of the decoder's haste.
private func reference(_ text: Span<UInt8>) -> [UInt8]? {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var (bits, held, characters, padding): (UInt32, Int, Int, Int) = (0, 0, 0, 0)
  var bytes: [UInt8] = []
  for character in withPluses(text.array) where !isSpace(character) {
    if character == 0x3D {
      padding += 1
      continue
    }
    let standard = character == 0x2D ? 0x2B : character == 0x5F ? 0x2F : character
    guard padding == 0, let sextet = alphabet.firstIndex(of: standard) else { return nil }
    bits = bits << 6 | UInt32(sextet)
    held += 6
    characters += 1
    if held >= 8 {
      held -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
    }
  }
  let rest = characters % 4
  guard rest != 1, padding <= (rest == 0 ? 0 : 4 - rest) else { return nil }
  return bytes
}

private func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

/// A run of spaces between two characters of one line is a run of `+`, but behind padding, and when
/// it is longer than any image has.
private func withPluses(_ text: [UInt8]) -> [UInt8] {
  var text = text
  for index in text.indices where text[index] == 0x20 {
    let before = text[..<index].lastIndex { $0 != 0x20 }
    let after = text[index...].firstIndex { $0 != 0x20 }
    guard let before, let after, after - before <= 1025, !isSpace(text[before]),
      !isSpace(text[after]), !text[..<index].contains(0x3D)
    else { continue }
    text[index] = 0x2B
  }
  return text
}

private func decoded(_ text: Span<UInt8>, _ pieces: [Range<Int>], _ room: Int) -> [UInt8]? {
  var decoder = Base64Decoder()
  var bytes: [UInt8] = []
  var scratch = [UInt8](repeating: 0, count: room)
  for piece in pieces {
    var start = piece.lowerBound
    while start < piece.upperBound {
      var end = 0
      var output = scratch.mutableSpan
      let stop = decoder.decode(
        text.extracting(0..<piece.upperBound), from: &start, into: &output, at: &end)
      bytes += scratch[..<end]
      guard stop == .inputEnd || stop == .outputFull else { return nil }
    }
  }
  var end = 0
  var output = scratch.mutableSpan
  guard decoder.finish(into: &output, at: &end) == .inputEnd else { return nil }
  return bytes + scratch[..<end]
}

private func encoding(_ bytes: Span<UInt8>) throws(Broken) {
  let text = Array(Base64.encode(bytes).utf8)
  try hold(Int64(text.count) == Base64.encodedLength(Int64(bytes.count)), "its length")
  try hold(Base64.decode(text.span) == bytes.array, "encoded it decodes otherwise")
  for pieces in cuts(bytes.count) {
    for room in [4, 37, 300] {
      try hold(encoded(bytes, pieces, room) == text, "the text depends on the split")
    }
  }
}

private func encoded(_ bytes: Span<UInt8>, _ pieces: [Range<Int>], _ room: Int) -> [UInt8] {
  var encoder = Base64Encoder()
  var text: [UInt8] = []
  var scratch = [UInt8](repeating: 0, count: room)
  for piece in pieces {
    var start = piece.lowerBound
    while start < piece.upperBound {
      var end = 0
      var output = scratch.mutableSpan
      _ = encoder.encode(
        bytes.extracting(0..<piece.upperBound), from: &start, into: &output, at: &end)
      text += scratch[..<end]
    }
  }
  var end = 0
  var output = scratch.mutableSpan
  _ = encoder.finish(into: &output, at: &end)
  return text + scratch[..<end]
}

/// RFC 4648 §3.5: no bits left over, no second text of the same bytes.
private func oneSpelling(_ bytes: Span<UInt8>) throws(Broken) {
  let text = Array(Base64URL.encode(bytes).utf8)
  var same = [UInt8](repeating: 0, count: bytes.count)
  var output = same.mutableSpan
  let isRead = Base64URL.decodeCanonical(text.span, into: &output)
  try hold(isRead && same == bytes.array, "encoded it decodes otherwise")
  for count in bytes.count * 3 / 4 - 1...bytes.count * 3 / 4 + 1 where count >= 0 {
    var read = [UInt8](repeating: 0, count: count)
    var output = read.mutableSpan
    guard Base64URL.decodeCanonical(bytes, into: &output) else { continue }
    try hold(Array(Base64URL.encode(read.span).utf8) == bytes.array, "a second spelling")
  }
  if let hex = Hex.decode(bytes) {
    try hold(Array(Hex.encode(hex.span).utf8) == bytes.array, "a second spelling in hex")
  }
  if let id = AssetID(text: bytes) {
    try hold(Array(id.description.utf8) == bytes.array, "a second spelling of an id")
  }
}
