/// A value that no log, summary or error may show. Its text leaves only through `value`.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The secret itself: visible ASCII, so that it can stand in a header.
  public let value: String

  /// A secret from text without the white space around it; nil when it is empty or has bytes that
  /// are not visible ASCII.
  public init?(_ text: String) {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    var bytes = Array(text.utf8)[...]
    bytes = bytes.drop(while: isSpace)
    while let last = bytes.last, isSpace(last) { bytes.removeLast() }
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    value = String(decoding: bytes, as: UTF8.self)
  }

  /// Why `init` failed.
  static let rule = "is empty or has characters that are not visible ASCII"

  /// Never the value.
  public var description: String { "(secret)" }
  /// Never the value.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// A secret of the configuration, given as `name`, `name_env` or `name_file`.
public enum ConfiguredSecret: Hashable, Sendable {
  /// None of the three names is given.
  case none
  /// It is known.
  case known(Secret)
  /// It is expected in this variable, which is unset or empty.
  case unset(variable: String)

  /// The secret, when it is known.
  public var secret: Secret? {
    if case .known(let secret) = self { return secret }
    return nil
  }
}
