// Rehosting (API.md §4): the scanner agrees with the parser on what is JSON, turns the same images
// aside however an answer is split, and what is left and what is rendered are JSON again.
internal import Wire

func answers(_ bytes: Span<UInt8>) throws(Broken) {
  for rule in [ImagesAnswerScanner.Rule.answer, .upload] {
    let whole = AnswerReading(bytes, [0..<bytes.count], rule)
    for pieces in cuts(bytes.count).dropFirst() {
      let split = AnswerReading(bytes, pieces, rule)
      try hold(split == whole, "the answer depends on the split")
    }
    try agreement(whole, bytes)
    if whole.failure == nil { try rendering(whole, rule) }
  }
}

/// What is JSON for the parser is JSON for the scanner, and without images the other way round.
private func agreement(_ read: AnswerReading, _ bytes: Span<UInt8>) throws(Broken) {
  do throws(JSONFailure) {
    _ = try JSONValue.parse(bytes)
  } catch {
    switch error.fault {
    case .tooManyValues: return
    case let fault where !read.hasImage:
      // A limit of the scanner may be met before the fault.
      if case .json(let other)? = read.failure {
        try hold(other == fault, "parser \(fault), scanner \(other)")
      }
      return try hold(read.failure != nil, "the parser refuses: \(fault)")
    // Raw line breaks are let through in an image.
    default: return
    }
  }
  if case .json(let fault)? = read.failure {
    throw Broken(description: "the scanner refuses: \(fault)")
  }
}

private func rendering(
  _ read: AnswerReading, _ rule: ImagesAnswerScanner.Rule
) throws(Broken) {
  let skeleton = read.skeleton
  try isJSON(skeleton.bytes, "skeleton")
  let replacements: [SkeletonRenderer.Replacement] = [
    .keep, .url("https://a.example/\"\\\u{1}é"),
    .base64(decodedBytes: 5, prefix: "data:image/png;base64,"), .original(characters: [7, 8]),
  ]
  for replacement in replacements {
    for appended in [[], [JSONObject.Member(name: "x_asset", value: ["a": 1])]] {
      let rendered = SkeletonRenderer(
        skeleton, replacements: skeleton.items.map { _ in replacement }, appending: appended)
      var text: [UInt8] = []
      for segment in rendered.segments {
        switch segment {
        case .bytes(let bytes): text += bytes
        case .image(let item, let decodedBytes):
          try hold(skeleton.items.indices.contains(item), "an image of item \(item)")
          text += [UInt8](repeating: 0x41, count: Int(Base64.encodedLength(decodedBytes)))
        case .text(let item, _, let characters):
          try hold(skeleton.items.indices.contains(item), "a text of item \(item)")
          text += [UInt8](repeating: 0x41, count: Int(characters))
        }
      }
      try hold(rendered.contentLength == Int64(text.count), "a length of another answer")
      let value = try isJSON(text, "answer")
      guard let root = value.object, skeleton.root != nil, let ours = appended.first else {
        continue
      }
      try hold(root[ours.name] == ours.value, "\(ours.name) is not ours")
      let isLast = root.members.last?.name == ours.name
      try hold(isLast || rule == .upload, "\(ours.name) of the upstream was kept")
    }
  }
}

@discardableResult
private func isJSON(_ text: [UInt8], _ name: String) throws(Broken) -> JSONValue {
  do throws(JSONFailure) {
    return try JSONValue.parse(text.span, limits: JSONLimits(depth: 66, values: .max))
  } catch {
    throw Broken(description: "the \(name) is no JSON: \(error): \(text.text)")
  }
}
