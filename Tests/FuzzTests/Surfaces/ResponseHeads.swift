// RFC 9112 §4, §6.3: what an upstream sends, under the same promises as a request's head.
@testable internal import Wire

func responseHeads(_ bytes: Span<UInt8>) throws(Broken) {
  for answersHead in [false, true] {
    let (head, outcome) = parsed(bytes, [bytes.count], answersHead)
    for ends in [[bytes.count / 2, bytes.count], Array(0...bytes.count)] {
      let (split, other) = parsed(bytes, ends, answersHead)
      try hold(other == outcome, "whole \(outcome), split \(other)")
      guard case .complete = outcome else { continue }
      try hold(ReadHead(split, bytes) == ReadHead(head, bytes), "the head depends on the split")
    }
    guard case .complete(let length) = outcome else { continue }
    try hold(length <= bytes.count, "a head of \(length) bytes in \(bytes.count)")
    try lines(head.fields, bytes, length)
    try lookUps(head.fields, bytes)
    try framing(head, answersHead)
    let written = ReadHead(head, bytes)
    let (again, second) = parsed(written.text.span, [written.text.count], answersHead)
    try hold(second == .complete(headLength: written.text.count), "written anew: \(second)")
    try hold(ReadHead(again, written.text.span) == written, "written anew it reads otherwise")
  }
}

/// RFC 9112 §6.3, rules 1 and 8; §9.3: a connection is not kept behind a body without an end.
private func framing(_ head: ResponseHead, _ answersHead: Bool) throws(Broken) {
  try hold((100...999).contains(head.status), "status \(head.status)")
  let hasNone = answersHead || head.status < 200 || head.status == 204 || head.status == 304
  try hold((head.body == .none) == hasNone, "body \(head.body) with \(head.status)")
  if head.body == .untilClose { try hold(!head.keepsAlive, "kept alive without an end") }
  if case .length(let length) = head.body { try hold(length >= 0, "a length of \(length)") }
}

private func parsed(
  _ bytes: Span<UInt8>, _ ends: [Int], _ answersHead: Bool
) -> (ResponseHead, ResponseHead.Outcome) {
  var head = ResponseHead()
  var outcome = ResponseHead.Outcome.incomplete
  for end in ends where outcome == .incomplete {
    outcome = head.parse(bytes.extracting(0..<end), answersHead: answersHead)
  }
  return (head, outcome)
}

/// What a head says, without where it stands.
private struct ReadHead: Equatable {
  let text: [UInt8]
  let body: ResponseBody
  let keepsAlive: Bool

  init(_ head: ResponseHead, _ bytes: Span<UInt8>) {
    let line = "HTTP/1.\(head.isHTTP11 ? 1 : 0) \(head.status)\r\n"
    text = Array(line.utf8) + writtenAnew(head.fields, bytes)
    body = head.body
    keepsAlive = head.keepsAlive
  }
}
