internal import Foundation
internal import Wire

extension Daemon {
  /// An image that it hosts.
  struct Hosted {
    /// Of the signed link, from `/` on.
    let path: String
    /// The file in the store.
    let file: URL
  }

  /// Hosts one image.
  func host(_ image: inout TestImage) throws -> Hosted {
    let answer = try LoopbackClient(port: port).expect(
      201, "/v1/assets", "image/png", [image.nextHead(), image.rest])
    return try hosted([answer])[0]
  }

  /// Hosts as many images as the crowd sends, in no order.
  func host(_ crowd: Crowd, size: Int) throws -> [Hosted] {
    try hosted(try crowd.run(port, TestImage(size: size)).answers)
  }

  private func hosted(_ answers: [LoopbackClient.Answer]) throws -> [Hosted] {
    var files: [Substring: URL] = [:]
    let names = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
    // Named by the digest and a random tail.
    for case let file as URL in names ?? .init() where file.path.contains("/blobs/") {
      files[file.lastPathComponent.prefix(64)] = file
    }
    return try answers.map { answer in
      let facts = try? JSONValue.parse(answer.body.span)
      guard let url = facts?["url"]?.string, let digest = facts?["sha256"]?.string,
        let path = URL(string: url)?.path, let file = files[digest[...]]
      else { throw Trouble("An image is not where it should be: \(answer.text)") }
      return Hosted(path: path, file: file)
    }
  }
}
