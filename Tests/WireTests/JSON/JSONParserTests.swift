import Foundation
import Testing
import Wire

private func parse(_ bytes: [UInt8], depth: Int = 64, values: Int = 1000) -> Result<
  JSONValue, JSONFailure
> {
  Result { () throws(JSONFailure) in
    try JSONValue.parse(bytes.span, limits: JSONLimits(depth: depth, values: values))
  }
}
private func parse(_ text: String) -> JSONValue? { try? parse([UInt8](text: text)).get() }
private func fault(_ bytes: [UInt8]) -> JSONFailure? {
  if case .failure(let failure) = parse(bytes) { failure } else { nil }
}

@Suite struct JSONParserTests {
  @Test func everyKindOfValue() {
    let value = parse(
      #" {"a" : [1, -2.50, 3e+7, true, false, null], "b":{}, "":[], "c":"x\u0041\n\/"}"# + "\r\n\t"
    )
    #expect(value?["a"]?[0] == 1)
    #expect(value?["a"]?[1]?.number?.text == "-2.50")
    #expect(value?["a"]?[2]?.int == 30_000_000)
    #expect(value?["a"]?[3] == true && value?["a"]?[5]?.isNull == true)
    #expect(value?["c"] == "xA\n/" && value?["b"] == [:])
    #expect(value?[""]?.array == [])
    #expect(value?.object?.members.map(\.name) == ["a", "b", "", "c"])
    #expect(value?["missing"] == nil && value?[0] == nil && value?["a"]?[6] == nil)
  }

  /// Code units of each length in UTF-8, alone; halves of pairs are U+FFFD.
  @Test func codeUnits() {
    let ends: [UInt16] = [0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000, 0xFFFF]
    for unit in Array(0..<0x900) + Array(stride(from: 0x900, to: 0xFFFF, by: 97)) + ends {
      let hex = String(unit, radix: 16)
      let digits = String(repeating: "0", count: 4 - hex.count) + hex
      let wanted = UnicodeScalar(unit) ?? "\u{FFFD}"
      if parse("\"\\u\(digits)\"") != .string(String(wanted)) { Issue.record("\(digits)") }
    }
    for scalar: UnicodeScalar in ["\u{10000}", "\u{1F600}", "\u{10FFFF}"] {
      let units = UTF16.encode(scalar).map { Array($0) } ?? []
      let text = units.map { "\\u" + String($0, radix: 16) }.joined()
      #expect(parse("\"a\(text)b\"") == .string("a\(scalar)b"))
    }
  }

  struct Bad: CustomTestStringConvertible {
    let section: String
    let text: [UInt8]
    let message: String

    init(_ section: String, _ text: String, _ message: String) {
      self.init(section, [UInt8](text: text), message)
    }
    init(_ section: String, _ text: [UInt8], _ message: String) {
      self.section = section
      self.text = text
      self.message = message
    }
    var testDescription: String { "RFC 8259 §\(section): \(message)" }
  }

  static let bad: [Bad] = [
    Bad("2", "", "line 1, column 1: the text ends too early"),
    Bad("2", " \n ", "line 2, column 2: the text ends too early"),
    Bad("2", "1 2", "line 1, column 3: expected nothing more, found 2"),
    Bad("3", "nul", "line 1, column 4: the text ends too early"),
    Bad("3", "True", "line 1, column 1: expected a value, found T"),
    Bad("3", "trux", "line 1, column 4: expected true, false or null, found x"),
    Bad("4", "{\"a\":1,}", "line 1, column 8: expected a name in double quotes, found }"),
    Bad("4", "{a:1}", "line 1, column 2: expected a name in double quotes or }, found a"),
    Bad("4", "{\"a\" 1}", "line 1, column 6: expected :, found 1"),
    Bad("4", "{\n \"é\": 1\n \"b\": 2}", "line 3, column 2: expected , or }, found \""),
    Bad("4", "{\"a\":}", "line 1, column 6: expected a value, found }"),
    Bad("5", "[1,]", "line 1, column 4: expected a value, found ]"),
    Bad("5", "[,1]", "line 1, column 2: expected a value or ], found ,"),
    Bad("5", "[1 2]", "line 1, column 4: expected , or ], found 2"),
    Bad("5", "[1", "line 1, column 3: the text ends too early"),
    Bad("6", "01", "line 1, column 2: expected nothing more, found 1"),
    Bad("6", "+1", "line 1, column 1: expected a value, found +"),
    Bad("6", ".5", "line 1, column 1: expected a value, found ."),
    Bad("6", "[1.]", "line 1, column 4: invalid number"),
    Bad("6", "[-]", "line 1, column 3: invalid number"),
    Bad("6", "[1e]", "line 1, column 4: invalid number"),
    Bad("6", "NaN", "line 1, column 1: expected a value, found N"),
    Bad("7", "\"a\nb\"", "line 1, column 3: unescaped control character in a string"),
    Bad("7", "\"\\x\"", "line 1, column 3: invalid escape in a string"),
    Bad("7", "\"\\u12g4\"", "line 1, column 6: invalid escape in a string"),
    Bad("7", "'a'", "line 1, column 1: expected a value, found '"),
    Bad("8.1", [0x22, 0xFF, 0x22], "line 1, column 2: invalid UTF-8"),
    Bad("8.1", [0x22, 0xC0, 0x80, 0x22], "line 1, column 2: invalid UTF-8"),
    Bad("8.1", [0x22, 0xED, 0xA0, 0x80, 0x22], "line 1, column 3: invalid UTF-8"),
    Bad("8.1", [0x22, 0xE2, 0x82, 0x22], "line 1, column 3: invalid UTF-8"),
    Bad("8.1", [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], "line 1, column 2: invalid UTF-8"),
    Bad("8.1", [0xEF, 0xBB, 0xBF, 0x31], "line 1, column 1: expected a value, found byte 0xef"),
  ]

