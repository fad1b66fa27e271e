// The scanner's way through an image's text: long runs of base64 are the caller's to decode where
// they are, characters that come as escapes are gathered first. Texts of nothing but escapes are
// valid JSON: to decode them one by one would cost 350 ns each.

extension ImagesAnswerScanner {
  /// Characters that are gathered at most, or a few more.
  static let gatheredBytes = 4096
  /// A run between two escapes that is at least this long is not gathered.
  private static let longRun = 256

  /// The next event of the image under way; `nil` when the next byte is one for `takeImage`.
  mutating func takeImageRun(_ input: Span<UInt8>, from offset: inout Int) -> Event? {
    var text: [UInt8] = []
    while offset < input.count, text.count < Self.gatheredBytes {
      let end = Self.endOfRun(input, from: offset)
      // Gathered is only what an escape follows: everything else is decoded in its place.
      if offset < end {
        guard end - offset < Self.longRun, end < input.count, isEscape(input[end]) else { break }
        text.append(input.extracting(offset..<end))
        offset = end
      }
      guard let (character, length) = escaped(input, at: offset) else { break }
      text.append(character)
      offset += length
    }
    if !text.isEmpty { return .imageText(text) }
    return Self.isBase64(input[offset]) ? .imageBytes(offset..<input.count) : nil
  }

  private static func endOfRun(_ input: Span<UInt8>, from start: Int) -> Int {
    let limit = min(start + longRun, input.count)
    var end = start
    while end < limit, isBase64(input[end]) { end += 1 }
    return end
  }

  /// Whether an escape begins with this byte: JSON's, and in a data URL `%`.
  private func isEscape(_ byte: UInt8) -> Bool {
    byte == 0x5C || byte == 0x25 && prefix.isDataURL
  }

  /// The base64 character of a whole escape in the input, and the escape's length in bytes.
  private func escaped(_ input: Span<UInt8>, at offset: Int) -> (UInt8, Int)? {
    guard isEscape(input[offset]), offset + 1 < input.count else { return nil }
    let (character, length): (UInt8?, Int)
    switch (input[offset], input[offset + 1]) {
    case (0x25, _): (character, length) = (Self.hex(input, at: offset + 1, digits: 2), 3)
    case (_, 0x2F): (character, length) = (0x2F, 2)
    case (_, 0x6E): (character, length) = (0x0A, 2)
    case (_, 0x72): (character, length) = (0x0D, 2)
    case (_, 0x74): (character, length) = (0x09, 2)
    case (_, 0x75): (character, length) = (Self.hex(input, at: offset + 2, digits: 4), 6)
    default: return nil
    }
    guard let character, Self.isBase64(character) else { return nil }
    return (character, length)
  }

  /// The value of so many digits, when it is one byte.
  private static func hex(_ input: Span<UInt8>, at start: Int, digits: Int) -> UInt8? {
    guard start + digits <= input.count else { return nil }
    var value = 0
    for index in start..<start + digits {
      guard let digit = Hex.value(anyCase: input[index]) else { return nil }
      value = value << 4 | Int(digit)
    }
    return UInt8(exactly: value)
  }
}
