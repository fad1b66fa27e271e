// The scanner's steps through the strings that may be images.

extension ImagesAnswerScanner {
  /// The head of a noted string, until it is told what the string is. All is kept so far.
  mutating func takeLead(_ byte: UInt8, _ name: Skeleton.Name) throws(ScanFailure) -> Bool {
    switch grammar.take(byte) {
    case .more:
      try keep(byte)
      return true
    case .byte(let character):
      return try takeLead(byte, character: character, name, isRaw: true)
    case .unit(let unit) where unit < 0x80:
      return try takeLead(byte, character: UInt8(unit), name, isRaw: false)
    case .unit(let unit):
      try takeForeign(byte, unit, name)
      return true
    case .end:
      try endLead(byte, name)
      return true
    case .fault(let fault):
      throw .json(fault)
    }
  }

  private mutating func takeLead(
    _ byte: UInt8, character: UInt8, _ name: Skeleton.Name, isRaw: Bool
  ) throws(ScanFailure) -> Bool {
    let held = noted?.bytes ?? []
    if held.isEmpty, isJSONSpace(character) {
      try keep(byte)
      return true
    }
    switch prefix.take(character) {
    case .payload:
      beginImage(name, held: [], last: byte)
      return true
    case .notDataURL where name == .b64JSON:
      // Bare base64. A raw character is looked at again, so that the decoder gets it with what
      // follows.
      beginImage(name, held: isRaw ? held : held + [character], last: isRaw ? nil : byte)
      return !isRaw
    case .notDataURL, .otherEncoding:
      phase = .text
    case .more:
      break
    }
    try keep(byte)
    noted?.append(byte: character)
    return true
  }

  /// An escaped character beyond ASCII: a URL or a data URL's head goes on as text, base64 is
  /// broken.
  private mutating func takeForeign(
    _ byte: UInt8, _ unit: UInt16, _ name: Skeleton.Name
  ) throws(ScanFailure) {
    if name == .b64JSON, !prefix.isDataURL {
      beginImage(name, held: [], last: byte)
      if case .image = phase { breakImage() }
    } else {
      try keep(byte)
      noted?.append(unit: unit)
      phase = .text
    }
  }

  /// The string ended before it was told: it is empty, text, or base64 that begins like `data`.
  private mutating func endLead(_ quote: UInt8, _ name: Skeleton.Name) throws(ScanFailure) {
    guard let text = noted, !text.bytes.isEmpty else {
      try keep(quote)
      return endValue(.empty)
    }
    guard name == .b64JSON, !prefix.isDataURL else {
      try keep(quote)
      return endValue(.text(text.string))
    }
    beginImage(name, held: text.bytes)
    try keep(quote)
    if case .passOver = phase { return endValue(.duplicate) }
    events.append(.imageEnd)
    endValue(.image)
  }

  /// Turns the string aside: nothing of it stays in the skeleton but its quotes. An item is one
  /// image; the text of another member is passed over. Of a member that comes twice the last one
  /// counts, as JSON's readers take it: its image begins anew.
  /// `last` is the byte that told so, when it was taken and not kept.
  private mutating func beginImage(
    _ name: Skeleton.Name, held: [UInt8], last: UInt8? = nil
  ) {
    head = Array(skeleton.bytes[textStart...]) + (last.map { [$0] } ?? [])
    isDataURL = prefix.isDataURL
    skeleton.bytes.removeLast(skeleton.bytes.count - textStart)
    grammar = StringGrammar()
    noted = nil
    guard !itemHasImage || supersede(name) else {
      phase = .passOver(.duplicate)
      return
    }
    itemHasImage = true
    phase = .image
    events.append(.imageBegin(item: skeleton.items.count - 1, member: name))
    if !held.isEmpty { events.append(.imageText(held)) }
  }

  /// Whether the item under way has a member of this name, which is then none any more.
  private mutating func supersede(_ name: Skeleton.Name) -> Bool {
    let item = skeleton.items.count - 1
    guard item >= 0,
      let member = skeleton.items[item].object?.members.lastIndex(where: { $0.name == name })
    else { return false }
    skeleton.items[item].object?.members[member].value = .duplicate
    return true
  }

  private mutating func breakImage() {
    grammar = StringGrammar()
    phase = .passOver(.broken)
    events.append(.imageBroken)
  }

  /// A byte of an image that is not base64.
  mutating func takeImage(_ byte: UInt8) throws(ScanFailure) -> Bool {
    switch byte {
    case 0x22:
      try keep(byte)
      events.append(.imageEnd)
      endValue(.image)
      return true
    case 0x5C:
      grammar = StringGrammar()
      _ = grammar.take(byte)
      phase = .imageEscape
      return true
    case 0x00..<0x20:
      throw .json(.controlCharacter)
    case 0x25 where prefix.isDataURL:
      phase = .imagePercent(nil)
      return true
    default:
      breakImage()
      return false
    }
  }

  /// A percent escape of a data URL (RFC 2397, RFC 3986 §2.1) that the input splits.
  mutating func takeImagePercent(_ byte: UInt8, _ first: UInt8?) -> Bool {
    guard let digit = Hex.value(anyCase: byte) else {
      breakImage()
      return false
    }
    guard let first else {
      phase = .imagePercent(digit)
      return true
    }
    let character = first << 4 | digit
    if Self.isBase64(character) {
      phase = .image
      events.append(.imageText([character]))
    } else {
      breakImage()
    }
    return true
  }

  mutating func takeImageEscape(_ byte: UInt8) throws(ScanFailure) {
    switch grammar.take(byte) {
    case .unit(let unit):
      if unit < 0x80, Self.isBase64(UInt8(unit)) {
        phase = .image
        events.append(.imageText([UInt8(unit)]))
      } else {
        breakImage()
      }
    case .fault(let fault): throw .json(fault)
    case .more, .byte, .end: break
    }
  }

  /// A raw line break is no JSON, but white space of an image, whatever became of that.
  mutating func takePassedOver(_ byte: UInt8, _ passed: Passed) throws(ScanFailure) {
    if passed == .broken, grammar.isPlain, isJSONSpace(byte) { return }
    switch grammar.take(byte) {
    case .end:
      try keep(byte)
      if passed == .broken { events.append(.imageOver) }
      endValue(passed == .duplicate ? .duplicate : .image)
    case .fault(let fault): throw .json(fault)
    case .more, .byte, .unit: break
    }
  }
}
