import Foundation
import Net
import Store
import Testing
import Wire

@testable import AssetService

// Entries of a conversion that can not be hosted go back as they came, however long they are, and
// the others are converted (API.md §4).

@Suite struct ConvertBackTests {
  /// One conversion of three entries, of which the second can not be hosted.
  private struct Conversion: Sendable {
    let first: [UInt8]
    let member: [UInt8]
    let third: [UInt8]

    init(_ spelling: Spelling, _ base64: String, seed: UInt8) {
      first = TestImages.png(seed: seed, padding: 601)
      member = spelling.member(base64)
      third = TestImages.png(seed: seed, padding: 702)
    }

    var request: [UInt8] {
      let body =
        Array("{\"data\":[{\"b64_json\":\"\(TestImages.base64(first))\"},{\"a\":1,".utf8) + member
        + Array(",\"z\":[2]},{\"b64_json\":\"\(TestImages.base64(third))\"}],\"n\":1.0}".utf8)
      let head =
        "POST /v1/images/convert HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
      return Array(head.utf8) + body
    }

    /// What is wrong with an answer; `nil` when it is right. Asks for the images at its URLs.
    func fault(_ answer: TestAnswer, code: String, _ endpoint: Endpoint) throws -> String? {
      guard answer.status == 200 else { return "\(answer.status) \(answer.text.prefix(500))" }
      guard let place = answer.body.firstRange(of: member.prefix(60)) else { return "no member" }
      guard answer.body[place.lowerBound...].starts(with: member) else { return "another text" }
      var rest = answer.body
      rest.removeSubrange(place.lowerBound..<place.lowerBound + member.count + 1)
      let json = try JSONValue.parse(rest.span)
      guard json["data"]?[1] == ["a": 1, "z": [2]] else { return "the entry has changed" }
      let failed = json["x_asset"]?["failed"]?.array ?? []
      guard failed.count == 1, failed[0]["index"]?.int == 1, failed[0]["code"]?.string == code
      else { return "failed: \(failed)" }
      for (index, image) in [(0, first), (2, third)] {
        guard let url = json["data"]?[index]?["url"]?.string,
          let path = url.firstRange(of: "/v1/").map({ String(url[$0.lowerBound...]) }),
          try TestClient(endpoint).ask("GET", path).body == image
        else { return "entry \(index) is another image" }
      }
      return nil
    }
  }

  private func expectNothingLeft(_ service: TestService) async throws {
    let context = service.service.context
    try await until("no file is left") { try hasNoIncoming(service.root) }
    try await until("the memory is free") { context.conversions.bytes == 0 }
    try await until("the space is free") { context.store.space.reserved == 0 }
  }

