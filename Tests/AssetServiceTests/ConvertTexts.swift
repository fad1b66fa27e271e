import Foundation
import Wire

/// The ways in which the base64 of an entry may be written: it goes back in the same.
enum Spelling: CaseIterable {
  /// As an encoder writes it.
  case plain
  case unpadded
  case urlSafe
  /// Lines of 76 characters (RFC 2045 §6.8).
  case lines
  /// As PHP escapes slashes.
  case slashes
  case dataURL
  /// A data URL with percent escapes.
  case percent
  /// White space in the second half only.
  case lateSpace

  /// A member of an entry, `"b64_json":"…"` or `"url":"…"`.
  func member(_ base64: String) -> [UInt8] {
    let text = Array(base64.utf8)
    let (name, lead) =
      switch self {
      case .dataURL: ("url", #"data:image\/png;base64,"#)
      case .percent: ("url", "data:;base64,")
      default: ("b64_json", "")
      }
    return Array("\"\(name)\":\"\(lead)".utf8) + written(text) + [UInt8(ascii: "\"")]
  }

  private func written(_ text: [UInt8]) -> [UInt8] {
    switch self {
    case .plain, .dataURL: text
    case .unpadded: text.filter { $0 != UInt8(ascii: "=") }
    case .urlSafe: Self.replaced(text, ["+": "-", "/": "_", "=": ""])
    case .slashes: Self.replaced(text, ["/": #"\/"#])
    case .percent: Self.replaced(text, ["+": "%2B", "/": "%2f", "=": "%3D"])
    case .lines:
      Array(
        stride(from: 0, to: text.count, by: 76).map { text[$0..<min($0 + 76, text.count)] }
          .joined(separator: Array(#"\r\n"#.utf8)))
    case .lateSpace:
      text[..<(text.count / 2 + 1)] + Array(#" \n"#.utf8) + text[(text.count / 2 + 1)...]
    }
  }

  private static func replaced(
    _ text: [UInt8], _ words: [Unicode.Scalar: String]
  ) -> [UInt8] {
    var table: [[UInt8]?] = Array(repeating: nil, count: 256)
    for (scalar, word) in words { table[Int(scalar.value)] = Array(word.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 8)
    for byte in text {
      if let word = table[Int(byte)] { result += word } else { result.append(byte) }
    }
    return result
  }
}

/// Why an entry is not hosted, and its text.
enum Refusal: CaseIterable {
  case tooLarge
  case noImage
  case notBase64

  var code: String {
    switch self {
    case .tooLarge: "image_too_large"
    case .noImage: "unsupported_image"
    case .notBase64: "invalid_base64"
    }
  }

  /// The base64 of `count` bytes that `seed` tells apart.
  func base64(_ count: Int, seed: UInt8) -> String {
    let image = TestImages.png(seed: seed, padding: count)
    switch self {
    case .tooLarge: return TestImages.base64(image)
    case .noImage: return TestImages.base64(Array(image.dropFirst(57)))
    case .notBase64:
      // Within what may still be an image, so that some of it is stored.
      let text = TestImages.base64(image)
      return text.prefix(90_000) + "@\u{E9}" + text.dropFirst(90_000)
    }
  }
}

/// Runs what blocks on a thread of its own.
func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
  }
}
