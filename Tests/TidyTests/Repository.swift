import Foundation

/// A file of the repository that people wrote.
struct RepositoryFile: Sendable {
  /// From the top: `Sources/Wire/Hex.swift`.
  let path: String
  let text: String
  /// Its tokens when it is Swift, else none.
  let tokens: [Token]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    tokens = path.hasSuffix(".swift") ? SwiftTokenizer.tokens(of: text) : []
  }

  var isSwift: Bool { path.hasSuffix(".swift") }
  var isSource: Bool { path.hasPrefix("Sources/") }

  /// `Wire` of `Sources/Wire/…`, `WireTests` of `Tests/WireTests/…`.
  var target: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && (isSource || parts[0] == "Tests") ? String(parts[1]) : nil
  }

  /// Whether it is input or expected output of a test, kept byte by byte.
  var isFixture: Bool { path.contains("/Fixtures/") || path.hasPrefix("Tests/Corpus/") }
}

/// What is wrong, and where.
struct Violation: Hashable, CustomStringConvertible {
  let path: String
  var line: Int?
  let message: String

  var description: String { path + (line.map { ":\($0)" } ?? "") + ": " + message }
}

/// The repository that this test was built from.
struct Repository: Sendable {
  /// Names at the top.
  let top: [String]
  /// Every text file that is not made by a tool or a run.
  let files: [RepositoryFile]

  static let this = Repository(
    root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent())

  private init(root: URL) {
    let manager = FileManager.default
    top = ((try? manager.contentsOfDirectory(atPath: root.path)) ?? []).sorted()
    var files: [RepositoryFile] = []
    func add(_ path: String) {
      guard let data = manager.contents(atPath: root.path + "/" + path), data.count < 1 << 20,
        let text = String(validating: data, as: UTF8.self)
      else { return }
      files.append(RepositoryFile(path: path, text: text))
    }
    for folder in ["Sources", "Tests", "Config", ".ci"] {
      let found = manager.enumerator(atPath: root.path + "/" + folder)?.compactMap { $0 as? String }
      for path in (found ?? []).sorted() where !path.contains("__pycache__") {
        add(folder + "/" + path)
      }
    }
    for path in ["Package.swift", "README.md", "Storage/README.md"] { add(path) }
    self.files = files
  }
}
