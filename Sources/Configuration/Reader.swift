// Typed reading of a document. A reader that fails has reported why and returns nil; reading goes
// on, so that an operator sees every problem of the file at once.

/// One value with its key path.
struct Item {
  let node: JSON5Node
  let trail: KeyTrail
  let review: Review

  func fail(_ message: String) {
    review.report(message, path: trail.description, offset: node.offset)
  }

  /// What stands there, for a sentence.
  var shown: String {
    switch node.value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .number(let number): number.text
    case .string(let text): quoted(text)
    case .array: "a list"
    case .object: "an object"
    }
  }

  var isNull: Bool { node.value == .null }

  func string() -> String? {
    guard case .string(let text) = node.value else {
      fail("\(shown) is not a string")
      return nil
    }
    return text
  }

  func bool() -> Bool? {
    guard case .bool(let flag) = node.value else {
      fail("\(shown) is not true or false")
      return nil
    }
    return flag
  }

  func integer(_ range: ClosedRange<Int>) -> Int? {
    guard case .number(let number) = node.value, let value = number.integer else {
      fail("\(shown) is not a whole number")
      return nil
    }
    guard let small = Int(exactly: value), range.contains(small) else {
      fail("\(shown) is out of range: \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return small
  }

  /// A size in bytes.
  func bytes(atLeast least: Int64 = 1) -> Int64? {
    let value: Int64
    switch node.value {
    case .number(let number):
      guard let whole = number.integer, whole >= 0 else {
        fail("\(shown) is not a whole number of bytes")
        return nil
      }
      value = whole
    case .string(let text):
      do {
        value = try Quantity.bytes(text)
      } catch {
        fail("\(shown) \(error.message)")
        return nil
      }
    default:
      fail("\(shown) is not a size: a number of bytes, or a string such as \"50GB\" or \"512MiB\"")
      return nil
    }
    guard value >= least else {
      fail("\(shown) is too small: at least \(Quantity.text(bytes: least))")
      return nil
    }
    return value
  }

  /// A time.
  func time(
    atLeast least: Duration = .zero, atMost most: Duration = Quantity.longest
  ) -> Duration? {
    let value: Duration
    switch node.value {
    case .number(let number):
      // The range comes first: only a small double becomes an integer.
      guard number.double >= 0, number.double <= Double(Quantity.longest.components.seconds) else {
        fail("\(shown) is not a number of seconds up to 100 years")
        return nil
      }
      value = .milliseconds(Int64((number.double * 1_000).rounded()))
    case .string(let text):
      do {
        value = try Quantity.time(text)
      } catch {
        fail("\(shown) \(error.message)")
        return nil
      }
    default:
      fail("\(shown) is not a time: seconds, or a string such as \"10m\", \"24h\" or \"30d\"")
      return nil
    }
    guard value >= least, value <= most else {
      fail("\(shown) is out of range: \(Quantity.text(least)) to \(Quantity.text(most))")
      return nil
    }
    return value
  }

  /// One of a closed set of words.
  func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    if case .string(let text) = node.value, let found = Choice(rawValue: text) { return found }
    let known = Choice.allCases.map(\.rawValue)
    fail("\(shown) is not \(alternatives(known))" + suggestion(known))
    return nil
  }

  /// `; did you mean "…"?` when one of `known` is near.
  func suggestion(_ known: [String]) -> String {
    guard case .string(let text) = node.value, let near = Spelling.nearest(to: text, among: known)
    else {
      return ""
    }
    return "; did you mean \(quoted(near))?"
  }

  /// Every item of a list that can be read; `nil` only when it is no list.
  func list<Element>(_ read: (Item) -> Element?) -> [Element]? {
    guard case .array(let nodes) = node.value else {
      fail("\(shown) is not a list")
      return nil
    }
    return nodes.enumerated().compactMap { index, node in
      read(Item(node: node, trail: trail.adding(index: index), review: review))
    }
  }

  /// One item, or a list of at least one.
  func oneOrMore<Element>(_ read: (Item) -> Element?) -> [Element]? {
    switch node.value {
    case .array(let nodes):
      if nodes.isEmpty { fail("an empty list: at least one is needed") }
      return list(read)
    case .null:
      fail("must not be null")
      return nil
    default: return read(self).map { [$0] }
    }
  }

  /// Reads an object's members; what `read` did not ask for is an unknown key.
  func section(_ read: (inout Section) -> Void) {
    guard case .object(let members) = node.value else {
      return fail("\(shown) is not an object")
    }
    var section = Section(item: self, members: members)
    read(&section)
    section.reportUnknown()
  }
}

/// An object being read: remembers which keys it was asked for.
struct Section {
  let item: Item
  private let members: [JSON5Member]
  private var known: [String] = []
  private var isLenient = false

  init(item: Item, members: [JSON5Member]) {
    self.item = item
    self.members = members
  }

  /// The value of `key`, which is known from now on.
  mutating func take(_ key: String) -> Item? {
    known.append(key)
    guard let member = members.first(where: { $0.key == key }) else { return nil }
    return Item(
      node: member.node, trail: item.trail.adding(key: key), review: item.review)
  }

  /// Reads `key` into `value`, which keeps its default when the key is absent or wrong.
  mutating func read<Value>(
    _ key: String, into value: inout Value, _ read: (Item) -> Value?
  ) {
    guard let item = take(key) else { return }
    guard !item.isNull else { return item.fail("must not be null") }
    if let found = read(item) { value = found }
  }

  /// The same for a value that may be `null`.
  mutating func readNullable<Value>(
    _ key: String, into value: inout Value?, _ read: (Item) -> Value?
  ) {
    guard let item = take(key) else { return }
    if item.isNull {
      value = nil
    } else if let found = read(item) {
      value = found
    }
  }

  /// Reads a key that has no default; its absence is a problem.
  mutating func require<Value>(_ key: String, _ read: (Item) -> Value?) -> Value? {
    guard let found = take(key) else {
      item.fail("\(quoted(key)) is missing")
      return nil
    }
    guard !found.isNull else {
      found.fail("must not be null")
      return nil
    }
    return read(found)
  }

  /// Reads a nested object.
  mutating func section(_ key: String, _ read: (inout Section) -> Void) {
    guard let item = take(key) else { return }
    guard !item.isNull else { return item.fail("must not be null") }
    item.section(read)
  }

  /// Gives up on this object's other keys: what they may be is not known.
  mutating func ignoreOtherKeys() { isLenient = true }

  fileprivate func reportUnknown() {
    guard !isLenient else { return }
    for member in members where !known.contains(member.key) && !item.review.isFull {
      var message = "unknown key; "
      if let near = Spelling.nearest(to: member.key, among: known) {
        message += "did you mean \(quoted(near))?"
      } else {
        message += "known here: " + known.joined(separator: ", ")
      }
      let path = item.trail.adding(key: member.key).description
      item.review.report(message, path: path, offset: member.offset)
    }
  }
}

/// `"a", "b" or "c"`.
func alternatives(_ words: [String]) -> String {
  let words = words.map(quoted)
  guard let last = words.last, words.count > 1 else { return words.joined() }
  return words.dropLast().joined(separator: ", ") + " or " + last
}
