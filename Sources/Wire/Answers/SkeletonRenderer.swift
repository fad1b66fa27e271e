/// Rebuilds an answer around its skeleton: each item's image members become one `url` or one
/// `b64_json`, members are added at the root, everything else stays byte for byte. The length is
/// known before the first byte leaves.
public struct SkeletonRenderer: Sendable {
  /// What an item becomes.
  public enum Replacement: Hashable, Sendable {
    /// As it is; a string that was turned aside is then empty.
    case keep
    /// `"url": "…"`
    case url(String)
    /// `"b64_json": "…"`: `prefix` (such as `data:image/png;base64,` or nothing), then the base64
    /// of so many bytes.
    case base64(decodedBytes: Int64, prefix: String)
    /// As it came: each text that was turned aside under its own name, with so many characters.
    case original(characters: [Int64])
  }

  /// A part of the answer, in order.
  public enum Segment: Hashable, Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// The standard, padded base64 of the image of this item: `Base64.encodedLength(decodedBytes)`
    /// characters.
    case image(item: Int, decodedBytes: Int64)
    /// A text of this item as it came, by its place among them: so many characters.
    case text(item: Int, index: Int, characters: Int64)
  }

  /// Bytes of the skeleton that become others.
  public struct Rewrite: Hashable, Sendable {
    /// Which bytes.
    public let range: Range<Int>
    /// What they become.
    public let bytes: [UInt8]

    /// A rewrite of bytes within one value.
    public init(range: Range<Int>, bytes: [UInt8]) {
      self.range = range
      self.bytes = bytes
    }
  }

  /// The parts of the answer.
  public private(set) var segments: [Segment] = []
  /// Bytes of the whole answer.
  public private(set) var contentLength: Int64 = 0

  private struct Edit {
    let range: Range<Int>
    let segments: [Segment]
  }

  /// One replacement per item (missing ones: `keep`); `appended` become the root's last members,
  /// and an `x_asset` that came with the answer is dropped. A root or item that is no object stays
  /// as it is. `rewrites` hold in what stays.
  public init(
    _ skeleton: Skeleton, replacements: [Replacement], appending appended: [JSONObject.Member],
    rewrites: [Rewrite] = []
  ) {
    var edits = rewrites.map { Edit(range: $0.range, segments: [.bytes($0.bytes)]) }
    for (index, item) in skeleton.items.enumerated() where index < replacements.count {
      if let object = item.object {
        edits += Self.edits(of: object, item: index, replacements[index])
      }
    }
    if let root = skeleton.root { edits += Self.edits(ofRoot: root, appended) }
    edits.sort { $0.range.lowerBound < $1.range.lowerBound }
    var position = 0
    for edit in edits where edit.range.lowerBound >= position {
      append(skeleton.bytes[position..<edit.range.lowerBound])
      for segment in edit.segments { append(segment) }
      position = edit.range.upperBound
    }
    append(skeleton.bytes[position...])
  }

  private mutating func append(_ segment: Segment) {
    switch segment {
    case .bytes(let bytes):
      append(bytes[...])
    case .image(_, let decodedBytes):
      contentLength += Base64.encodedLength(decodedBytes)
      segments.append(segment)
    case .text(_, _, let characters):
      contentLength += characters
      segments.append(segment)
    }
  }

  private mutating func append(_ bytes: ArraySlice<UInt8>) {
    guard !bytes.isEmpty else { return }
    contentLength += Int64(bytes.count)
    guard case .bytes(var text) = segments.last else {
      return segments.append(.bytes(Array(bytes)))
    }
    segments.removeLast()
    text += bytes
    segments.append(.bytes(text))
  }

  /// The image member (or else the first noted one) is replaced where it stands, the others go.
  private static func edits(
    of object: Skeleton.Object, item index: Int, _ replacement: Replacement
  ) -> [Edit] {
    if case .original(let characters) = replacement {
      return original(of: object, item: index, characters)
    }
    guard let content = content(of: index, replacement) else { return [] }
    let members = object.members
    let kept = members.firstIndex { $0.value == .image } ?? members.firstIndex { $0.isText } ?? 0
    guard kept < members.count else {
      let comma: [Segment] = object.memberCount > 0 ? [.bytes([0x2C])] : []
      return [Edit(range: object.bodyStart..<object.bodyStart, segments: content + comma)]
    }
    let replaced = Edit(range: members[kept].start..<members[kept].end, segments: content)
    let others = members.indices.filter { $0 != kept }.map { members[$0] }
    return [replaced] + removals(others)
  }

  /// The texts go back between the quotes that they left.
  private static func original(
    of object: Skeleton.Object, item: Int, _ characters: [Int64]
  ) -> [Edit] {
    zip(object.members.filter { $0.value == .image }, characters).enumerated().map { index, text in
      let inside = text.0.end - 1
      return Edit(
        range: inside..<inside,
        segments: [.text(item: item, index: index, characters: max(text.1, 0))])
    }
  }

  private static func edits(
    ofRoot root: Skeleton.Object, _ appended: [JSONObject.Member]
  ) -> [Edit] {
    var text: [UInt8] = []
    var isFirst = root.memberCount == root.members.count
    for member in appended {
      if !isFirst { text.append(0x2C) }
      isFirst = false
      JSONWriter.append(string: member.name, to: &text)
      text.append(0x3A)
      JSONWriter.append(member.value, to: &text)
    }
    let end = root.lastValueEnd
    return removals(root.members) + [Edit(range: end..<end, segments: [.bytes(text)])]
  }

  /// Takes members out with one comma each: the one behind for those that begin the object, else
  /// the one before.
  private static func removals(_ members: [Skeleton.Member]) -> [Edit] {
    var leading = 0
    return members.map { member in
      if member.ordinal == leading {
        leading += 1
        let end = member.commaAfter.map { $0 + 1 } ?? member.end
        return Edit(range: member.start..<end, segments: [])
      }
      return Edit(range: (member.commaBefore ?? member.start)..<member.end, segments: [])
    }
  }

  private static func content(of item: Int, _ replacement: Replacement) -> [Segment]? {
    switch replacement {
    case .keep, .original:
      return nil
    case .url(let url):
      var text = [UInt8]("\"url\":".utf8)
      JSONWriter.append(string: url, to: &text)
      return [.bytes(text)]
    case .base64(let decodedBytes, let prefix):
      var text = [UInt8]("\"b64_json\":".utf8)
      JSONWriter.append(string: prefix, to: &text)
      text.removeLast()
      let image = Segment.image(item: item, decodedBytes: max(decodedBytes, 0))
      return [.bytes(text), image, .bytes([0x22])]
    }
  }
}

extension Skeleton.Member {
  fileprivate var isText: Bool { if case .text = value { true } else { false } }
}
