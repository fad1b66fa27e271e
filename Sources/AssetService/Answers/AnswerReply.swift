// An Images API answer with its images hosted: the skeleton with URLs or base64 in their places,
// and `x_asset` at its end. Leaves with an exact Content-Length.
internal import Configuration
internal import HTTPServer
internal import Net
internal import Store
internal import Wire

/// What becomes of one item of `data` in the answer.
enum ItemReply {
  /// As it was.
  case keep
  /// A URL in place of what it held.
  case url(String)
  /// Base64 of these bytes, perhaps as a data URL of this type.
  case base64(StoredImage, MediaType?)
  /// As it came.
  case original([OriginalText])
}

/// Builds the answer.
struct AnswerReply {
  let skeleton: Skeleton
  var items: [ItemReply]
  /// `x_asset`
  var summary: JSONObject
  let form: Settings.Base64Form
  /// What must go out of the skeleton.
  var rewrites: [SkeletonRenderer.Rewrite] = []

  /// The answer as a response; `workers` read the files.
  func response(on workers: Workers) -> Response {
    var images: [Int: StoredImage] = [:]
    var texts: [Int: [OriginalText]] = [:]
    var replacements: [SkeletonRenderer.Replacement] = []
    for (index, item) in items.enumerated() {
      switch item {
      case .keep: replacements.append(.keep)
      case .url(let url): replacements.append(.url(url))
      case .base64(let image, let type):
        images[index] = image
        replacements.append(.base64(decodedBytes: image.bytes, prefix: prefix(type)))
      case .original(let original):
        texts[index] = original
        replacements.append(.original(characters: original.map(\.characters)))
      }
    }
    let rendered = SkeletonRenderer(
      skeleton, replacements: replacements,
      appending: [JSONObject.Member(name: "x_asset", value: .object(summary))],
      rewrites: rewrites)
    return response(rendered, images, texts, on: workers)
  }

  private func prefix(_ type: MediaType?) -> String {
    guard form == .dataURL, let type else { return "" }
    return "data:\(type.contentType);base64,"
  }

  private func response(
    _ rendered: SkeletonRenderer, _ images: [Int: StoredImage], _ texts: [Int: [OriginalText]],
    on workers: Workers
  ) -> Response {
    if images.isEmpty, texts.isEmpty {
      let bytes = rendered.segments.flatMap { segment in
        if case .bytes(let bytes) = segment { bytes } else { [] as [UInt8] }
      }
      return Response(status: 200, json: bytes)
    }
    var response = Response(
      status: 200,
      body: .stream(length: rendered.contentLength) { writer in
        try await writer.write(rendered.segments, images: images, texts: texts, on: workers)
      })
    response.add("Content-Type", "application/json")
    return response
  }
}
