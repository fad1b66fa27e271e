/// One thing that is wrong with the configuration, and where.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  /// The file's name, or the flag (`--listen`).
  public let source: String
  /// Line and column from 1 (columns count characters); nil when no place in the file is meant.
  public let position: Position?
  /// The key path, such as `gc.policies[2].high`; empty when the whole document is meant.
  public let path: String
  /// What is wrong and what is allowed: one sentence.
  public let message: String

  /// A place in the file.
  public struct Position: Hashable, Sendable {
    /// From 1.
    public let line: Int
    /// From 1, in characters.
    public let column: Int
  }

  /// `Config/assetd.json5:12:5: gc.interval: "10x" is not a time: …`
  public var description: String {
    var text = source
    if let position { text += ":\(position.line):\(position.column)" }
    if !path.isEmpty { text += ": " + path }
    return text + ": " + message
  }
}

/// Why the configuration was refused: every problem at once (the first 100, if it is the wrong kind
/// of file altogether), in the file's order, never none.
public struct ConfigurationFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The problems, those of the flags last.
  public let problems: [ConfigurationProblem]

  /// One problem per line.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// The file's bytes, for turning offsets into lines and columns.
struct SourceText {
  let name: String
  let bytes: [UInt8]

  func position(of offset: Int) -> ConfigurationProblem.Position {
    var line = 1
    var column = 1
    for index in 0..<min(offset, bytes.count) {
      let byte = bytes[index]
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80, byte != 0x0D {
        column += 1
      }
    }
    return .init(line: line, column: column)
  }
}

/// Gathers what is wrong while the document is read, so that all of it is told at once.
final class Review {
  let source: SourceText
  private var found: [(order: Int, problem: ConfigurationProblem)] = []

  init(_ source: SourceText) { self.source = source }

  /// Whether further reports are dropped.
  var isFull: Bool { found.count >= 100 }

  /// Reports a problem of the file; `offset` is nil when no place in it is meant.
  func report(_ message: String, path: String, offset: Int?) {
    guard !isFull else { return }
    let problem = ConfigurationProblem(
      source: source.name, position: offset.map(source.position), path: path, message: message)
    found.append((offset ?? source.bytes.count, problem))
  }

  /// Reports a problem of a flag.
  func report(_ message: String, flag: String) {
    guard !isFull else { return }
    let problem = ConfigurationProblem(source: flag, position: nil, path: "", message: message)
    found.append((.max, problem))
  }

  /// Throws what was found, sorted by place; reports of one place keep their order.
  func finish() throws(ConfigurationFailure) {
    guard !found.isEmpty else { return }
    let sorted = found.enumerated().sorted {
      ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
    }
    throw ConfigurationFailure(problems: sorted.map(\.element.problem))
  }
}
