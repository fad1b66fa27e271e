// Where bytes that anybody can send come in, each as a function that says what must hold of any
// bytes. Two ways lead through the same functions: CorpusTests replays Tests/Corpus in every test
// run; LibFuzzer.swift, a program built instead of it when ASSETD_FUZZ=1, looks for new ones.
internal import Wire

/// A way in.
enum Surface: String, CaseIterable, Sendable {
  case requestHead = "request-head"
  case responseHead = "response-head"
  case chunked
  case inflate
  case delivery
  case target
  case forwarded
  case values
  case token
  case base64
  case json
  case answer
  case image

  /// Reads `bytes` every way there is; a trap or an error is a bug.
  func check(_ bytes: Span<UInt8>) throws(Broken) {
    switch self {
    case .requestHead: try requestHeads(bytes)
    case .responseHead: try responseHeads(bytes)
    case .chunked: try chunkedBodies(bytes)
    case .inflate: try compressedBodies(bytes)
    case .delivery: try deliveries(bytes)
    case .target: try targets(bytes)
    case .forwarded: try forwardedFields(bytes)
    case .values: try fieldValues(bytes)
    case .token: try tokens(bytes)
    case .base64: try base64Texts(bytes)
    case .json: try jsonTexts(bytes)
    case .answer: try answers(bytes)
    case .image: try imageHeaders(bytes)
    }
  }
}

/// What did not hold.
struct Broken: Error, CustomStringConvertible {
  let description: String
}

/// Fails unless it holds.
func hold(_ holds: Bool, _ promise: @autoclosure () -> String) throws(Broken) {
  guard holds else { throw Broken(description: promise()) }
}

extension Span<UInt8> {
  var array: [UInt8] { Array(self, 0..<count) }
}

extension [UInt8] {
  init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    self.init(range.lazy.map { _ in 0 })
    for index in range { self[index - range.lowerBound] = bytes[index] }
  }

  init(_ text: StaticString) { self.init(text.description.utf8) }

  var text: String { String(decoding: self, as: UTF8.self) }

  var lowercased: [UInt8] { map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }
}

/// Where a text of so many bytes is cut: nowhere, in two, and after every byte.
func cuts(_ count: Int) -> [[Range<Int>]] {
  let middle = count / 2
  return [[0..<count], [0..<middle, middle..<count], (0..<count).map { $0..<$0 + 1 }]
}

/// Visible ASCII.
func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
