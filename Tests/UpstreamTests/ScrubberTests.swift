import Testing

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
}
