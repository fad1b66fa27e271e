import Testing

@testable import Wire

@Suite struct HeadWriterTests {
  private func text(_ buffer: borrowing ByteBuffer) -> String {
    buffer.withSpan { span in String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
  }

  @Test func writesAHeadThatParses() throws {
    var buffer = ByteBuffer(capacity: 256)
    try buffer.appendRequestLine("POST", target: Array("/v1/x?y=1".utf8).span)
    try buffer.appendHost(Array("api.example".utf8).span, port: 8443, defaultPort: 443)
    try buffer.appendField("Content-Length", decimal: 12)
    try buffer.appendField("Authorization", Array("Bearer a\tb".utf8).span)
    try buffer.appendField(named: Array("X-Y".utf8).span, Array("gr\u{FC}n".utf8).span)
    try buffer.appendHeadEnd()
    let written = text(buffer)
    let (head, outcome) = parse(written)
    #expect(holds(outcome == .complete(headLength: buffer.count)))
    #expect(head.body == .length(12))
    #expect(slice(written, head.fields.value(of: .host)) == "api.example:8443")
  }

  @Test(arguments: ["a\rb", "a\nb", "a\r\nX: y", "a\u{0}b", "\u{7F}", "\u{1B}[0m"])
  func refusesToEndALineEarly(_ value: String) {
    var buffer = ByteBuffer(capacity: 256)
    #expect(throws: HeadWriteFailure.forbiddenCharacter) {
      try buffer.appendField("X", Array(value.utf8).span)
    }
    #expect(throws: HeadWriteFailure.forbiddenCharacter) {
      try buffer.appendField(named: Array(value.utf8).span, Array("a".utf8).span)
    }
    #expect(throws: HeadWriteFailure.forbiddenCharacter) {
      try buffer.appendRequestLine("GET", target: Array(value.utf8).span)
    }
    #expect(throws: HeadWriteFailure.forbiddenCharacter) {
      try buffer.appendHost(Array(value.utf8).span, port: 80, defaultPort: 80)
    }
    #expect(holds(buffer.isEmpty))
  }

  @Test func aLineThatDoesNotFitIsNotWritten() throws {
    var buffer = ByteBuffer(capacity: 20)
    try buffer.appendField("A", Array("b".utf8).span)
    #expect(throws: HeadWriteFailure.noRoom) {
      try buffer.appendField("Content-Length", decimal: 123)
    }
    #expect(throws: HeadWriteFailure.noRoom) {
      try buffer.appendRequestLine("GET", target: Array("/aaaaaaaa".utf8).span)
    }
    #expect(holds(!buffer.appendStatusLine(200)))
    #expect(holds(text(buffer) == "A: b\r\n"))
  }

  @Test func writesStatusLines() {
    var buffer = ByteBuffer(capacity: 64)
    buffer.appendStatusLine(206)
    buffer.appendStatusLine(599)
    #expect(holds(text(buffer) == "HTTP/1.1 206 Partial Content\r\nHTTP/1.1 599 Server Error\r\n"))
  }
}
