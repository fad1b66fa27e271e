import Foundation
import Testing
import Wire

/// One answer of the vendors' collection: bodies in the shape that vendors send.
struct Fixture: Sendable, CustomTestStringConvertible {
  let file: String
  let status: Int
  let headers: [String: String]
  /// The class of the failure; `nil` for an answer with images.
  let failure: String?
  let body: [UInt8]

  var testDescription: String { file }

  /// The whole answer as a server sends it.
  var answer: String {
    let lines = headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    return "HTTP/1.1 \(status) Status\r\n\(lines)Content-Length: \(body.count)\r\n\r\n"
      + String(decoding: body, as: UTF8.self)
  }

  static let all: [Fixture] = load()

  private static func load() -> [Fixture] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    func bytes(_ file: String) -> [UInt8] {
      (try? Data(contentsOf: folder.appending(path: file))).map { Array($0) } ?? []
    }
    let text = bytes("manifest.json")
    let manifest = try? JSONValue.parse(text.span)
    return (manifest?["files"]?.array ?? []).map { entry in
      let file = entry["file"]?.string ?? ""
      let fields = (entry["headers"]?.object?.members ?? []).map {
        ($0.name, $0.value.string ?? "")
      }
      return Fixture(
        file: file, status: entry["status"]?.int ?? 0,
        headers: Dictionary(uniqueKeysWithValues: fields), failure: entry["class"]?.string,
        body: bytes(file))
    }
  }
}