  @Test(arguments: bad) func refused(row: Bad) {
    #expect(fault(row.text)?.description == row.message)
  }

  @Test func limits() {
    let deep = { (depth: Int) in
      [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    }
    #expect(fault(deep(64)) == nil)
    #expect(fault(deep(65))?.fault == .tooDeep(limit: 64))
    #expect(fault([UInt8](repeating: 0x5B, count: 1_000_000))?.offset == 64)
    let wide = [UInt8](
      text: "[" + [String](repeating: "1", count: 999).joined(separator: ",") + "]")
    #expect(fault(wide) == nil)
    #expect(fault([0x5B] + wide + [0x5D])?.fault == .tooManyValues(limit: 1000))
  }

  private func bodyFailure(_ text: String) -> JSONFailure? {
    do throws(JSONFailure) {
      _ = try JSONValue.parse(Array(text.utf8).span, limits: .body)
      return nil
    } catch { return error }
  }

  @Test func membersOfOneObjectAreLimited() {
    let object = { (count: Int) in
      "{" + (0..<count).map { "\"m\($0)\":1" }.joined(separator: ",") + "}"
    }
    #expect(bodyFailure(object(256)) == nil)
    #expect(bodyFailure("[\(object(256)),\(object(256))]") == nil)
    #expect(bodyFailure(object(257))?.fault == .tooManyMembers(limit: 256))
    // Found at the 257th, however many there are; a name that comes again counts again.
    #expect(bodyFailure(object(100_000))?.offset == bodyFailure(object(257))?.offset)
    let twice = "{" + [String](repeating: "\"a\":1", count: 257).joined(separator: ",") + "}"
    #expect(bodyFailure(twice)?.fault == .tooManyMembers(limit: 256))
    #expect(bodyFailure(String(repeating: "[", count: 17))?.fault == .tooDeep(limit: 16))
  }

  @Test(.timeLimit(.minutes(1)))
  func filteringLooksAtEachMemberOnce() {
    let members = (0..<200_000).map { JSONObject.Member(name: "m\($0)", value: 1) }
    let object = JSONObject(members)
    var looks = 0
    let filtered = object.filter { member in
      looks += 1
      return member.name.hasSuffix("7")
    }
    #expect(looks == 200_000)
    #expect(filtered.members.count == 20_000)
    #expect(filtered.members.first?.name == "m7")
  }

  @Test(arguments: [
    ("\"\\ud83d\\ude00\"", "😀"), ("\"\\ud83d\"", "\u{FFFD}"), ("\"\\ud83dx\"", "\u{FFFD}x"),
    ("\"\\ude00\"", "\u{FFFD}"), ("\"\\ud83d\\ud83d\\ude00\"", "\u{FFFD}😀"), ("\"é😀\"", "é😀"),
    ("\"\\u0000\"", "\u{0}"), ("\"\\\"\\\\\\b\\f\\r\\t\"", "\"\\\u{8}\u{c}\r\t"),
  ])
  func strings(text: String, value: String) {
    #expect(parse(text) == .string(value))
  }

  @Test func ofSeveralMembersWithOneNameTheLastValueStays() {
    #expect(parse("{\"a\":1,\"b\":2,\"\\u0061\":3}")?.description == "{\"a\":3,\"b\":2}")
    // String's equality would make one of these two.
    #expect(parse("{\"\\u00e9\":1,\"e\\u0301\":2}")?.object?.members.count == 2)
    let many = "{" + (0..<400).map { "\"\($0 % 200)\":\($0)" }.joined(separator: ",") + "}"
    #expect(parse(many)?.object?.members.count == 200)
    #expect(parse(many)?["7"] == 207)
  }

  @Test func acceptsWhatFoundationAccepts() {
    var random = FixedRandom(seed: 3)
    let seeds = [
      "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\"],\"b\":{\"c\":null,\"d\":true}}", "[[[]],{},\"é\",0]",
    ]
    let pool = [UInt8](text: "{}[]:,\"\\ue0159.-+tfn aé\n") + [0xFF, 0x01]
    for round in 0..<20_000 {
      var bytes = [UInt8](text: seeds[round % 2])
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let byte = pool.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) {
          bytes[place] = byte
        } else {
          bytes.insert(byte, at: place)
        }
      }
      guard case .success(let value) = parse(bytes) else { continue }
      let again = parse(value.bytes)
      #expect(again == .success(value), "\(value)")
      #expect(throws: Never.self, "\(value)") {
        try JSONSerialization.jsonObject(with: Data(value.bytes), options: .fragmentsAllowed)
      }
    }
  }
}
