import Testing
import Wire

@Suite struct SkeletonRendererTests {
  /// The answer's text, with `<item:bytes>` padded to their length where images go.
  static func render(
    _ text: String, _ replacements: [SkeletonRenderer.Replacement],
    appending appended: [JSONObject.Member] = [], rule: ImagesAnswerScanner.Rule = .answer
  ) -> String {
    let reader = AnswerReader([[UInt8](text: text)], rule: rule)
    #expect(reader.failure == nil)
    let rendered = SkeletonRenderer(
      reader.document, replacements: replacements, appending: appended)
    var bytes: [UInt8] = []
    for segment in rendered.segments {
      switch segment {
      case .bytes(let part): bytes += part
      case .image(let item, let count):
        let place = [UInt8](text: "<\(item):\(count)>")
        let length = Int(Base64.encodedLength(count))
        bytes += place + [UInt8](repeating: 0x2E, count: max(0, length - place.count))
      case .text(_, _, let count):
        bytes += [UInt8](repeating: 0x2E, count: Int(count))
      }
    }
    #expect(rendered.contentLength == Int64(bytes.count))
    let tree = try? JSONValue.parse(bytes.span)
    #expect(tree != nil)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("{\"data\":[{\"b64_json\":\"Zm9v\"}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    (
      "{\"data\":[{ \"b64_json\" : \"Zm9v\" , \"p\" : 1.0 }]}",
      "{\"data\":[{ \"url\":\"u/\" , \"p\" : 1.0 }]}"
    ),
    ("{\"data\":[{\"b64_json\":\"Zm9v\",\"url\":null}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    ("{\"data\":[{\"url\":null,\"b64_json\":\"Zm9v\"}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    (
      "{\"data\":[{\"url\":\"x\",\"p\":1,\"b64_json\":\"Zm9v\"}]}",
      "{\"data\":[{\"p\":1,\"url\":\"u/\"}]}"
    ),
    ("{\"data\":[{\"b64_json\":null,\"url\":\"x\"}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    (
      "{\"data\":[{\"url\":\"x\",\"b64_json\":\"\",\"p\":1}]}",
      "{\"data\":[{\"url\":\"u/\",\"p\":1}]}"
    ),
    (
      "{\"data\":[{\"url\":null,\"url\":null,\"b64_json\":\"Zm9v\",\"p\":1}]}",
      "{\"data\":[{\"url\":\"u/\",\"p\":1}]}"
    ),
    (
      "{\"data\":[{\"p\":1,\"url\":null,\"url\":\"\",\"b64_json\":\"Zm9v\"}]}",
      "{\"data\":[{\"p\":1,\"url\":\"u/\"}]}"
    ),
    ("{\"data\":[{\"b64_json\":null,\"url\":null}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    ("{\"data\":[{\"b64_json\":[{\"url\":1}]}]}", "{\"data\":[{\"url\":\"u/\"}]}"),
    ("{\"data\":[{}]}", "{\"data\":[{\"url\":\"u/\",}]}".replacing(",}", with: "}")),
    ("{\"data\":[{ \"p\":1}]}", "{\"data\":[{\"url\":\"u/\", \"p\":1}]}"),
    ("{\"data\":[null]}", "{\"data\":[null]}"), ("{\"data\":null}", "{\"data\":null}"),
    ("[1]", "[1]"),
  ])
  func oneURL(text: String, expected: String) {
    #expect(Self.render(text, [.url("u/")]) == expected)
    #expect(Self.render(text, []) == text.replacing("Zm9v", with: ""))
  }

