import Foundation
import Net
import Testing
import Wire

@testable import Upstream

/// The built-in upstream answers as OpenAI does.
struct SampleUpstreamTests {
  private func answer(_ parameters: JSONValue) async throws -> (text: [UInt8], largest: Int) {
    let order = UpstreamOrder(
      model: "sample", parameters: parameters.object ?? JSONObject(),
      timeoutNanoseconds: 1_000_000_000)
    return try await onLoop { loop in
      let answer = try await SampleUpstream().generate(order, while: { true }, on: loop)
      var text: [UInt8] = []
      var largest = 0
      while try await answer.read({ bytes in
        largest = max(largest, bytes.count)
        for index in bytes.indices { text.append(bytes[index]) }
      }) {}
      return (text, largest)
    }
  }

  @Test("Images of the asked size, in an answer of OpenAI's shape")
  func images() async throws {
    let text = try await answer(["prompt": "a lake", "size": "64x48", "n": 2]).text
    let root = try JSONValue.parse(text.span)
    #expect(root["created"]?.int != nil)
    #expect(root["size"] == "64x48")
    #expect(root["output_format"] == "png")
    #expect(root["background"] == "opaque")
    #expect(root["quality"] == "high")
    #expect(root["usage"]?["total_tokens"] == 0)
    let images = try #require(root["data"]?.array).map { item in
      Array(Data(base64Encoded: item["b64_json"]?.string ?? "") ?? Data())
    }
    #expect(images.count == 2)
    #expect(images.first != images.last)
    for image in images {
      // IHDR (PNG §11.2.2): width and height behind the signature and the chunk's head.
      try #require(image.count > 33)
      #expect(image[0..<8].elementsEqual([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
      #expect(image[16..<24].elementsEqual([0, 0, 0, 64, 0, 0, 0, 48]))
      #expect(image.suffix(8).elementsEqual([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]))
    }
  }

  @Test("What is handed out at once does not grow with the image")
  func pieces() async throws {
    let (text, largest) = try await answer(["prompt": "a lake", "size": "384x256", "n": 2])
    #expect(text.count > 2 * largest)
    #expect(largest < 150_000)
  }

  @Test("auto and null are as good as absent")
  func automatic() throws {
    let parameters: JSONValue = ["prompt": "p", "size": nil, "n": nil, "quality": "auto"]
    let order = try SampleOrder(try #require(parameters.object))
    #expect(order.width == 1024 && order.height == 1024 && order.count == 1)
    #expect(order.quality == "high")
  }

  @Test(
    "A wrong parameter is named",
    arguments: [
      (["prompt": "p", "size": "15x16"], "size"), (["prompt": "p", "size": "16x4097"], "size"),
      (["prompt": "p", "size": "16"], "size"), (["prompt": "p", "size": "16x16x16"], "size"),
      (["prompt": "p", "size": "-16x16"], "size"), (["prompt": "p", "size": 64], "size"),
      (["prompt": "p", "size": "99999999999999999999x16"], "size"),
      (["prompt": "p", "n": 0], "n"), (["prompt": "p", "n": 11], "n"),
      (["prompt": "p", "n": 1.5], "n"), (["prompt": "p", "output_format": "svg"], "output_format"),
      (["prompt": ""], "prompt"), ([:], "prompt"),
    ] as [(JSONValue, String)])
  func wrong(_ parameters: JSONValue, _ param: String) async throws {
    let failure = await #expect(throws: UpstreamFailure.self) { try await answer(parameters) }
    #expect(failure?.kind == .invalidRequest)
    #expect(failure?.param == param)
  }
}
