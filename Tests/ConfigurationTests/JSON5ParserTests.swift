import Testing

@testable import Configuration

/// A value without its place, for tables.
indirect enum Plain: Equatable {
  case null
  case bool(Bool)
  case whole(Int64)
  case double(Double)
  case string(String)
  case array([Plain])
  case object([String], [Plain])

  init(_ node: JSON5Node) {
    switch node.value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .number(let number): self = number.integer.map(Plain.whole) ?? .double(number.double)
    case .string(let text): self = .string(text)
    case .array(let items): self = .array(items.map(Plain.init))
    case .object(let members):
      self = .object(members.map(\.key), members.map { Plain($0.node) })
    }
  }
}

struct JSON5ParserTests {
  /// Sections of https://spec.json5.org.
  static let good: [(section: String, text: String, value: Plain)] = [
    ("2", "null", .null), ("2", " true ", .bool(true)), ("2", "false", .bool(false)),
    ("3 objects", "{}", .object([], [])),
    ("3 objects", "{a:1}", .object(["a"], [.whole(1)])),
    ("3 objects", "{'a':1,}", .object(["a"], [.whole(1)])),
    ("3 objects", "{\"a b\": 1, $_9ü: 2}", .object(["a b", "$_9ü"], [.whole(1), .whole(2)])),
    ("3 objects", "{\\u0061b: 1}", .object(["ab"], [.whole(1)])),
    (
      "3 objects", "{null: 1, Infinity: 2}", .object(["null", "Infinity"], [.whole(1), .whole(2)])
    ),
    ("4 arrays", "[]", .array([])), ("4 arrays", "[1,]", .array([.whole(1)])),
    ("4 arrays", "[1,[2],{}]", .array([.whole(1), .array([.whole(2)]), .object([], [])])),
    ("5 strings", "'a\"b'", .string("a\"b")), ("5 strings", "\"a'b\"", .string("a'b")),
    ("5.1 escapes", #""\b\f\n\r\t\v\0\\\'\"\/""#, .string("\u{8}\u{c}\n\r\t\u{b}\0\\'\"/")),
    ("5.1 escapes", #""\x41\u00e9\A\C\/\D\C""#, .string("AéAC/DC")),
    ("5.1 escapes", #""\ud83d\ude00""#, .string("😀")),
    ("5.1 lines", "'a\\\nb\\\r\nc\\\u{2028}d'", .string("abcd")),
    ("5.2", "'\u{2028}\u{2029}'", .string("\u{2028}\u{2029}")),
    ("6 numbers", "[0,-0,+7,12]", .array([.whole(0), .whole(0), .whole(7), .whole(12)])),
    ("6 numbers", "[.5,5.,-.25]", .array([.double(0.5), .whole(5), .double(-0.25)])),
    ("6 numbers", "[1e3,1E-1,2.5e+1]", .array([.whole(1000), .double(0.1), .whole(25)])),
    ("6 numbers", "[0xFF,-0x10,0Xa]", .array([.whole(255), .whole(-16), .whole(10)])),
    ("6 numbers", "9223372036854775807", .whole(.max)),
    ("6 numbers", "-9223372036854775808", .whole(.min)),
    ("6 numbers", "9223372036854775808", .double(0x1p63)),
    ("6 numbers", "0x8000000000000000", .double(0x1p63)),
    ("6 numbers", "1e999", .double(.infinity)),
    ("6 numbers", "[Infinity,-Infinity]", .array([.double(.infinity), .double(-.infinity)])),
    ("7 comments", "// a\n1 /* b */ // c", .whole(1)),
    ("7 comments", "//\u{2028}1", .whole(1)), ("7 comments", "/* ** // */1/***/", .whole(1)),
    ("8 space", "\u{FEFF}\t\u{b}\u{c}\r\n\u{A0}\u{2003}\u{2028}1", .whole(1)),
  ]

  @Test(arguments: good)
  func reads(section: String, text: String, value: Plain) throws {
    #expect(Plain(try JSON5Parser.parse(Array(text.utf8)).root) == value, "\(section)")
  }

  @Test func readsNotANumber() throws {
    for text in ["NaN", "+NaN"] {
      guard case .number(let number) = try JSON5Parser.parse(Array(text.utf8)).root.value else {
        Issue.record("not a number")
        continue
      }
      #expect(number.double.isNaN && number.integer == nil)
    }
  }

  static let bad: [(text: String, offset: Int, path: String, message: String)] = [
    ("", 0, "", "the file ends where a value is expected"),
    ("// only", 7, "", "the file ends where a value is expected"),
    ("{}{}", 2, "", "nothing may follow the document's one value"),
    ("{a:1", 0, "", "\"{\" is never closed"), ("{a:[1", 3, "a", "\"[\" is never closed"),
    ("{a 1}", 3, "a", "expected \":\" after the key"),
    ("{a:1 b:2}", 5, "", "expected a comma or \"}\""),
    ("[1 2]", 3, "", "expected a comma or \"]\""),
    ("{,}", 1, "", "expected a key or \"}\""), ("[,]", 1, "[0]", "expected a value"),
    ("{a:}", 3, "a", "expected a value"),
    ("{mode: open}", 7, "mode", "a word needs quotes as a value: \"open\""),
    ("{a:{b:[0, 50GB]}}", 10, "a.b[1]", "not a number; a size or a time needs quotes: \"50GB\""),
    ("010", 0, "", "a number does not begin with 0; octal is not JSON5"),
    ("0x", 0, "", "expected hex digits after 0x"), (".", 0, "", "expected digits"),
    ("1e", 0, "", "expected digits in the exponent"),
    ("+x", 0, "", "expected digits after the sign"),
    ("\"a", 0, "", "this string never ends"),
    ("\"a\n\"", 0, "", "this string does not end on its line"),
    (#""\1""#, 1, "", "octal escapes are not JSON5"),
    (#""\01""#, 1, "", "octal escapes are not JSON5"),
    (#""\x4""#, 4, "", "expected 2 hex digits in this escape"),
    (#""\ud800""#, 1, "", "half of a surrogate pair is not a character"),
    (#""\ud800\u0041""#, 1, "", "half of a surrogate pair is not a character"),
    (#""\udc00""#, 1, "", "half of a surrogate pair is not a character"),
    (#"{\ud800: 1}"#, 1, "", "half of a surrogate pair is not a character"),
    ("/* a", 0, "", "\"/*\" is never closed"),
    ("/ a", 0, "", "a comment begins with // or /*"),
    ("#", 0, "", "expected a value"),
  ]

  @Test(arguments: bad)
  func refuses(text: String, offset: Int, path: String, message: String) {
    #expect(throws: JSON5Failure(offset: offset, path: path, message: message)) {
      try JSON5Parser.parse(Array(text.utf8))
    }
  }

  @Test func isBounded() {
    let deep = Array(repeating: UInt8(ascii: "["), count: 33)
    let tooDeep = JSON5Failure(
      offset: 32, path: String(repeating: "[0]", count: 32),
      message: "nested deeper than 32 levels")
    #expect(throws: tooDeep) { try JSON5Parser.parse(deep) }
    let large = Array(repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
    #expect(throws: JSON5Failure(offset: 0, path: "", message: "the file is larger than 1 MiB")) {
      try JSON5Parser.parse(large)
    }
  }

  @Test func refusesBytesThatAreNotText() {
    #expect(throws: JSON5Failure(offset: 4, path: "", message: "these bytes are not UTF-8")) {
      try JSON5Parser.parse(Array("{a:'".utf8) + [0xC0, 0xAF] + Array("'}".utf8))
    }
  }

  @Test func keepsTheFirstOfTwoKeys() throws {
    let document = try JSON5Parser.parse(Array("{a:{b:1, 'b':2}, a:3}".utf8))
    #expect(
      document.duplicates == [
        .init(path: "a.b", offset: 9, firstOffset: 4),
        .init(path: "a", offset: 17, firstOffset: 1),
      ])
    #expect(Plain(document.root) == .object(["a"], [.object(["b"], [.whole(1)])]))
  }

  /// Whatever the bytes are: a document or a failure inside of them, never a trap.
  @Test func survivesMutations() throws {
    var random = SeededGenerator(seed: 20_261_121)
    let seeds = Self.good.map { Array($0.text.utf8) } + Self.bad.map { Array($0.text.utf8) }
    for _ in 0..<20_000 {
      var bytes = seeds.randomElement(using: &random) ?? []
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0 where at < bytes.count: bytes.remove(at: at)
        case 1 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.insert(contentsOf: seeds.randomElement(using: &random) ?? [], at: at)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        }
      }
      do throws(JSON5Failure) {
        _ = try JSON5Parser.parse(bytes)
      } catch {
        #expect((0...bytes.count).contains(error.offset))
      }
    }
  }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
