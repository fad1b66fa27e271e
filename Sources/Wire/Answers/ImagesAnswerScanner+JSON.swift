// The scanner's steps through JSON: one byte at a time, as strict as JSONParser.

extension ImagesAnswerScanner {
  /// Takes one byte; false when it has to be looked at again.
  mutating func take(_ byte: UInt8) throws(ScanFailure) -> Bool {
    switch phase {
    case .value(let wanted): try takeValue(byte, wanted)
    case .name(let wanted): try takeName(byte, wanted)
    case .nameText: try takeNameText(byte)
    case .colon: try takeColon(byte)
    case .comma: try takeComma(byte)
    case .text: try takeText(byte)
    case .lead(let name): return try takeLead(byte, name)
    case .image: return try takeImage(byte)
    case .imageEscape: try takeImageEscape(byte)
    case .imagePercent(let first): return takeImagePercent(byte, first)
    case .passOver(let passed): try takePassedOver(byte, passed)
    case .number(let number): return try takeNumber(byte, number)
    case .literal(let literal, let index): try takeLiteral(byte, literal, index)
    case .end:
      guard isJSONSpace(byte) else { throw .json(.unexpected(byte, wanted: .end)) }
      try keep(byte)
    }
    return true
  }

  mutating func keep(_ byte: UInt8) throws(ScanFailure) {
    guard skeleton.bytes.count < limits.skeletonBytes else {
      throw .skeletonTooLarge(limit: limits.skeletonBytes)
    }
    skeleton.bytes.append(byte)
  }

  /// Takes a run of the string under way that stands for itself, if there is one; the rules are
  /// `take`'s.
  mutating func takePlain(
    _ input: Span<UInt8>, from offset: inout Int
  ) throws(ScanFailure) {
    guard grammar.isPlain else { return }
    let start = offset
    while offset < input.count, StringGrammar.isPlain(input[offset]) { offset += 1 }
    guard case .text = phase, start < offset else { return }
    let room = limits.skeletonBytes - skeleton.bytes.count
    guard offset - start <= room else {
      offset = start + max(room, 0)
      throw .skeletonTooLarge(limit: limits.skeletonBytes)
    }
    for index in start..<offset { skeleton.bytes.append(input[index]) }
    guard noted != nil else { return }
    for index in start..<offset { noted?.append(byte: input[index]) }
  }

  private mutating func takeValue(
    _ byte: UInt8, _ wanted: JSONFault.Wanted
  ) throws(ScanFailure) {
    if isJSONSpace(byte) { return try keep(byte) }
    if byte == 0x5D, wanted == .valueOrEnd { return try close(byte) }
    try beginValue()
    switch byte {
    case 0x7B: try open(object: true)
    case 0x5B: try open(object: false)
    case 0x22: beginString()
    case 0x74: phase = .literal(.true, at: 1)
    case 0x66: phase = .literal(.false, at: 1)
    case 0x6E: phase = .literal(.null, at: 1)
    default:
      guard let first = NumberGrammar(first: byte) else {
        throw .json(.unexpected(byte, wanted: wanted))
      }
      phase = .number(first)
    }
    try keep(byte)
    noteObject(byte)
  }

  private mutating func takeName(
    _ byte: UInt8, _ wanted: JSONFault.Wanted
  ) throws(ScanFailure) {
    switch byte {
    case 0x22:
      nameStart = skeleton.bytes.count
      nameText.removeAll(keepingCapacity: true)
      grammar = StringGrammar()
      phase = .nameText
    case 0x7D where wanted == .nameOrEnd:
      return try close(byte)
    default:
      guard isJSONSpace(byte) else { throw .json(.unexpected(byte, wanted: wanted)) }
    }
    try keep(byte)
  }

  private mutating func takeNameText(_ byte: UInt8) throws(ScanFailure) {
    switch grammar.take(byte) {
    case .more: break
    case .byte(let character): appendToName(character)
    case .unit(let unit): appendToName(unit < 0x80 ? UInt8(unit) : 0xFF)
    case .end:
      name = structure.name(nameText)
      phase = .colon
    case .fault(let fault): throw .json(fault)
    }
    try keep(byte)
  }

  /// No name that matters is as long as 16 bytes.
  private mutating func appendToName(_ character: UInt8) {
    if nameText.count < 16 { nameText.append(character) }
  }

  private mutating func takeColon(_ byte: UInt8) throws(ScanFailure) {
    if byte == 0x3A {
      phase = .value(.value)
    } else if !isJSONSpace(byte) {
      throw .json(.unexpected(byte, wanted: .colon))
    }
    try keep(byte)
  }

  private mutating func takeComma(_ byte: UInt8) throws(ScanFailure) {
    let inObject = structure.isInObject
    switch byte {
    case 0x2C:
      noteComma()
      phase = inObject ? .name(.name) : .value(.value)
      try keep(byte)
    case 0x7D where inObject, 0x5D where !inObject:
      try close(byte)
    default:
      guard isJSONSpace(byte) else {
        throw .json(.unexpected(byte, wanted: inObject ? .commaOrBrace : .commaOrBracket))
      }
      try keep(byte)
    }
  }

  private mutating func takeText(_ byte: UInt8) throws(ScanFailure) {
    try keep(byte)
    switch grammar.take(byte) {
    case .more: break
    case .byte(let character): noted?.append(byte: character)
    case .unit(let unit): noted?.append(unit: unit)
    case .end: endValue(noted.map { .text($0.string) } ?? .other)
    case .fault(let fault): throw .json(fault)
    }
  }

  private mutating func takeNumber(
    _ byte: UInt8, _ number: NumberGrammar
  ) throws(ScanFailure) -> Bool {
    if let next = number.after(byte) {
      phase = .number(next)
      try keep(byte)
      return true
    }
    guard number.isWhole else { throw .json(.number) }
    endValue(.other)
    return false
  }

  private mutating func takeLiteral(
    _ byte: UInt8, _ literal: Literal, _ index: Int
  ) throws(ScanFailure) {
    let bytes = literal.rawValue.utf8
    guard bytes.dropFirst(index).first == byte else {
      throw .json(.unexpected(byte, wanted: .literal))
    }
    try keep(byte)
    if index + 1 == bytes.count {
      endValue(literal == .null ? .null : .other)
    } else {
      phase = .literal(literal, at: index + 1)
    }
  }

  private mutating func open(object: Bool) throws(ScanFailure) {
    try structure.open(object: object, name: name, limit: limits.depth)
    phase = object ? .name(.nameOrEnd) : .value(.valueOrEnd)
  }

  private mutating func close(_ byte: UInt8) throws(ScanFailure) {
    try keep(byte)
    structure.close()
    endValue(.other)
  }
}
