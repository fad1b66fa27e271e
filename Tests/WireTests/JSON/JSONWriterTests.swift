import Testing
import Wire

private func canonical(_ text: String) -> String {
  guard let value = try? JSONValue.parse(text.utf8.span) else { return "not JSON" }
  return String(decoding: value.canonicalBytes, as: UTF8.self)
}

@Suite struct JSONWriterTests {
  @Test func compactAndInOrder() {
    let value: JSONValue = [
      "b": "a/b \"q\" \\ \n\u{1}é😀\u{7f}", "a": [1, 2.5, true, nil, [:]], "c": JSONValue(Int?.none),
    ]
    #expect(
      value.description
        == "{\"b\":\"a/b \\\"q\\\" \\\\ \\n\\u0001é😀\u{7f}\",\"a\":[1,2.5,true,null,{}],\"c\":null}"
    )
  }

  @Test func numbersKeepTheirSpelling() throws {
    let text = "[12.0,1e400,-0,123456789012345678901234567890,1E+2]"
    let value = try JSONValue.parse(text.utf8.span)
    #expect(value.description == text)
    #expect(value[0]?.int == 12 && value[1]?.double == nil && value[2]?.int == 0)
    #expect(value[3]?.int == nil && value[4]?.int == 100)
  }

  @Test(arguments: [
    ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
    ("9223372036854775808", nil),
    ("1.5", nil), ("1e-1", nil), ("10e-1", 1), ("1e18", 1_000_000_000_000_000_000), ("1e19", nil),
    ("0e999999999999999999999", nil), ("1e99999999999", nil), ("-1.2e1", -12), ("0.000", 0),
  ])
  func integers(text: String, value: Int?) throws {
    #expect(try JSONValue.parse(text.utf8.span).int == value)
  }

  @Test(arguments: [
    ("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"), ("{\"a\":null,\"b\":[null]}", "{\"b\":[null]}"),
    ("[1,1.0,10e-1,1E0]", "[1,1,1,1]"), ("[-0,0.0,0e5]", "[0,0,0]"),
    ("[0.5,5e-1,1e30]", "[5e-1,5e-1,1e30]"), ("[100,1e2]", "[100,100]"),
    ("{\"a\":\"\\u0041\\/\"}", "{\"a\":\"A/\"}"),
    ("{\"a\":{\"z\":1,\"y\":null}}", "{\"a\":{\"z\":1}}"),
    ("[1e99999999999]", "[1e99999999999]"), ("{\"é\":1,\"z\":2}", "{\"z\":2,\"é\":1}"),
  ])
  func sameRequestsHaveOneText(text: String, expected: String) {
    #expect(canonical(text) == expected)
  }

  @Test func editing() {
    var object = JSONObject()
    object["a"] = 1
    object["b"] = "x"
    object["a"] = 2
    object["c"] = nil
    #expect(JSONValue.object(object).description == "{\"a\":2,\"b\":\"x\"}")
    object["a"] = nil
    #expect(object.members.map(\.name) == ["b"])
  }
}
