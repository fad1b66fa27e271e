import Testing
import Wire

@testable import AssetService

// Which URLs are ours, however other programs spelled them anew (RFC 3986 §6.2.2, §6.2.3).

@Suite struct OwnURLTests {
  @Test(arguments: [
    "https://img.example/b/images/x.png", "HTTPS://IMG.Example/b/images/x.png",
    "https://img.example:443/b/images/x.png", "https://img.example:/b/images/x.png",
    "https://img.example./b/images/x.png", "https://img.example/b/images/x.png?download#a",
    "https://img.example/b/%69mages/x%2Epng", "https://img.example/%62/images/x.pn%67",
    "https://img.example/b/./images/x.png", "https://img.example/b/c/../images/x.png",
    "https://img.example/b/%76%31/temp-images/x.png",
    "https://img.example/b/v1/temp%2dimages/x.png",
    "https://img.example/b/v1/%2E/temp-images/x.png",
  ])
  func isOurs(_ url: String) {
    #expect(OwnURL(url, base: "https://img.example/b") != nil)
    #expect(OwnURL(url, base: "https://img.example:443/b/") != nil)
  }

  @Test(arguments: [
    "http://img.example/b/images/x.png", "https://img.example:444/b/images/x.png",
    "https://img.example.evil/b/images/x.png", "https://evil.example/b/images/x.png",
    "https://img.example@evil.example/b/images/x.png", "https://u:p@img.example/b/images/x.png",
    "https://img.example/B/images/x.png", "https://img.example/bb/images/x.png",
    "https://img.example/images/x.png", "https://img.example/b/../images/x.png",
    "https://img.example/b/images%2Fx.png", "https://img.example/b/%2569mages/x.png",
    "https://img.example/b/images/x", "https://img.example/b/other/x.png", "/b/images/x.png",
    "https://img.example/b/%zzimages/x.png", "https://img.example\\b/images/x.png", "",
  ])
  func isAnothers(_ url: String) {
    #expect(OwnURL(url, base: "https://img.example/b") == nil)
  }

  /// The trial that found it: a conversion back of links that a gateway had written anew.
  @Test func linksAreKnownInEverySpelling() async throws {
    try await withService("public_url: \"https://img.example\"") { service in
      let image = TestImages.png(seed: 3)
      let path = try service.hostPath(image)
      let urls = ["HTTPS://img.example\(path)", "https://IMG.example:443\(path)"]
      let spelled = path.replacing("/v1/", with: "/%76%31/")
      for url in urls + ["https://img.example\(spelled)"] {
        let answer = try service.send(
          "POST", "/v1/images/convert?response_format=b64_json", "{\"data\":[{\"url\":\"\(url)\"}]}"
        )
        let back = answer.json["data"]?[0]?["b64_json"]?.string
        #expect(back == TestImages.base64(image), "\(url): \(answer.text)")
      }
    }
  }
}
