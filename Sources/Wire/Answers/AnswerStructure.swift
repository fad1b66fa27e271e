// Where in the document the scanner is. The rule says which strings may hold images:
//
//     answer   root { "data": [ item { "b64_json" | "url" } … ] }
//     upload   root = item { "b64_json" | "url" }

/// Arrays and objects that are open, and which of them matter.
struct AnswerStructure {
  enum Place {
    case root
    case data
    case item
    case elsewhere
  }

  /// Names that matter in some place.
  enum Name {
    case data
    case noted(Skeleton.Name)
    case error
    case other
  }

  let rule: ImagesAnswerScanner.Rule
  private(set) var depth = 0
  /// One bit per open level, the innermost lowest: 1 is an object.
  private var objects: UInt64 = 0
  private(set) var isDataOpen = false
  private var isItemOpen = false
  private var hasSeenData = false

  init(rule: ImagesAnswerScanner.Rule) { self.rule = rule }

  var isInObject: Bool { objects & 1 == 1 }

  /// What the innermost open array or object is.
  var place: Place {
    switch (depth, rule) {
    case (1, .answer) where isInObject: .root
    case (1, .upload) where isInObject: .item
    case (2, .answer) where isDataOpen: .data
    case (3, .answer) where isItemOpen: .item
    default: .elsewhere
    }
  }

  /// Whether a value that ends here is a member of the root or of an item.
  var isAtMember: Bool {
    switch place {
    case .root, .item: true
    case .data, .elsewhere: false
    }
  }

  mutating func open(object: Bool, name: Name, limit: Int) throws(ScanFailure) {
    guard depth < min(limit, 64) else { throw .json(.tooDeep(limit: min(limit, 64))) }
    if case .data = name, place == .root, !object {
      guard !hasSeenData else { throw .twoDataArrays }
      hasSeenData = true
      isDataOpen = true
    } else if place == .data {
      isItemOpen = object
    }
    depth += 1
    objects = objects << 1 | (object ? 1 : 0)
  }

  mutating func close() {
    depth -= 1
    objects >>= 1
    if depth == 2 { isItemOpen = false }
    if depth == 1 { isDataOpen = false }
  }

  /// The meaning of a name in the place where it stands.
  func name(_ text: [UInt8]) -> Name {
    switch (place, String(decoding: text, as: UTF8.self)) {
    case (.root, "data"): .data
    case (.root, "x_asset"): .noted(.asset)
    case (.item, "b64_json"): .noted(.b64JSON)
    case (.item, "url"): .noted(.url)
    case (.root, "error"), (.item, "error"): .error
    default: .other
    }
  }
}
