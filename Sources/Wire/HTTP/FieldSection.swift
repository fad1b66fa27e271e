// Field lines (RFC 9112 §5): one resumable parser for request heads and response heads. It keeps
// offsets only, in place, and looks at every byte once however the bytes are split.

/// A run of bytes in a head: two offsets from its first byte.
public struct HeadRange: Sendable, Equatable, BitwiseCopyable {
  @usableFromInline var start: UInt16
  @usableFromInline var end: UInt16

  /// An empty run.
  init() {
    start = 0
    end = 0
  }

  /// A run; heads are at most 65,535 bytes (`RequestLimits`, `ResponseLimits`).
  init(_ range: Range<Int>) {
    start = UInt16(truncatingIfNeeded: range.lowerBound)
    end = UInt16(truncatingIfNeeded: range.upperBound)
  }

  /// The run as a range of indices of the head's bytes.
  @inlinable public var range: Range<Int> { Int(start)..<Int(max(start, end)) }
}

/// The field lines of a head, as offsets into its bytes.
public struct FieldSection: Sendable {
  /// How many field lines fit.
  public static var capacity: Int { 100 }

  /// One field line.
  public struct Field: Sendable, BitwiseCopyable {
    /// Where the name stands.
    public internal(set) var name = HeadRange()
    /// Where the value stands, without the white space around it; may be empty.
    public internal(set) var value = HeadRange()
    var knownCode = UInt8.max

    /// The name, when it is one of `FieldName`.
    public var known: FieldName? { FieldName(rawValue: knownCode) }
  }

  /// What is wrong with a field line.
  enum Fault: Error {
    case bareLineEnd, controlCharacter, obsoleteFold, spaceBeforeColon, badName, tooLarge, tooMany
  }

  /// How far a parse came.
  enum Step {
    case done(end: Int)
    case incomplete
    case fault(Fault)
  }

  /// The rules that differ between what we are sent by clients and by servers.
  struct Rules {
    /// Bytes of the section, its closing empty line included.
    var bytes: Int
    /// Field lines, at most `capacity`.
    var fields: Int
    /// Whether white space before the colon is dropped (RFC 9112 §5.1 asks it for responses).
    var dropsSpaceBeforeColon: Bool
  }

  private var fields = InlineArray<100, Field>(repeating: Field())
  /// The first value of each known name; meaningful only where `seen` has its bit. Apart from
  /// `fields`, because today's compiler copies a whole InlineArray to read one element of a value
  /// that it may not change: 200 bytes are cheap, 1,000 are not.
  @usableFromInline var firstValues = InlineArray<48, HeadRange>(repeating: HeadRange())
  @usableFromInline var seen: UInt64 = 0
  @usableFromInline var repeated: UInt64 = 0
  /// How many field lines there are.
  public private(set) var count = 0

  // Where to go on: the section, its current line, the byte to look at next.
  private var sectionStart = 0
  private var lineStart = 0
  private var scan = 0
  /// Whether the name of the current line is done and `scan` is in its value.
  private var inValue = false

  /// Forgets all fields; the section starts at offset `start`.
  mutating func reset(start: Int) {
    seen = 0
    repeated = 0
    count = 0
    sectionStart = start
    lineStart = start
    scan = start
    inValue = false
  }

  /// Where the section starts.
  var start: Int { sectionStart }
  /// Where the line under way starts: after `.tooMany`, the first one that did not fit.
  var currentLine: Int { lineStart }

  /// After `.obsoleteFold`: the folded line belongs to the value before it, whose parsing goes on.
  /// `nil` when there is none, else where the line end stands that becomes white space.
  mutating func unfold() -> Range<Int>? {
    guard count > 0, scan == lineStart, lineStart >= sectionStart + 2 else { return nil }
    let fold = lineStart - 2..<lineStart
    count -= 1
    lineStart = Int(fields[count].name.start)
    inValue = true
    return fold
  }

  /// Goes on parsing; `bytes` starts with the first byte of the head each time.
  mutating func parse(_ bytes: Span<UInt8>, _ rules: Rules) -> Step {
    let limit = sectionStart + rules.bytes
    let window = min(bytes.count, limit)
    do throws(Fault) {
      while true {
        if !inValue {
          switch try name(bytes, window, rules) {
          case .done(let end)?: return .done(end: end)
          case .incomplete?, .fault?: break
          case nil: continue
          }
        } else if try value(bytes, window) {
          continue
        }
        return bytes.count >= limit ? .fault(.tooLarge) : .incomplete
      }
    } catch {
      return .fault(error)
    }
  }

  /// Reads a name up to its colon, or the empty line that ends the section; `nil` after a name.
  @inline(__always)
  private mutating func name(
    _ bytes: Span<UInt8>, _ window: Int, _ rules: Rules
  ) throws(Fault) -> Step? {
    if scan == lineStart {
      guard scan < window else { return .incomplete }
      switch bytes[scan] {
      case .carriageReturn:
        guard scan + 1 < window else { return .incomplete }
        guard bytes[scan + 1] == .lineFeed else { throw .bareLineEnd }
        return .done(end: scan + 2)
      case .lineFeed: throw .bareLineEnd
      case 0x20, 0x09: throw .obsoleteFold
      default: break
      }
    }
    scan = ByteScan.nameEnd(bytes, scan, window)
    guard scan < window else { return .incomplete }
    let name = lineStart..<scan
    var colon = scan
    if bytes[colon] != 0x3A {
      while colon < window, bytes[colon].isBlank { colon += 1 }
      guard colon > scan else { throw Self.fault(ofNameByte: bytes[scan]) }
      guard rules.dropsSpaceBeforeColon else { throw .spaceBeforeColon }
      guard colon < window else { return .incomplete }
      guard bytes[colon] == 0x3A else { throw .badName }
    }
    try admit(bytes, name, rules)
    scan = colon + 1
    inValue = true
    return nil
  }

