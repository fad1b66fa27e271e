import Foundation
import Testing

// One assetd as the upstream of another: our client, our server, and the key between them.

@Suite struct ChainTests {
  private static let key = "sk-chain-0123456789abcdef0123456789abcdef"

  /// The configuration of a daemon whose model is the sample of the one at `base`.
  private func front(_ base: String, keyFile: String) -> String {
    """
    { upstreams: [ { name: "inner", dialect: "openai", base_url: "\(base)/v1",
                     api_key_file: "\(keyFile)" } ],
      models: [ { id: "far", upstream: "inner", upstream_model: "sample", timeout: "30s" } ],
      log: { access: "stderr", level: "debug" } }
    """
  }

  private func keyFile(_ scratch: Scratch, _ name: String, _ key: String) throws -> String {
    let path = try scratch.file(name, Data(key.utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }

  /// A6: the upstream's key is in no answer and no log, whether it is good or not.
  @Test func anUpstreamsKeyIsKeptToItself() throws {
    let scratch = try Scratch()
    let good = try keyFile(scratch, "good", Self.key)
    let bad = try keyFile(scratch, "bad", Self.key.uppercased())
    let inner = try Daemon(
      scratch.path + "/inner",
      configuration: "{ auth: { mode: \"keys\", bootstrap_key_file: \"\(good)\" } }")
    let order = #"{"prompt":"a fox","size":"64x64","response_format":"b64_json"}"#
    var said = ""
    for (name, file, status) in [("good", good, 200), ("bad", bad, 502)] {
      let log = scratch.path + "/\(name).log"
      let outer = try Daemon(
        scratch.path + "/outer-\(name)", configuration: front(inner.base, keyFile: file),
        errors: .file(log))
      let answer = try curl(
        "-i", "-H", "Content-Type: application/json", "-d", order,
        outer.base + "/v1/images/generations"
      ).text
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(500))")
      #expect(answer.contains(status == 200 ? "\"b64_json\":\"iVBOR" : "upstream_auth_failed"))
      outer.signal(15)
      outer.process.waitUntilExit()
      let lines = try String(contentsOfFile: log, encoding: .utf8)
      #expect(lines.contains("/v1/images/generations"), "the order is in the log")
      let faults = lines.split(separator: "\n").filter { $0.contains("a request failed") }
      #expect(faults.count == (status == 200 ? 0 : 1))
      for fact in ["upstream_auth_failed", "\"inner\"", "\"far\"", "\"gen-", "\"request_id\""] {
        #expect(faults.allSatisfy { $0.contains(fact) }, "\(fact)")
      }
      said += answer + lines
    }
    #expect(!said.lowercased().contains(Self.key), "the key was said")
    #expect(!said.lowercased().contains("bearer"))
  }
}
