/// One way to ask for an image.
struct Ask {
  /// Ratios to nginx `secure_link` that the design wants.
  struct Target {
    var server: String?
    var both: String?

    /// Of a plain GET: from 1 MB on the kernel's work moves between the two sides.
    static func ofSize(_ size: Int) -> Target {
      switch size {
      case ...8192: Target(server: "≤ 0.80")
      case ...131_072: Target(server: "≤ 0.75")
      case ...524_288: Target(server: "≤ 0.65")
      default: Target(both: "≤ 1.00")
      }
    }
  }
  /// What is said of it beside the size.
  var label = ""
  var connections = 64
  var method = "GET"
  /// Header fields, by the size of the image.
  var fields: @Sendable (Int) -> [String] = { _ in [] }
  /// What must be answered.
  var status = 200
  /// Whether it sends the server's own ETag back.
  var revalidates = false
  /// By the size of the image.
  var target: @Sendable (Int) -> Target = { _ in Target() }

  /// Bytes of a range: 64 KB, half of an image that is small.
  private static func part(of size: Int) -> Int { min(64 << 10, size / 2) }

  static let middle = Ask(
    label: "range middle",
    fields: { size in
      let start = (size - part(of: size)) / 2
      return ["Range: bytes=\(start)-\(start + part(of: size) - 1)"]
    }, status: 206)

  static let suffix = Ask(
    label: "range suffix", fields: { ["Range: bytes=-\(part(of: $0))"] }, status: 206)

  func subject(_ size: Int) -> String {
    label.isEmpty ? size.bytesText : "\(size.bytesText), \(label)"
  }
}
