/// One value of a JSON5 document, and where it begins in the file (a byte offset).
struct JSON5Node: Equatable {
  /// What a value is.
  enum Value: Equatable {
    case null
    case bool(Bool)
    case number(JSON5Number)
    case string(String)
    case array([JSON5Node])
    case object([JSON5Member])
  }

  let value: Value
  let offset: Int
}

/// One `key: value` of an object; `offset` is that of the key.
struct JSON5Member: Equatable {
  let key: String
  let offset: Int
  let node: JSON5Node
}

/// A number as written, so that a problem can quote it.
struct JSON5Number: Equatable {
  let text: String
  let double: Double
  /// The exact value when the number is whole and fits (`1e9` is whole, `1.5` is not).
  let integer: Int64?
}

/// A document that could be read, with the keys that were given twice (the first one counts).
struct JSON5Document: Equatable {
  struct Duplicate: Equatable {
    let path: String
    let offset: Int
    let firstOffset: Int
  }

  let root: JSON5Node
  let duplicates: [Duplicate]
}

/// The place where a document stops being JSON5.
struct JSON5Failure: Error, Equatable {
  let offset: Int
  /// The key path of the value that was being read; empty at the top.
  let path: String
  let message: String
}

/// A key path as operators write it: `gc.policies[2].high`.
struct KeyTrail: Equatable {
  private var steps: [String] = []

  init() {}

  mutating func enter(key: String) { steps.append(Self.spelled(key)) }
  mutating func enter(index: Int) { steps.append("[\(index)]") }
  mutating func leave() { steps.removeLast() }

  func adding(key: String) -> KeyTrail {
    var longer = self
    longer.enter(key: key)
    return longer
  }

  func adding(index: Int) -> KeyTrail {
    var longer = self
    longer.enter(index: index)
    return longer
  }

  var description: String {
    let text = steps.joined()
    return text.hasPrefix(".") ? String(text.dropFirst()) : text
  }

  private static func spelled(_ key: String) -> String {
    let isWord =
      !key.isEmpty
      && key.utf8.allSatisfy {
        ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
      }
    return isWord ? "." + key : "[" + quoted(key) + "]"
  }
}

/// `text` between quotes on one line, at most 60 characters of it, for a problem's sentence.
func quoted(_ text: String) -> String {
  var shown = "\""
  for scalar in text.unicodeScalars.prefix(60) {
    switch scalar {
    case "\"", "\\": shown += "\\" + String(scalar)
    case _ where scalar.value < 0x20 || scalar.value == 0x7F:
      shown += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
    default: shown.unicodeScalars.append(scalar)
    }
  }
  return shown + (text.unicodeScalars.count > 60 ? "…\"" : "\"")
}
