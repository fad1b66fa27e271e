import HTTPServer
import Kernel
import Net
import Testing

struct ResponseWriterTests {
  /// RFC 9110 §9.3.2: the same fields, no body.
  @Test(arguments: ["/a", "/file", "/304", "/wide", "/task/large", "/task/stream", "/task/file"])
  func headIsGetWithoutBody(_ path: String) async throws {
    let server = try await TestServer(file: try sparseFile(1000), fileBytes: 1000)
    let client = try server.client()
    let id = "x-request-id: same\r\n"
    let whole = try client.ask(get(path, id))
    let head = try client.ask("HEAD" + get(path, id).dropFirst(3))
    func stable(_ answer: TestAnswer) -> [String] {
      answer.lines.filter { !$0.hasPrefix("Date: ") }
    }
    #expect(stable(head) == stable(whole))
    #expect(try client.ask(get("/next")).text == "/next")
    try await server.end()
  }

  /// H6: Date, and exactly one length where there may be one (RFC 9110 §8.6).
  @Test(
    arguments: [
      ("/a", "2"), ("/304", nil), ("/task/204", nil), ("/task/none", "0"), ("/inject", "0"),
      ("/wide", "100000"), ("/lazy", "29"),
    ] as [(String, String?)])
  func everyAnswerHasDateAndLength(_ path: String, _ length: String?) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let answer = try client.ask(get(path))
    #expect(answer.values("Date").count == 1)
    #expect(answer.values("Date").first?.hasSuffix(" GMT") == true)
    #expect(answer.values("Content-Length") == (length.map { [$0] } ?? []))
    #expect(answer.status == (path == "/lazy" ? 500 : answer.status))
    client.close()
    try await server.end()
  }

  /// H5.
  @Test(arguments: ["/inject", "/task/field"])
  func fieldsCannotBeInjected(_ path: String) async throws {
    let server = try await TestServer()
    let client = try server.client()
    let answer = try client.ask(get(path))
    #expect(answer.values("X-Evil").isEmpty)
    #expect(answer.value("X-Echo")?.hasPrefix("a  X-Evil: 1") == true)
    try await server.end()
  }

  @Test(
    arguments: [
      ("x-request-id: a.B-9~\r\n", "a.B-9~"), ("", nil), ("x-request-id: a b\r\n", nil),
      ("x-request-id: a\r\nx-request-id: b\r\n", nil), ("x-request-id: \u{E9}\r\n", nil),
      (
        "x-request-id: \(String(repeating: "a", count: 128))\r\n",
        String(repeating: "a", count: 128)
      ),
      ("x-request-id: \(String(repeating: "a", count: 129))\r\n", nil),
    ] as [(String, String?)])
  func requestIDIsKeptOrMade(_ field: String, _ kept: String?) async throws {
    let server = try await TestServer()
    let client = try server.client()
    var made: Set<String> = []
    for path in ["/a", "/task/ignore", "/b"] {
      let ids = try client.ask(get(path, field)).values("x-request-id")
      #expect(ids.count == 1)
      if let kept { #expect(ids == [kept]) } else { made.formUnion(ids) }
    }
    if kept == nil {
      #expect(made.count == 3)
      #expect(made.allSatisfy { $0.hasPrefix("req-") && $0.utf8.count > 10 })
    }
    try await server.end()
  }
}
