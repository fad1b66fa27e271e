import Testing
import Wire

private func read(
  _ text: String, rule: ImagesAnswerScanner.Rule = .answer,
  limits: ImagesAnswerScanner.Limits = .init()
) -> AnswerReader {
  AnswerReader([[UInt8](text: text)], rule: rule, limits: limits)
}

private func tree(_ text: [UInt8]) -> JSONValue? { try? JSONValue.parse(text.span) }

@Suite struct ImagesAnswerScannerTests {
  @Test(arguments: FixtureAnswer.all.map(\.name)) func fixtures(name: String) throws {
    let answer = try #require(FixtureAnswer.all.first { $0.name == name })
    let text = [UInt8](text: answer.text)
    let whole = AnswerReader([text])
    #expect(whole.failure == nil)
    let held = whole.document.items.indices.map { index in
      switch whole.images[index] {
      case .whole(_, let bytes): Self.name(of: bytes)
      case .broken: "!"
      case nil: whole.document.items[index].url ?? ""
      }
    }
    #expect(held == answer.holds)
    for pieces in text.splits {
      #expect(AnswerReader(pieces) == whole)
    }
    // Beside the images nothing is lost: the skeleton is the answer with empty strings for them.
    let original = try #require(tree(text))
    var items = original["data"]?.array ?? []
    for (index, image) in whole.images {
      var object = try #require(items[index].object)
      if case .whole(let member, _) = image { object[member] = "" } else { object["b64_json"] = "" }
      items[index] = .object(object)
    }
    #expect(tree(whole.skeleton)?["data"]?.array ?? [] == items)
    #expect(tree(whole.skeleton)?["usage"] == original["usage"])
  }

  static func name(of bytes: [UInt8]) -> String {
    FixtureImages.all.first { image in Base64.encode(bytes.span) == image.base64 }?.name ?? "~"
  }

