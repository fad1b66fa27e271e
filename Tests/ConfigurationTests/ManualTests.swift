import Foundation
import Testing

@testable import Configuration

/// `Config/assetd.json5`, found from this file.
func manualBytes() throws -> [UInt8] {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return Array(try Data(contentsOf: root.appending(path: "Config/assetd.json5")))
}

struct ManualTests {
  @Test func statesTheBuiltInDefaults() throws {
    let file = ConfigurationFile(name: "Config/assetd.json5", bytes: try manualBytes())
    #expect(try Settings.load(file, environment: [:]) == Settings())
  }

  /// A key that the loader knows and the manual does not name would not be found by anyone.
  @Test func namesEveryKey() throws {
    let manual = String(decoding: try manualBytes(), as: UTF8.self)
    let text =
      "{x:1,storage:{x:1,scrub:{x:1}},auth:{x:1},defaults:{x:1},upstreams:[{x:1}],models:[{x:1}],"
      + "gc:{x:1,policies:[{kind:'idle',x:1}]},fetch:{x:1},limits:{x:1},privacy:{x:1},log:{x:1}}"
    let lists = problems(text).compactMap { $0.components(separatedBy: "known here: ").last }
      .filter { !$0.contains(": ") }
    #expect(lists.count == 13)
    for key in lists.flatMap({ $0.components(separatedBy: ", ") }) {
      // Of the spellings of a secret one stands there, and the others in its comment.
      let secret = key.hasSuffix("_file") ? String(key.dropLast("_file".count)) : key
      #expect(manual.contains("\(key):") || manual.contains("\(secret)_env:"), "\(key)")
    }
    // Policies have keys by their kinds.
    for kind in Settings.Policy.Kind.allCases {
      let known = problems("{gc:{policies:[{kind:'\(kind.rawValue)',x:1}]}}")
        .compactMap { $0.components(separatedBy: "known here: ").last }.last
      #expect(manual.contains("\"\(kind.rawValue)\""), "\(kind)")
      for key in try #require(known).components(separatedBy: ", ") where !key.contains(" ") {
        #expect(manual.contains("\(key):") || manual.contains("`\(key)`"), "\(kind) \(key)")
      }
    }
  }
}