  @Test func base64AndItsPrefix() {
    let text = "{\"data\":[{\"url\":\"x\"},{\"url\":\"y\",\"b64_json\":null},{\"url\":\"z\"}]}"
    let replacements: [SkeletonRenderer.Replacement] = [
      .base64(decodedBytes: 10, prefix: ""),
      .base64(decodedBytes: 100_000, prefix: "data:image/png;base64,"),
    ]
    let rendered = Self.render(text, replacements)
    #expect(
      rendered.hasPrefix(
        "{\"data\":[{\"b64_json\":\"<0:10>..........\"},{\"b64_json\":\"data:image/png;base64,<1:"))
    #expect(rendered.hasSuffix("...\"},{\"url\":\"z\"}]}"))
  }

  @Test(arguments: [
    ("{}", "{\"x_asset\":{\"a\":1}}"), ("{ }", "{\"x_asset\":{\"a\":1} }"),
    ("{\"data\":[]\n}\n", "{\"data\":[],\"x_asset\":{\"a\":1}\n}\n"),
    ("{\"x_asset\":{\"old\":[1]},\"data\":[]}", "{\"data\":[],\"x_asset\":{\"a\":1}}"),
    ("{\"data\":[],\"x_asset\":{\"old\":{}}}", "{\"data\":[],\"x_asset\":{\"a\":1}}"),
    ("{\"x_asset\":1}", "{\"x_asset\":{\"a\":1}}"),
    ("{\"x_asset\":1,\"x_asset\":2}", "{\"x_asset\":{\"a\":1}}"),
    (
      "{\"a\":1,\"x_asset\":1,\"b\":{\"x_asset\":2}}",
      "{\"a\":1,\"b\":{\"x_asset\":2},\"x_asset\":{\"a\":1}}"
    ),
    ("[]", "[]"),
  ])
  func rootMember(text: String, expected: String) {
    #expect(Self.render(text, [], appending: [.init(name: "x_asset", value: ["a": 1])]) == expected)
  }

  @Test func severalRootMembers() {
    let rendered = Self.render(
      "{\"a\":1}", [], appending: [.init(name: "b", value: nil), .init(name: "x_asset", value: [])])
    #expect(rendered == "{\"a\":1,\"b\":null,\"x_asset\":[]}")
  }

  @Test(arguments: [
    ("{\"type\":\"c\",\"b64_json\":\"Zm9v\"}", "{\"type\":\"c\",\"url\":\"u\",\"x_asset\":1}"),
    ("{\"b64_json\":\"Zm9v\",\"n\":1 }", "{\"url\":\"u\",\"n\":1,\"x_asset\":1 }"),
    ("{\"n\":1}", "{\"url\":\"u\",\"n\":1,\"x_asset\":1}"), ("{}", "{\"url\":\"u\"}"),
  ])
  func eventOfAStream(text: String, expected: String) {
    let appended = [JSONObject.Member(name: "x_asset", value: 1)]
    #expect(Self.render(text, [.url("u")], appending: appended, rule: .upload) == expected)
  }

  /// Whatever the order of members, one of each item's image members stays and every other member
  /// does.
  @Test func anyOrderOfMembers() {
    let parts = [
      "\"b64_json\":\"Zm9v\"", "\"url\":\"x\"", "\"url\":null", "\"b64_json\":\"\"",
      "\"p\":{\"url\":\"x\"}", "\"q\":[]",
    ]
    var random = FixedRandom(seed: 5)
    for _ in 0..<2000 {
      let members = parts.shuffled(using: &random).prefix(Int.random(in: 0...6, using: &random))
      let text = "{\"data\":[{\(members.joined(separator: ","))}]}"
      let rendered = Self.render(text, [.url("u")], appending: [.init(name: "x_asset", value: 1)])
      let kept = members.filter { $0.hasPrefix("\"p") || $0.hasPrefix("\"q") }
      let tree = try? JSONValue.parse(rendered.utf8.span)
      let object = tree?["data"]?[0]?.object
      #expect(object?["url"] == "u" && object?.members.count == kept.count + 1, "\(text)")
      #expect(rendered.split(separator: "\"url\":\"u\"").count == 2)
      #expect(tree?["x_asset"] == 1)
    }
  }
}
