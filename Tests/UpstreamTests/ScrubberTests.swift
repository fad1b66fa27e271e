import Testing
import Wire

@testable import Upstream

/// No key leaves with a message.
struct ScrubberTests {
  @Test(
    arguments: [
      ("Bad key sk-abc123def.", "Bad key [key]."), ("sk-te**", "[key]"),
      ("key 'sk-proj-Ab_9' given", "key '[key]' given"), ("Bearer abcdef x", "Bearer [key] x"),
      ("CK-12345", "[key]"), ("my-secret-key-1 is wrong", "[key] is wrong"),
      ("a task-force, risk-free", "a task-force, risk-free"), ("sk-1", "sk-1"),
      ("line\r\nbreak\0", "line  break "), ("", ""), ("Grüße", "Grüße"),
    ])
  func scrub(_ text: String, _ expected: String) {
    #expect(Scrubber(key: "my-secret-key-1").scrub(text) == expected)
  }

  @Test("Messages are bounded")
  func bounded() {
    let text = Scrubber().scrub(String(repeating: "é", count: 100_000))
    #expect(text.count == UpstreamFailure.messageLimit)
    #expect(text.hasSuffix("…"))
  }

  // MARK: Good answers

  private static let key = "my/secret-key-1"

  /// The answer as it goes out.
  private func passed(_ answer: String) throws -> String {
    var scanner = ImagesAnswerScanner(rule: .answer)
    let bytes = Array(answer.utf8)
    var offset = 0
    while true {
      let event = try scanner.next(bytes.span, from: &offset)
      if case .complete = event { break }
      if case .imageBytes(let range) = event { offset = range.lowerBound + 4 }
    }
    let rewrites = Scrubber(key: Self.key).rewrites(of: scanner.skeleton)
    let rendered = SkeletonRenderer(
      scanner.skeleton, replacements: [], appending: [], rewrites: rewrites)
    return rendered.segments.map { segment in
      if case .bytes(let bytes) = segment { String(decoding: bytes, as: UTF8.self) } else { "" }
    }.joined()
  }

  @Test(
    "An entry's error is told without secrets, whichever member has them",
    arguments: [
      (#"{"message":"Bad key sk-abc123def."}"#, #"{"message":"Bad key [key]."}"#),
      (
        #"{"code":"sk-abc123","type":"my/secret-key-1","param":"x my/secret-key-1"}"#,
        #"{"code":"[key]","type":"[key]","param":"x [key]"}"#
      ),
      (#"{"message":"m\u0079/secret-key-1 my\/secret-key-1"}"#, #"{"message":"[key] [key]"}"#),
      (
        #"{"a":[{"b":"Bearer abcdef","my/secret-key-1":1.50}]}"#,
        #"{"a":[{"b":"Bearer [key]","[key]":1.50}]}"#
      ),
      (#""sk-abc123def""#, #""[key]""#),
      (
        #" { "code" : 4.0 , "message" : "N\u006F" } "#,
        #" { "code" : 4.0 , "message" : "N\u006F" } "#
      ),
    ])
  func entries(_ error: String, _ expected: String) throws {
    for answer in [
      #"{"data":[{"b64_json":"AAAA"},{"error":E}]}"#, #"{"error":E,"data":[{"b64_json":"AAAA"}]}"#,
      #"{"data":[{"b64_json":"AAAA","error":E}],"z":[1, 2]}"#,
    ] {
      let sent = answer.replacing("E", with: error)
      let wanted = answer.replacing("E", with: expected).replacing("AAAA", with: "")
      #expect(try passed(sent) == wanted)
    }
  }

  @Test("The key itself is nowhere in an answer; words like one are the answer's own")
  func anywhere() throws {
    let answer = #"{"a":"my/secret-key-1","b":["xmy\/secret-key-1y"],"c":"sk-abc123","data":[]}"#
    let wanted = #"{"a":"[key]","b":["x[key]y"],"c":"sk-abc123","data":[]}"#
    #expect(try passed(answer) == wanted)
  }

  @Test("Codes and messages in entries are bounded, and so are their errors")
  func boundedEntries() throws {
    let long = String(repeating: "x", count: 5000)
    let sent =
      #"{"data":[{"error":{"message":"\#(long)","code":"\#(long)"}},{"error":"\#(long)"}]}"#
    let error = try JSONValue.parse(passed(sent).utf8.span)["data"]?[0]?["error"]
    #expect(error?["message"]?.string?.count == UpstreamFailure.messageLimit)
    #expect(error?["code"]?.string?.utf8.count == UpstreamFailure.codeLimit)
    let many = Array(repeating: "\"\(long)\"", count: 20).joined(separator: ",")
    let endless = try passed(#"{"data":[{"error":[\#(many)]},{"error":"sk-abc123def"}]}"#)
    #expect(endless == #"{"data":[{"error":null},{"error":null}]}"#)
  }
}
