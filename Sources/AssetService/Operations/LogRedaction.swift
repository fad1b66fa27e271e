// A link's token opens an image for whoever reads it (A6), and it comes into a log by many ways: a
// path that is nearly a link, a request id, a model's name, a message of an upstream. So no field
// is trusted: whole lines are looked at, when they leave.
internal import Wire

/// Shortens what may be a secret.
enum LogRedaction {
  /// The most characters in a row that stay as they are. A token has 52, of which any 9 that are
  /// missing could be guessed no more (64⁹ tries); ids have 36, a UUID too.
  static let longestRun = 43
  /// What stays of a longer run, to tell one from another: of a token it is the version, the key
  /// and the upper half of its expiry.
  static let keptCharacters = 8

  /// The same lines with every run of more than `longestRun` characters of base64url (RFC 4648 §5)
  /// cut to its first ones and `...`. A percent-encoded character counts as itself.
  static func shortening(_ lines: [UInt8]) -> [UInt8] {
    var shortened: [UInt8]?
    var copied = 0
    var index = 0
    // A run that is too long covers all bytes from here to this one: most lines are looked at here
    // and there only, for this is done to every line of the access log.
    while index + longestRun < lines.count {
      if let gap = lastGap(in: lines.span, from: index, through: index + longestRun) {
        index = gap + 1
        continue
      }
      guard let run = run(in: lines, at: index) else {
        index += 1
        continue
      }
      if run.characters > longestRun {
        var result = shortened ?? []
        if shortened == nil { result.reserveCapacity(lines.count) }
        result += lines[copied..<run.kept]
        result += [UInt8](repeating: UInt8(ascii: "."), count: 3)
        shortened = result
        copied = run.end
      }
      index = run.end
    }
    guard var shortened else { return lines }
    shortened += lines[copied...]
    return shortened
  }

  /// The last of these bytes that is in no run, whatever stands around it.
  private static func lastGap(in lines: Span<UInt8>, from start: Int, through end: Int) -> Int? {
    var index = end
    while index >= start {
      let byte = lines[index]
      guard isTokenCharacter(byte) || byte == UInt8(ascii: "%") else { return index }
      index -= 1
    }
    return nil
  }

  /// The run that begins here, if one does: how many characters it has, where those end that stay,
  /// and where it ends.
  private static func run(
    in lines: [UInt8], at start: Int
  ) -> (characters: Int, kept: Int, end: Int)? {
    var end = start
    var kept = start
    var characters = 0
    while end < lines.count {
      let length = characterLength(lines, end)
      guard length > 0 else { break }
      end += length
      characters += 1
      if characters <= keptCharacters { kept = end }
    }
    return characters > 0 ? (characters, kept, end) : nil
  }

  /// 1 for a character of base64url, 3 for one that is percent-encoded, 0 for anything else.
  private static func characterLength(_ lines: [UInt8], _ index: Int) -> Int {
    let byte = lines[index]
    if isTokenCharacter(byte) { return 1 }
    guard byte == UInt8(ascii: "%"), index + 2 < lines.count,
      let high = digit(lines[index + 1]), let low = digit(lines[index + 2])
    else { return 0 }
    return isTokenCharacter(high << 4 | low) ? 3 : 0
  }

  private static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
    default: false
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
