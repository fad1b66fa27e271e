import Foundation
import Testing

@testable import Configuration

struct SecretTests {
  /// Runs `body` with the path of a new file.
  private func withFile(
    _ content: String, mode: Int, _ body: (String) throws -> Void
  ) throws {
    // Messages cut what is longer than 60 characters: not the place for a long TMPDIR.
    let path = "/tmp/assetd-" + UUID().uuidString
    let isMade = FileManager.default.createFile(
      atPath: path, contents: Data(content.utf8), attributes: [.posixPermissions: mode])
    #expect(isMade)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func upstream(_ secret: String) -> String {
    "{models: [], upstreams: [{name: 'a', dialect: 'openai', \(secret)}]}"
  }

  @Test func readsAPrivateFile() throws {
    for mode in [0o600, 0o400] {
      try withFile("sk-file\n", mode: mode) { path in
        let settings = try load(upstream("api_key_file: '\(path)'"))
        #expect(settings.upstreams.first?.apiKey.secret?.value == "sk-file")
      }
    }
  }

  @Test func followsALink() throws {
    try withFile("sk-file", mode: 0o600) { path in
      try FileManager.default.createSymbolicLink(
        atPath: path + "-link", withDestinationPath: path)
      defer { try? FileManager.default.removeItem(atPath: path + "-link") }
      let settings = try load(upstream("api_key_file: '\(path)-link'"))
      #expect(settings.upstreams.first?.apiKey.secret?.value == "sk-file")
    }
    try withFile("sk-file", mode: 0o644) { path in
      try FileManager.default.createSymbolicLink(
        atPath: path + "-link", withDestinationPath: path)
      defer { try? FileManager.default.removeItem(atPath: path + "-link") }
      #expect(problems(upstream("api_key_file: '\(path)-link'")).count == 1)
    }
  }

  @Test func refusesWhatOthersMayRead() throws {
    for mode in [0o644, 0o640, 0o604] {
      try withFile("sk-file", mode: mode) { path in
        let expected =
          "t:1:71: upstreams[0].api_key_file: \"\(path)\" may be read by group or others: "
          + "chmod 600 it"
        #expect(problems(upstream("api_key_file: '\(path)'")) == [expected])
      }
    }
  }

  @Test func refusesWhatIsNoSecret() throws {
    #expect(
      problems(upstream("api_key_file: '/nonexistent/key'")) == [
        "t:1:71: upstreams[0].api_key_file: \"/nonexistent/key\" there is no such file"
      ])
    #expect(
      problems(upstream("api_key_file: '/'")) == [
        "t:1:71: upstreams[0].api_key_file: \"/\" is not a regular file"
      ])
    try withFile(" \n", mode: 0o600) { path in
      #expect(
        problems(upstream("api_key_file: '\(path)'")) == [
          "t:1:71: upstreams[0].api_key_file: the content of \(path) is empty or has characters "
            + "that are not visible ASCII"
        ])
    }
    try withFile(String(repeating: "k", count: 65_537), mode: 0o600) { path in
      #expect(
        problems(upstream("api_key_file: '\(path)'")) == [
          "t:1:71: upstreams[0].api_key_file: \"\(path)\" is larger than 64KiB"
        ])
    }
  }

  @Test func keepsLiteralsOutOfSharedFiles() {
    #expect(problems(upstream("api_key: 'sk'")).isEmpty)
    #expect(
      problems(upstream("api_key: 'sk'"), isShared: true) == [
        "t:1:66: upstreams[0].api_key: a secret in a file that group or others may read: "
          + "chmod 600 t, or use api_key_env or api_key_file"
      ])
  }

  @Test func neverQuotesASecret() {
    for text in [upstream("api_key: 'sk hidden'"), upstream("api_key_env: 'V'")] {
      let found = problems(text, environment: ["V": "sk hidden"])
      #expect(found.count == 1)
      #expect(!found.joined().contains("hidden"))
    }
    #expect(
      problems("{}", environment: ["OPENAI_API_KEY": "sk hidden"]) == [
        "t: upstreams[1].api_key_env: the value of the variable OPENAI_API_KEY is empty or has "
          + "characters that are not visible ASCII"
      ])
  }

  /// A secret in the place of its variable's name, or of its file's.
  @Test(arguments: [
    "api_key_env: 'sk-hidden'", "api_key_env: '9hidden'", "api_key_env: 'hidden key'",
    "api_key_env: 'hidden='", "api_key_env: 'hidden.1'", "api_key_env: 'hiddené'",
    "api_key_env: ''", "api_key_file: 'sk-hidden'", "api_key_file: ''", "api_key: 4815162342",
    "api_key_env: 4815162342", "api_key_file: 4815162342", "api_key: ['hidden']",
  ])
  func neverQuotesWhatMayBeOne(_ given: String) {
    let places = [
      upstream(given), "{auth: {\(given.replacing("api_key", with: "bootstrap_key"))}}",
    ]
    for text in places {
      let found = problems(text)
      #expect(found.count == 1, "\(found)")
      #expect(!found.joined().contains("hidden") && !found.joined().contains("4815162342"))
    }
  }

  @Test func namesAVariableThatMayBeOne() throws {
    for name in ["A", "_a9", "OPENAI_API_KEY"] {
      let settings = try load(upstream("api_key_env: '\(name)'"))
      #expect(settings.upstreams.first?.obstacle == "the variable \(name) is not set")
    }
  }

  @Test func readsAFileOfTheDisk() throws {
    try withFile("{log: {level: 'error'}}", mode: 0o644) { path in
      let file = try ConfigurationFile(path: path)
      #expect(file.isShared)
      #expect(try Settings.load(file, environment: [:]).log.level == .error)
    }
    #expect(
      throws: ConfigurationFailure(problems: [
        .init(source: "/nonexistent", position: nil, path: "", message: "there is no such file")
      ])
    ) { try ConfigurationFile(path: "/nonexistent") }
  }
}