  /// Two dozen at once, each with texts and images of its own: whether texts are in memory, in
  /// files, or first here and then there.
  @Test(arguments: [64 << 20, 1_500_000, 0])
  func longEntriesGoBackAsTheyCame(memory: Int64) async throws {
    var limits = ServiceLimits()
    limits.conversionBytes = memory
    let configuration = "limits: { image_bytes: \"128KiB\" }"
    try await withService(configuration, limits: limits) { service in
      let endpoint = service.endpoint
      var calls: [Task<String?, any Error>] = []
      for (index, spelling) in Spelling.allCases.enumerated() {
        for (number, refusal) in Refusal.allCases.enumerated() {
          let seed = UInt8(index * 3 + number)
          calls.append(
            Task {
              try await onThread {
                let text = refusal.base64(810_001 + number, seed: seed)
                let conversion = Conversion(spelling, text, seed: seed)
                let client = try TestClient(endpoint)
                try client.send(conversion.request)
                let answer = try client.readAnswer(to: "POST")
                return try conversion.fault(answer, code: refusal.code, endpoint)
                  .map { "\(spelling), \(refusal): \($0)" }
              }
            })
        }
      }
      for call in calls { #expect(try await call.value == nil) }
      try await expectNothingLeft(service)
    }
  }

  /// An image that is stored before it is refused, in a spelling that no encoder makes.
  @Test(arguments: Spelling.allCases)
  func anImageBeyondTheQuotaGoesBackAsItCame(spelling: Spelling) async throws {
    var limits = ServiceLimits()
    limits.conversionBytes = 0
    let keys = "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }"
    try await withService(keys, limits: limits) { service in
      let key = try service.key("{\"name\":\"a\",\"quota\":5000}")
      let image = TestImages.base64(TestImages.png(seed: 3, padding: 200_000))
      let conversion = Conversion(spelling, image, seed: 3)
      let (endpoint, request) = (service.endpoint, conversion.request)
      let fault = try await onThread {
        let line = Array("\r\nAuthorization: Bearer \(key)\r\n\r\n".utf8)
        let end = Array("\r\n\r\n".utf8)
        guard let place = request.firstRange(of: end) else { return "no head" as String? }
        let client = try TestClient(endpoint)
        try client.send(Array(request[..<place.lowerBound]) + line + request[place.upperBound...])
        return try conversion.fault(
          client.readAnswer(to: "POST"), code: "quota_exceeded", endpoint)
      }
      #expect(fault == nil)
      try await expectNothingLeft(service)
    }
  }

  /// Where an entry has to go back and can not, nothing is converted, and the answer says why.
  @Test func aFullStoreIsSaid() async throws {
    var limits = ServiceLimits()
    limits.conversionBytes = 0
    try await withService(storage: "max_bytes: 1048576", limits: limits) { service in
      let endpoint = service.endpoint
      let junk = Refusal.noImage.base64(900_001, seed: 1)
      let conversion = Conversion(.plain, junk, seed: 1)
      let full = try await onThread {
        let client = try TestClient(endpoint)
        try client.send(conversion.request)
        return try client.readAnswer(to: "POST")
      }
      #expect(full.status == 507 && full.code == "insufficient_storage", "\(full.text.prefix(900))")
      #expect(full.param == "data[1]" && full.text.contains("nothing was converted"))
      #expect(full.text.contains("not a PNG"), "\(full.text)")
      #expect(try service.admin("GET", "/admin/stats").json["assets"]?.int == 0)
      try await expectNothingLeft(service)
      // Alone it is refused for what it is.
      let alone = try service.send(
        "POST", "/v1/images/convert", "{\"data\":[{\"b64_json\":\"\(junk)\"}]}")
      #expect(alone.status == 415 && alone.code == "unsupported_image", "\(alone.text.prefix(300))")
      try await expectNothingLeft(service)
      #expect(try service.host(TestImages.png(padding: 450_000)).status == 201, "there is room")
    }
  }

  /// Whoever leaves, in the middle of an entry or before the answer, leaves nothing behind.
  @Test(arguments: [true, false])
  func nothingIsLeftOfClientsThatLeave(isInTheMiddle: Bool) async throws {
    var limits = ServiceLimits()
    limits.conversionBytes = 0
    try await withService("limits: { image_bytes: \"128KiB\" }", limits: limits) { service in
      let endpoint = service.endpoint
      var clients: [TestClient] = []
      for refusal in Refusal.allCases {
        let request = Conversion(.plain, refusal.base64(810_001, seed: 7), seed: 7).request
        for _ in 0..<4 {
          let client = try TestClient(endpoint)
          try client.send(isInTheMiddle ? Array(request.prefix(900_000)) : request)
          clients.append(client)
        }
      }
      if isInTheMiddle { try await until("files are there") { try !hasNoIncoming(service.root) } }
      clients.removeAll()
      try await expectNothingLeft(service)
    }
  }

  /// So many that a skeleton could not hold them.
  @Test func fifteenEntriesGoBack() async throws {
    try await withService { service in
      let entries = (0..<15).map { number in
        let text = Refusal.noImage.base64(55_000 + 3000 * number, seed: UInt8(number))
        return "{\"n\":\(number),\"b64_json\":\"\(text)\"}"
      }
      let good = "{\"b64_json\":\"\(TestImages.base64(TestImages.png(padding: 9)))\"}"
      let data = (entries + [good]).joined(separator: ",")
      let answer = try service.send("POST", "/v1/images/convert", "{\"data\":[\(data)]}")
      #expect(answer.status == 200, "\(answer.text.prefix(300))")
      let back = Array("{\"data\":[\(entries.joined(separator: ",")),{\"url\":".utf8)
      #expect(answer.body.starts(with: back))
      try await expectNothingLeft(service)
    }
  }
}
