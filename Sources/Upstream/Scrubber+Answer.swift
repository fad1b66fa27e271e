// What an upstream says in a good answer: an entry of `data` that failed holds an `error` beside
// the others' images, and any member may repeat what was sent to it.
public import Wire

extension Scrubber {
  /// So much of an answer's errors is looked through, in bytes; more is no words.
  private static let errorBytes = 64 << 10

  /// What must change in the skeleton of an answer that goes out: the configured key goes wherever
  /// it stands, and the errors become what `scrub` makes of each of their texts.
  public func rewrites(of skeleton: Skeleton) -> [SkeletonRenderer.Rewrite] {
    var rewrites: [SkeletonRenderer.Rewrite] = []
    var position = 0
    var left = Self.errorBytes
    for range in skeleton.errors {
      rewrites += keys(in: skeleton.bytes[position..<range.lowerBound])
      left -= range.count
      if let bytes = scrub(error: skeleton.bytes[range], isLooked: left >= 0) {
        rewrites.append(.init(range: range, bytes: bytes))
      }
      position = range.upperBound
    }
    return rewrites + keys(in: skeleton.bytes[position...])
  }

  /// An error without its secrets; `nil` when there are none. One that can not be looked through is
  /// `null`.
  private func scrub(error: ArraySlice<UInt8>, isLooked: Bool) -> [UInt8]? {
    guard isLooked, let value = try? JSONValue.parse(error.span) else {
      return Array("null".utf8)
    }
    let clean = scrub(value, name: nil)
    return clean == value ? nil : clean.bytes
  }

  private func scrub(_ value: JSONValue, name: String?) -> JSONValue {
    switch value {
    case .string(let text):
      switch name {
      case "code", "type", "param": JSONValue(scrub(code: text))
      default: .string(scrub(text))
      }
    case .array(let elements): .array(elements.map { scrub($0, name: nil) })
    case .object(let object):
      .object(
        JSONObject(
          object.members.map {
            .init(name: withoutKey($0.name), value: scrub($0.value, name: $0.name))
          }
        ))
    case .null, .bool, .number: value
    }
  }
}