  @Test(arguments: [
    // The image, the skeleton.
    ("{\"data\":[{\"b64\\u005fjson\":\"Zm9v\"}]}", "foo", "{\"data\":[{\"b64\\u005fjson\":\"\"}]}"),
    ("{\"d\\u0061ta\":[{\"b64_json\":\"Zm9v\"}]}", "foo", "{\"d\\u0061ta\":[{\"b64_json\":\"\"}]}"),
    (
      "{\"data\":[{\"b64_json\":\"\\u005am\\n9v\\u003D\"}]}", nil,
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    (
      "{\"data\":[{\"b64_json\":\"\\/\\/\\u002b+\"}]}", "\u{FF}\u{FF}\u{BE}",
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    (
      "{\"data\":[{\"b64_json\":\" \\nZm9v\\r\\n\"}]}", "foo",
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    (
      "{\"data\":[{\"b64_json\":\"data\"}]}", "\u{75}\u{AB}\u{5A}",
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    ("{\"data\":[{\"b64_json\":\"dat\"}]}", "\u{75}\u{AB}", "{\"data\":[{\"b64_json\":\"\"}]}"),
    ("{\"data\":[{\"b64_json\":\"d\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
    (
      "{\"data\":[{\"b64_json\":\"DATAZm9v\"}]}", "\u{0C}\u{04}\u{C0}foo",
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    (
      "{\"data\":[{\"url\":\"DATA:image\\/png;BASE64,Zm9v\"}]}", "foo",
      "{\"data\":[{\"url\":\"\"}]}"
    ),
    ("{\"data\":[{\"url\":\"data:;base64,Zm9v\"}]}", "foo", "{\"data\":[{\"url\":\"\"}]}"),
    (
      "{\"data\":[{\"b64_json\":\"data:;a=b; base64,Zm9v\"}]}", "foo",
      "{\"data\":[{\"b64_json\":\"\"}]}"
    ),
    (
      "{\"data\":[{\"b64_json\":\"Zm9v\",\"url\":\"data:;base64,YmFy\"}]}", "foo",
      "{\"data\":[{\"b64_json\":\"\",\"url\":\"\"}]}"
    ),
    ("{\"data\":[{\"b64_json\":\"Zm9v=Zm9v\\\"é\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
    ("{\"data\":[{\"b64_json\":\"Zm9v!é\\n\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
    ("{\"data\":[{\"b64_json\":\"\\u00e9Zm9v\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
    ("{\"data\":[{\"b64_json\":\"éZm9v\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
    ("{\"data\":[{\"b64_json\":\"Zm\\u20ac9v\"}]}", nil, "{\"data\":[{\"b64_json\":\"\"}]}"),
  ])
  func oneImage(text: String, image: String?, skeleton: String) {
    let whole = read(text)
    #expect(whole.failure == nil)
    #expect(String(decoding: whole.skeleton, as: UTF8.self) == skeleton)
    if let image, case .whole(_, let bytes) = whole.images[0] {
      #expect(bytes == image.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    } else {
      #expect(image == nil && whole.images[0] == .broken)
    }
    for pieces in [UInt8](text: text).splits { #expect(AnswerReader(pieces) == whole) }
  }

  @Test(arguments: [
    "{\"x_foo\":{\"data\":[{\"b64_json\":\"Zm9v\"}]}}", "[{\"b64_json\":\"Zm9v\"}]", "\"Zm9v\"",
    "-1.5e3", " null ",
    "{\"b64_json\":\"Zm9v\",\"url\":\"data:;base64,Zm9v\"}", "{\"data\":{\"b64_json\":\"Zm9v\"}}",
    "{\"data\":[[{\"b64_json\":\"Zm9v\"}],\"Zm9v\",null,1]}",
    "{\"data\":[{\"x\":{\"b64_json\":\"Zm9v\"}}]}",
    "{\"data\":[{\"x\":[{\"b64_json\":\"Zm9v\"}]}]}", "{\"data\":[{\"b64_json\":[\"Zm9v\"]}]}",
    "{\"data\":[{\"B64_json\":\"Zm9v\"}]}", "{\"data\":[{\"b64_json \":\"Zm9v\"}]}",
    "{\"data\":null}",
    "{\"data\":[{\"b64_json_and_more\":\"Zm9v\"}]}",
    "{\"data\":[{\"url\":\"data:image/svg+xml,<svg/>\"}]}",
    "{\"data\":[{\"b64_json\":\"data:text/plain;base64x,Zm9v\"}]}",
    "{\"data\":[{\"url\":\"data\"}]}",
    "{\"data\":[{}],\"x\":[{\"b64_json\":\"Zm9v\"}]}",
    "{\"error\":{\"message\":\"no\",\"data\":[{\"b64_json\":\"Zm9v\"}]}}", "{\"data\":[]}", "{}",
    "{\"data\":[{\"url\":\"https://h/é\\u00e9\\ud83d\\ude00?data:;base64,Zm9v\"}]}",
    "{\"data\":[{\"url\":\"\"}]}",
  ])
  func nothingIsTurnedAside(text: String) {
    let whole = read(text)
    #expect(whole.failure == nil && whole.images.isEmpty)
    #expect(String(decoding: whole.skeleton, as: UTF8.self) == text)
    for pieces in [UInt8](text: text).splits { #expect(AnswerReader(pieces) == whole) }
  }

  @Test func values() {
    let whole = read(
      """
      {"data":[{"b64_json":null,"url":"https://h/a?b=\\u0026\\/"},{"b64_json":"","url":" "},
      {"url":7},
      {"b64_json":"data:x,y","url":"data:;base64,Zm9v"},
      {"url":"data:;base64,Zm9v","b64_json":"YmFy"},{}]}
      """)
    #expect(
      whole.values == [
        [.null, .text("https://h/a?b=&/")], [.empty, .empty], [.other],
        [.text("data:x,y"), .image],
        [.image, .duplicate], [],
      ])
    #expect(whole.document.items.map(\.url) == ["https://h/a?b=&/", nil, nil, nil, nil, nil])
    #expect(whole.document.items.map { $0.image?.name } == [nil, nil, nil, .url, .url, nil])
  }

  @Test func uploads() {
    let text = """
      {"asset":{"ttl":60,"b64_json":"x"},"b64_json":"data:image/png;base64,Zm9v","data":[]}
      """
    let whole = read(text, rule: .upload)
    #expect(whole.images == [0: .whole(member: "b64_json", [UInt8](text: "foo"))])
    #expect(tree(whole.skeleton)?["asset"]?["ttl"] == 60)
    #expect(
      read("{\"url\":\"https://h/\"}", rule: .upload).document.items.first?.url == "https://h/")
    #expect(read("{\"data\":[{\"b64_json\":\"Zm9v\"}]}", rule: .upload).images.isEmpty)
    #expect(read("[{\"b64_json\":\"Zm9v\"}]", rule: .upload).images.isEmpty)
  }

  @Test func limits() {
    let items = "{\"data\":[" + [String](repeating: "{}", count: 17).joined(separator: ",") + "]}"
    #expect(read(items).failure?.description == "more than 16 images")
    #expect(read(items, limits: .init(items: 17)).failure == nil)
    let long = "{\"x\":\"\(String(repeating: "x", count: 1000))\"}"
    #expect(read(long, limits: .init(skeletonBytes: 1008)).failure == nil)
    #expect(
      read(long, limits: .init(skeletonBytes: 1007)).failure == .skeletonTooLarge(limit: 1007))
    let image = "{\"data\":[{\"b64_json\":\"\(String(repeating: "Zm9v", count: 1000))\"}]}"
    #expect(read(image, limits: .init(skeletonBytes: 30)).failure == nil)
    let deep = String(repeating: "[", count: 65)
    #expect(read(deep).failure == .json(.tooDeep(limit: 64)))
    #expect(read(deep, limits: .init(depth: 1000)).failure == .json(.tooDeep(limit: 64)))
    #expect(read("{\"data\":[],\"data\":[]}").failure == .twoDataArrays)
  }

  @Test(arguments: JSONParserTests.bad.map(\.text)) func asStrictAsTheParser(text: [UInt8]) {
    for prefix in ["", "{\"data\":[{\"url\":"] {
      let suffix = prefix.isEmpty ? "" : "}]}"
      let reader = AnswerReader([[UInt8](text: prefix) + text + [UInt8](text: suffix)])
      #expect(reader.failure != nil)
    }
  }

  @Test func agreesWithTheParserOnDamagedAnswers() {
    var random = FixedRandom(seed: 4)
    let pool = [UInt8](text: "{}[]:,\"\\ue0159.-+tfn aé!=/") + [0xFF, 0x01]
    let seeds =
      FixtureAnswer.all.map(\.text).filter { $0.utf8.count < 700 } + [
        """
        {"created":-1.5e+3,"data":[{"url":"data:image/png;base64,Zm9v","b64_json":null},{}],
        "x_asset":[true]}
        """
      ]
    for round in 0..<6000 {
      var bytes = [UInt8](text: seeds[round % seeds.count])
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let byte = pool.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) {
          bytes[place] = byte
        } else {
          bytes.insert(byte, at: place)
        }
      }
      let whole = AnswerReader([bytes])
      let parsed = tree(bytes)
      if whole.failure != .twoDataArrays { #expect((whole.failure == nil) == (parsed != nil)) }
      if whole.failure == nil { #expect(tree(whole.skeleton) != nil) }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      #expect(AnswerReader([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
    }
  }
}
