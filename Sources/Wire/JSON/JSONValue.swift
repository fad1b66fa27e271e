// JSON (RFC 8259) as a tree, for documents that a limit keeps small: requests, skeletons, errors.
// Images never come this way; see ImagesAnswerScanner.

/// One value.
public enum JSONValue: Hashable, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number as it was written.
  case number(JSONNumber)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object(JSONObject)
}

/// Members in the order in which they were written, each name once.
public struct JSONObject: Hashable, Sendable {
  /// A name and its value.
  public struct Member: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The value.
    public var value: JSONValue

    /// A member.
    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The members in order.
  public private(set) var members: [Member] = []

  /// No members.
  public init() {}

  /// Members in order; of several with one name the last value stays, at the place of the first
  /// (as in every client's parser; so what we check is what an upstream reads).
  public init(_ members: [Member]) {
    guard Self.hasRepeatedName(members) else {
      self.members = members
      return
    }
    var places: [ExactName: Int] = [:]
    places.reserveCapacity(members.count)
    for member in members {
      if let place = places.updateValue(self.members.count, forKey: ExactName(member.name)) {
        places[ExactName(member.name)] = place
        self.members[place].value = member.value
      } else {
        self.members.append(member)
      }
    }
  }

  /// Few names are compared with each other, many are hashed: a hostile object must not cost its
  /// size squared.
  private static func hasRepeatedName(_ members: [Member]) -> Bool {
    guard members.count <= 8 else {
      return Set(members.map { ExactName($0.name) }).count < members.count
    }
    for index in members.indices.dropFirst() {
      let name = ExactName(members[index].name)
      if members[..<index].contains(where: { ExactName($0.name) == name }) { return true }
    }
    return false
  }

  /// The members for which `isKept` holds, in order: each is looked at once. Copying them by name
  /// would look at all of them for each.
  public func filter(
    _ isKept: (Member) throws -> Bool
  ) rethrows -> JSONObject {
    var filtered = JSONObject()
    filtered.members = try members.filter(isKept)
    return filtered
  }

  /// The value of a name: a look at every member. Setting replaces in place or appends; nil removes
  /// the member.
  public subscript(name: String) -> JSONValue? {
    get { place(of: name).map { members[$0].value } }
    set {
      switch (place(of: name), newValue) {
      case (let place?, let value?): members[place].value = value
      case (let place?, nil): members.remove(at: place)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  private func place(of name: String) -> Int? {
    let wanted = ExactName(name)
    return members.firstIndex { ExactName($0.name) == wanted }
  }
}

/// Names are the same when their bytes are: String's own equality takes `é` and `e` + accent for
/// one.
private struct ExactName: Hashable {
  private let name: String

  init(_ name: String) { self.name = name }

  static func == (left: Self, right: Self) -> Bool { left.name.utf8.elementsEqual(right.name.utf8) }

  func hash(into hasher: inout Hasher) {
    for byte in name.utf8 { hasher.combine(byte) }
  }
}

extension JSONValue {
  /// The value of an object's member; nil when there is none or this is no object.
  public subscript(name: String) -> JSONValue? { object?[name] }

  /// An array's element; nil out of bounds or when this is no array.
  public subscript(index: Int) -> JSONValue? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// The text of a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }

  /// The value of a boolean.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The value of a number that is whole and fits.
  public var int: Int? { number?.int }

  /// The nearest double of a number.
  public var double: Double? { number?.double }

  /// A number as it was written.
  public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }

  /// The elements of an array.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  /// An object.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A number.
  public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }

  /// A number; `null` when it is not finite.
  public init(floatLiteral value: Double) { self = JSONNumber(value).map { .number($0) } ?? .null }

  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// `null`
  public init(nilLiteral: ()) { self = .null }

  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

  /// An object with its members in this order.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
  }

  /// A string, or `null` for nil.
  public init(_ value: String?) { self = value.map { .string($0) } ?? .null }

  /// An integer, or `null` for nil.
  public init(_ value: (some BinaryInteger)?) {
    self = value.map { .number(JSONNumber($0)) } ?? .null
  }
}
