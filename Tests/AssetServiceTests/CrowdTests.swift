import Foundation
import Testing
import Wire

/// Many clients at once, over every route: each checks that all it got is its own.
struct CrowdTests {
  private static let clients = 64
  private static let rounds = 4

  @Test func everyClientGetsItsOwn() async throws {
    let upstream = try await FakeUpstream(Self.answer)
    let configuration = """
      limits: { image_bytes: "1MiB" },
      upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1",
                     api_key: "k", max_concurrent: 64 } ],
      models: [ { id: "fake", upstream: "fake", expected_bytes: "64KiB" } ]
      """
    try await withService(configuration) { service in
      var crowd = try (0..<Self.clients).map { try CrowdMember($0, service.client()) }
      for round in 0..<Self.rounds {
        for index in crowd.indices { try crowd[index].order(round) }
        for index in crowd.indices { try crowd[index].takeOrder(round) }
        for index in crowd.indices { try crowd[index].hostAndList(round) }
        for index in crowd.indices { try crowd[index].takeHosted(round) }
        for index in crowd.indices { try crowd[index].askBack(round) }
        for index in crowd.indices { try crowd[index].takeBack(round) }
      }
    }
    await upstream.stop()
  }

  /// Answers an order with the images of its prompt: what `CrowdMember` expects.
  @Sendable private static func answer(_ request: String) -> FakeReply {
    guard let start = request.firstRange(of: "\r\n\r\n")?.upperBound,
      let order = try? JSONValue.parse(Array(request[start...].utf8).span),
      let prompt = order["prompt"]?.string, let member = CrowdMember.image(of: prompt)
    else { return .json(400, "{\"error\":{\"message\":\"no such prompt\"}}") }
    let item = "{\"b64_json\":\"\(TestImages.base64(member))\",\"revised_prompt\":\"\(prompt)\"}"
    let data = Array(repeating: item, count: order["n"]?.int ?? 1).joined(separator: ",")
    return .json(200, "{\"created\":1,\"data\":[\(data)],\"usage\":{\"of\":\"\(prompt)\"}}")
  }
}

/// One client of the crowd: a connection that is kept, on which it sends two requests at a time.
private struct CrowdMember {
  private let number: Int
  private let client: TestClient
  private var asset = ""
  private var link = ""

  init(_ number: Int, _ client: TestClient) throws {
    self.number = number
    self.client = client
  }

  /// The image of a prompt `c<number>r<round>`: distinct in size, width and content.
  static func image(of prompt: String) -> [UInt8]? {
    let numbers = prompt.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    guard numbers.count == 2 else { return nil }
    let (number, round) = (numbers[0], numbers[1])
    return TestImages.png(
      UInt32(100 + number), UInt32(1 + round), seed: UInt8(number),
      padding: 200 + 997 * number + round)
  }

  private func name(_ round: Int) -> String { "c\(number)r\(round)" }
  private func own(_ round: Int) throws -> [UInt8] { try #require(Self.image(of: name(round))) }
  private var wantsURL: Bool { number % 3 == 0 }

  private func send(
    _ method: String, _ path: String, _ id: String, type: String? = nil, _ body: [UInt8] = []
  ) throws {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nx-request-id: \(id)\r\n"
    if let type { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
    try client.send(Array((head + "\r\n").utf8) + body)
  }

  private func take(_ id: String, _ status: Int) throws -> TestAnswer {
    let answer = try client.readAnswer()
    #expect(answer["x-request-id"] == id)
    #expect(answer.status == status, "\(answer.text.prefix(300))")
    return answer
  }

  // MARK: An order, and the models behind it

  func order(_ round: Int) throws {
    let form = number % 3 == 1 ? "raw" : "data_url"
    let json = """
      {"model":"fake","prompt":"\(name(round))","n":\(1 + number % 3),
       "response_format":"\(wantsURL ? "url" : "b64_json")","asset":{"base64":"\(form)"}}
      """
    try send(
      "POST", "/v1/images/generations", "o-" + name(round), type: "application/json",
      Array(json.utf8))
    try send("GET", "/v1/models", "m-" + name(round))
  }

  mutating func takeOrder(_ round: Int) throws {
    let image = try own(round)
    let answer = try take("o-" + name(round), 200)
    #expect(answer.json["usage"]?["of"]?.string == name(round))
    let data = try #require(answer.json["data"]?.array)
    #expect(data.count == 1 + number % 3)
    let images = try #require(answer.json["x_asset"]?["images"]?.array)
    let ids = images.compactMap { $0["id"]?.string }
    #expect(ids.count == data.count)
    #expect(answer["x-asset-ids"] == ids.joined(separator: ","))
    let text = (number % 3 == 1 ? "" : "data:image/png;base64,") + TestImages.base64(image)
    for (entry, hosted) in zip(data, images) {
      #expect(entry["revised_prompt"]?.string == name(round))
      #expect(hosted["bytes"]?.int == image.count)
      #expect(hosted["width"]?.int == 100 + number)
      if wantsURL {
        #expect(entry["url"]?.string == hosted["url"]?.string)
      } else {
        #expect(entry["b64_json"]?.string == text)
      }
    }
    #expect(try take("m-" + name(round), 200).json["data"]?[0]?["id"]?.string == "fake")
    link = images.first?["url"]?.string ?? ""
  }

  // MARK: An upload, and a list behind it

  func hostAndList(_ round: Int) throws {
    let image = try own(round) + Array("h".utf8)
    try send("POST", "/v1/assets", "h-" + name(round), type: "image/png", image)
    try send("GET", "/v1/assets?limit=2", "l-" + name(round))
  }

  mutating func takeHosted(_ round: Int) throws {
    let hosted = try take("h-" + name(round), 201).json
    #expect(hosted["bytes"]?.int == (try own(round)).count + 1)
    #expect(hosted["width"]?.int == 100 + number)
    asset = try #require(hosted["id"]?.string)
    let list = try take("l-" + name(round), 200).json
    #expect(list["object"]?.string == "list" && list["data"]?.array?.count == 2)
  }

  // MARK: The upload as base64, a conversion, the order's image by its link

  func askBack(_ round: Int) throws {
    try send("GET", "/v1/assets/\(asset)?include=b64_json", "i-" + name(round))
    let item = "{\"b64_json\":\"\(TestImages.base64(try own(round)))\",\"of\":\"\(name(round))\"}"
    try send(
      "POST", "/v1/images/convert?response_format=b64_json", "v-" + name(round),
      type: "application/json", Array("{\"data\":[\(item)]}".utf8))
    let path = try #require(link.firstRange(of: "/v1/")).lowerBound
    try send("GET", String(link[path...]), "g-" + name(round))
    try send("GET", "/openapi.json", "d-" + name(round))
  }

  func takeBack(_ round: Int) throws {
    let image = try own(round)
    let shown = try take("i-" + name(round), 200).json
    #expect(shown["id"]?.string == asset)
    #expect(shown["b64_json"]?.string == TestImages.base64(image + Array("h".utf8)))
    let converted = try take("v-" + name(round), 200).json
    #expect(converted["data"]?[0]?["of"]?.string == name(round))
    #expect(converted["data"]?[0]?["b64_json"]?.string == TestImages.base64(image))
    #expect(try take("g-" + name(round), 200).body == image)
    #expect(try take("d-" + name(round), 200).json["openapi"] != nil)
  }
}