  private static func fault(ofNameByte byte: UInt8) -> Fault {
    switch byte {
    case .carriageReturn, .lineFeed: .bareLineEnd
    case 0x80...: .badName
    default: .controlCharacter
    }
  }

  /// Checks a name and notes its line.
  @inline(__always)
  private mutating func admit(
    _ bytes: Span<UInt8>, _ name: Range<Int>, _ rules: Rules
  ) throws(Fault) {
    guard count < min(rules.fields, Self.capacity) else { throw .tooMany }
    fields[count].name = HeadRange(name)
    if let known = FieldName.recognise(bytes, name) {
      fields[count].knownCode = known.rawValue
      let bit = UInt64(1) << UInt64(known.rawValue)
      repeated |= seen & bit
      seen |= bit
      return
    }
    guard !name.isEmpty else { throw .badName }
    for index in name where !bytes[index].isToken { throw .badName }
    fields[count].knownCode = .max
  }

  /// Reads a value up to and including its line end; `false` when there are too few bytes.
  @inline(__always)
  private mutating func value(_ bytes: Span<UInt8>, _ window: Int) throws(Fault) -> Bool {
    while true {
      scan = ByteScan.control(bytes, scan, window)
      guard scan < window else { return false }
      guard bytes[scan] == 0x09 else { break }
      scan += 1
    }
    guard bytes[scan] == .carriageReturn else {
      throw bytes[scan] == .lineFeed ? .bareLineEnd : .controlCharacter
    }
    guard scan + 1 < window else { return false }
    guard bytes[scan + 1] == .lineFeed else { throw .bareLineEnd }
    var start = Int(fields[count].name.end)
    while bytes[start] != 0x3A { start += 1 }
    start += 1
    var end = scan
    while start < end, bytes[start].isBlank { start += 1 }
    while end > start, bytes[end - 1].isBlank { end -= 1 }
    let value = HeadRange(start..<end)
    fields[count].value = value
    let known = Int(fields[count].knownCode)
    if known < firstValues.count, repeated >> UInt64(known) & 1 == 0 { firstValues[known] = value }
    count += 1
    lineStart = scan + 2
    scan = lineStart
    inValue = false
    return true
  }
}

// Inlinable, so that a look-up in a head that lives in a class does not copy the whole head.
extension FieldSection {
  /// The field line at `index` in `0..<count`; traps outside.
  public subscript(index: Int) -> Field {
    precondition(index >= 0 && index < count, "FieldSection: no such line")
    return fields[index]
  }

  /// Whether a field of this name is there.
  @inlinable public func contains(_ name: FieldName) -> Bool {
    seen >> UInt64(name.rawValue) & 1 == 1
  }

  /// Whether more than one line has this name.
  @inlinable public func isRepeated(_ name: FieldName) -> Bool {
    repeated >> UInt64(name.rawValue) & 1 == 1
  }

  /// Where the value of the first line of this name stands; `nil` when there is none.
  @inlinable public func value(of name: FieldName) -> Range<Int>? {
    guard contains(name) else { return nil }
    return firstValues[Int(name.rawValue)].range
  }

  /// Where the value stands when exactly one line has this name; `nil` for none or several.
  @inlinable public func soleValue(of name: FieldName) -> Range<Int>? {
    isRepeated(name) ? nil : value(of: name)
  }

  /// Where the next value of this name stands; `line` starts at 0 and remembers the place.
  public func nextValue(of name: FieldName, after line: inout Int) -> Range<Int>? {
    guard line < count, let first = value(of: name) else { return nil }
    guard isRepeated(name) else {
      line = count
      return first
    }
    while line < count {
      let field = fields[line]
      line += 1
      if field.knownCode == name.rawValue { return field.value.range }
    }
    return nil
  }

  /// Lends each value of this name in order, from the bytes that were parsed.
  public func forEachValue<E: Error>(
    of name: FieldName, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    var line = 0
    while let value = nextValue(of: name, after: &line) { try body(bytes.extracting(value)) }
  }

  /// Lends each non-empty element of a comma-separated list field (RFC 9110 §5.6.1) in order, the
  /// lines of one name taken as one list. Commas inside quoted strings do not separate.
  public func forEachElement<E: Error>(
    of name: FieldName, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    try forEachValue(of: name, in: bytes) { (value) throws(E) in
      var list = ListElements(0..<value.count)
      while let element = list.next(in: value) { try body(value.extracting(element)) }
    }
  }
}

extension FieldSection {
  /// Whether Connection holds `close` and `keep-alive` (RFC 9110 §7.6.1). Mutating, and without a
  /// closure, only to be read in place.
  mutating func connectionOptions(_ bytes: Span<UInt8>) -> (close: Bool, keepAlive: Bool) {
    var options = (close: false, keepAlive: false)
    guard contains(.connection) else { return options }
    if !isRepeated(.connection) {  // nearly always one word, and nearly always this one
      let value = firstValues[Int(FieldName.connection.rawValue)].range
      if ByteScan.equalsIgnoringCase(bytes, value, "keep-alive") { return (false, true) }
    }
    for index in 0..<count where fields[index].knownCode == FieldName.connection.rawValue {
      var list = ListElements(fields[index].value.range)
      while let element = list.next(in: bytes) {
        if ByteScan.equalsIgnoringCase(bytes, element, "close") { options.close = true }
        if ByteScan.equalsIgnoringCase(bytes, element, "keep-alive") { options.keepAlive = true }
      }
    }
    return options
  }
}
