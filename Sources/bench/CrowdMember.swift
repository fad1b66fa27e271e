internal import Foundation
internal import Wire

/// One client of the crowd, with a key and assets of its own: a connection that is kept, on which
/// it sends two requests at a time.
final class CrowdMember: Sendable {
  private let number: Int
  private let key: String
  private let connection: RawConnection

  init(_ number: Int, key: String, port: UInt16) throws {
    self.number = number
    self.key = key
    connection = try RawConnection(port: port)
  }

  /// Goes over all routes so often; how many answers it got.
  ///
  /// - Throws: `WrongAnswer` for the first that was not its own.
  func run(_ rounds: Int) throws -> Int {
    var walk = Walk(self)
    for round in 0..<rounds { try walk.run(round) }
    return walk.answers
  }

  private struct Walk {
    private let member: CrowdMember
    private var rest: [UInt8] = []
    private(set) var answers = 0
    private var name = ""
    private var image: [UInt8] = []

    init(_ member: CrowdMember) { self.member = member }

    private var number: Int { member.number }
    private var wantsURL: Bool { number % 3 == 0 }
    private var count: Int { 1 + number % 3 }

    mutating func run(_ round: Int) throws {
      name = "c\(number)r\(round)"
      guard let image = CrowdImage.named(name) else { throw Trouble("\(name) is no name.") }
      self.image = image
      let (link, last) = try order()
      try takeBack(try hostAndList(behind: last), link)
    }

    // MARK: One request and its answer

    private func send(
      _ method: String, _ path: String, _ kind: String, type: String? = nil, _ body: [UInt8] = []
    ) {
      var head =
        "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nx-request-id: \(kind)-\(name)\r\n"
      head += "Authorization: Bearer \(member.key)\r\n"
      if let type { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
      member.connection.send(Array((head + "\r\n").utf8) + body)
    }

    private func send(_ path: String, _ kind: String, json: String) {
      send("POST", path, kind, type: "application/json", Array(json.utf8))
    }

    private mutating func take(_ kind: String, _ status: Int) throws -> HTTPAnswer {
      let answer = try HTTPAnswer.read(from: member.connection, &rest)
      let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
      try check(answer.status == status, kind, "answered \(answer.status): \(text)")
      let id = answer["x-request-id"] ?? "none"
      try check(id == "\(kind)-\(name)", kind, "has the request id \(id)")
      answers += 1
      return answer
    }

    private func check(_ isRight: Bool, _ kind: String, _ problem: String) throws {
      guard isRight else { throw WrongAnswer("\(kind)-\(name): \(problem)") }
    }

    // MARK: An order, and the models behind it

    private mutating func order() throws -> (link: String, last: String) {
      let form = number % 3 == 1 ? "raw" : "data_url"
      send(
        "/v1/images/generations", "order",
        json: """
          {"model":"crowd","prompt":"\(name)","n":\(count),
           "response_format":"\(wantsURL ? "url" : "b64_json")","asset":{"base64":"\(form)"}}
          """)
      send("GET", "/v1/models", "models")
      let answer = try take("order", 200)
      let json = answer.json
      let data = json["data"]?.array ?? []
      let images = json["x_asset"]?["images"]?.array ?? []
      let ids = images.compactMap { $0["id"]?.string }
      try check(json["usage"]?["of"]?.string == name, "order", "another order's usage")
      try check(data.count == count && ids.count == count, "order", "\(data.count) images")
      try check(answer["x-asset-ids"] == ids.joined(separator: ","), "order", "other ids")
      let text = (form == "raw" ? "" : "data:image/png;base64,") + Base64.encode(image.span)
      for (entry, hosted) in zip(data, images) {
        try check(entry["revised_prompt"]?.string == name, "order", "another prompt")
        try check(hosted["bytes"]?.int == image.count, "order", "other bytes")
        try check(hosted["width"]?.int == CrowdImage.width(number), "order", "another width")
        let isOwn =
          wantsURL
          ? entry["url"]?.string == hosted["url"]?.string : entry["b64_json"]?.string == text
        try check(isOwn, "order", "another image")
      }
      let models = try take("models", 200).json
      try check(models["data"]?[0]?["id"]?.string == "crowd", "models", "no models")
      let url = images.first?["url"]?.string ?? ""
      return (
        String(url[(url.firstRange(of: "/v1/")?.lowerBound ?? url.endIndex)...]), ids[count - 1]
      )
    }

    // MARK: An upload, and a list behind it

    private mutating func hostAndList(behind last: String) throws -> String {
      send("POST", "/v1/assets", "host", type: "image/png", image + Array("h".utf8))
      send("GET", "/v1/assets?limit=2", "list")
      let hosted = try take("host", 201).json
      try check(hosted["bytes"]?.int == image.count + 1, "host", "other bytes")
      try check(hosted["width"]?.int == CrowdImage.width(number), "host", "another width")
      let id = hosted["id"]?.string ?? ""
      let list = try take("list", 200).json["data"]?.array ?? []
      let ids = list.compactMap { $0["id"]?.string }
      try check(ids == [id, last], "list", "another's list")
      return id
    }

    // MARK: The upload as base64, a conversion, the order's image by its link

    private mutating func takeBack(_ asset: String, _ link: String) throws {
      send("GET", "/v1/assets/\(asset)?include=b64_json", "include")
      let text = Base64.encode(image.span)
      send(
        "/v1/images/convert?response_format=b64_json", "convert",
        json: "{\"data\":[{\"b64_json\":\"\(text)\",\"of\":\"\(name)\"}]}")
      send("GET", link, "link")
      send("GET", "/openapi.json", "document")
      let shown = try take("include", 200).json
      let whole = Base64.encode((image + Array("h".utf8)).span)
      try check(shown["id"]?.string == asset, "include", "another asset")
      try check(shown["b64_json"]?.string == whole, "include", "another image")
      let item = try take("convert", 200).json["data"]?[0]
      try check(item?["of"]?.string == name, "convert", "another item")
      try check(item?["b64_json"]?.string == text, "convert", "another image")
      try check(try take("link", 200).body == image, "link", "another image")
      try check(try take("document", 200).json["openapi"] != nil, "document", "not whole")
    }
  }
}
