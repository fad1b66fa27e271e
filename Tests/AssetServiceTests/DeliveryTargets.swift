import Testing
import Wire

/// One image of each kind, as tests of delivery ask for them.
struct DeliveryTargets {
  static let image = TestImages.png(padding: 3000)

  /// `/v1/temp-images/…` and `/images/…` of good assets.
  let link, permanent: String
  /// The id and the name in `/images/` of the asset behind `link`: no way in.
  let temporaryID: String
  /// Links to an asset that was deleted.
  let removedLink, removedPermanent: String
  let tag, stored: String

  init(_ service: TestService) throws {
    let asset = try service.host(Self.image).json
    temporaryID = try #require(asset["id"]?.string)
    link = try service.path(asset)
    permanent = try service.hostPath(Self.image, "?retention=permanent")
    var removed: [String] = []
    for query in ["", "?retention=permanent"] {
      let asset = try service.host(TestImages.png(seed: 9), query).json
      let id = try #require(asset["id"]?.string)
      removed.append(try service.path(asset))
      let answer = try service.ask("DELETE", "/v1/assets/\(id)")
      try #require(answer.status == 204)
    }
    (removedLink, removedPermanent) = (removed[0], removed[1])
    let answer = try service.ask("GET", link)
    tag = try #require(answer["ETag"])
    stored = try #require(answer["Last-Modified"])
  }

  /// The link with one bit of its token altered.
  var altered: String {
    let token = link.dropFirst("/v1/temp-images/".count)
    let place = token.index(token.startIndex, offsetBy: 30)
    let other = token[place] == "A" ? "B" : "A"
    return "/v1/temp-images/" + token[..<place] + other + token[token.index(after: place)...]
  }
}
