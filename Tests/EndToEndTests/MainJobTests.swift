import Foundation
import Testing

// The main job with real clients: generate, host, fetch, convert back.

@Suite struct MainJobTests {
  /// An interpreter with the `openai` package.
  private static let python = ProcessInfo.processInfo.environment["ASSETD_TEST_PYTHON"]

  @Test func curlGeneratesAndFetches() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    func generate(_ format: String) throws -> ImagesAnswer {
      let order =
        #"{"model":"sample","prompt":"a fox","size":"64x64","response_format":"\#(format)"}"#
      return try curl(
        "-H", "Content-Type: application/json", "-d", order, daemon.base + "/v1/images/generations"
      ).decoded(ImagesAnswer.self)
    }
    let hosted = try generate("url")
    let url = try #require(hosted.data.first?.url)
    #expect(hosted.data.first?.b64Json == nil)
    #expect(url.hasPrefix(daemon.base + "/v1/temp-images/"))
    let image = try curl("-f", url).output
    #expect(image.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    // The sample draws the same picture for the same prompt.
    let inline = try generate("b64_json")
    #expect(Data(base64Encoded: inline.data.first?.b64Json ?? "") == image)
    let file = try curl("-f", try #require(inline.xAsset.images.first?.url)).output
    #expect(file == image)
    let body = try scratch.file("answer.json", try JSONEncoder().encode(["data": [["url": url]]]))
    let back = try curl(
      "-H", "Content-Type: application/json", "--data-binary", "@" + body,
      daemon.base + "/v1/images/convert?response_format=b64_json"
    ).decoded(ConvertAnswer.self)
    #expect(back.data.first?.b64Json == image.base64EncodedString())
  }

  private struct ConvertAnswer: Decodable {
    let data: [ImagesAnswer.Entry]
  }

  @Test func curlUploadsAndDownloads() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let image = png(seed: 1, bytes: 3 << 20)
    let path = try scratch.file("image.png", image)
    // More than 1 MiB: curl asks with Expect: 100-continue first.
    let asset = try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + path, daemon.base + "/v1/assets"
    ).decoded(AssetAnswer.self)
    #expect(try curl("-f", asset.url).output == image)
    #expect(try curl("-f", "-r", "100-199", asset.url).output == image[100..<200])
    #expect(try status("-H", "If-None-Match: \"\(asset.sha256)\"", asset.url) == 304)
    #expect(try status("-X", "DELETE", "\(daemon.base)/v1/assets/\(asset.id)") == 204)
    #expect(try status(asset.url) == 410)
  }

  @Test(.enabled(if: python != nil, "ASSETD_TEST_PYTHON names no Python with openai"))
  func theOpenAIPackageGenerates() throws {
    let script = """
      import base64, sys, urllib.request
      from openai import OpenAI
      base = sys.argv[1]
      client = OpenAI(base_url=base + "/v1", api_key="none")
      ask = dict(model="sample", prompt="a lighthouse", size="128x128")
      hosted = client.images.generate(response_format="url", **ask)
      inline = client.images.generate(response_format="b64_json", **ask)
      image = base64.b64decode(inline.data[0].b64_json)
      assert hosted.data[0].b64_json is None and inline.data[0].url is None
      assert urllib.request.urlopen(hosted.data[0].url).read() == image, "url"
      behind = inline.model_extra["x_asset"]["images"][0]["url"]
      assert urllib.request.urlopen(behind).read() == image, "b64_json"
      assert image[:8] == b"\\x89PNG\\r\\n\\x1a\\n"
      assert [m.id for m in client.models.list()] == ["sample"] or len(list(client.models.list()))
      try:
          client.images.generate(model="sample", prompt="x", n=99)
          raise SystemExit("99 images were made")
      except Exception as error:
          assert error.status_code == 400 and error.param == "n", error
      print("done")
      """
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    let path = try scratch.file("client.py", Data(script.utf8))
    let result = try run(try #require(Self.python), [path, daemon.base])
    #expect(result.status == 0 && result.text == "done\n", "\(result.text) \(result.errors)")
  }
}
