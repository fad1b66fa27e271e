// RFC 9112 §4, §6.3: what an upstream sends, under the same promises as a request's head.
@testable internal import Wire

func responseHeads(_ raw: Span<UInt8>) throws(Broken) {
  for answersHead in [false, true] {
    var (whole, split) = (raw.array, raw.array)
    let (head, outcome) = parsed(&whole, [raw.count], answersHead)
    let bytes = whole.span
    for ends in [[raw.count / 2, raw.count], Array(0...raw.count)] {
      split = raw.array
      let (other, end) = parsed(&split, ends, answersHead)
      try hold(end == outcome, "whole \(outcome), split \(end)")
      guard case .complete = outcome else { continue }
      try hold(
        ReadHead(other, split.span) == ReadHead(head, bytes), "the head depends on the split")
    }
    guard case .complete(let length) = outcome else { continue }
    try hold(length <= bytes.count, "a head of \(length) bytes in \(bytes.count)")
    for section in [head.fields] + head.further {
      try lines(section, bytes, length)
      try lookUps(section, bytes)
    }
    try framing(head, answersHead)
    let written = ReadHead(head, bytes)
    var text = written.text
    let (again, second) = parsed(&text, [written.text.count], answersHead)
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

/// Parses `bytes` so far as each of `ends`, and unfolds them.
private func parsed(
  _ bytes: inout [UInt8], _ ends: [Int], _ answersHead: Bool
) -> (ResponseHead, ResponseHead.Outcome) {
  var head = ResponseHead()
  var outcome = ResponseHead.Outcome.incomplete
  for end in ends where outcome == .incomplete {
    repeat {
      outcome = head.parse(bytes.span.extracting(0..<end), answersHead: answersHead)
      if case .unfold(let place) = outcome { bytes[place...place + 1] = [0x20, 0x20] }
    } while outcome.isUnfolding
  }
  return (head, outcome)
}

extension ResponseHead.Outcome {
  fileprivate var isUnfolding: Bool { if case .unfold = self { true } else { false } }
}

/// What a head says, without where it stands.
private struct ReadHead: Equatable {
  let text: [UInt8]
  let body: ResponseBody
  let keepsAlive: Bool

  init(_ head: ResponseHead, _ bytes: Span<UInt8>) {
    let line = "HTTP/1.\(head.isHTTP11 ? 1 : 0) \(head.status)\r\n"
    let sections = ([head.fields] + head.further).map { writtenAnew($0, bytes).dropLast(2) }
    text = Array(line.utf8) + sections.joined() + Array("\r\n".utf8)
    body = head.body
    keepsAlive = head.keepsAlive
  }
}
