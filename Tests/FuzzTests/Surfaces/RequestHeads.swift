// RFC 9112 §2–6: a head reads the same however it is split, and again when it is written anew.
@testable internal import Wire

func requestHeads(_ bytes: Span<UInt8>) throws(Broken) {
  let (head, outcome) = parsed(bytes, ends: [bytes.count])
  for ends in [[bytes.count / 2, bytes.count], Array(0...bytes.count)] {
    let (split, other) = parsed(bytes, ends: ends)
    try hold(other == outcome, "whole \(outcome), split \(other)")
    guard case .complete = outcome else { continue }
    try hold(ReadHead(split, bytes) == ReadHead(head, bytes), "the head depends on the split")
  }
  guard case .complete(let length) = outcome else { return }
  try hold(length <= bytes.count, "a head of \(length) bytes in \(bytes.count)")
  try lines(head.fields, bytes, length)
  try lookUps(head.fields, bytes)
  let written = ReadHead(head, bytes)
  let (again, second) = parsed(written.text.span, ends: [written.text.count])
  try hold(second == .complete(headLength: written.text.count), "written anew: \(second)")
  try hold(ReadHead(again, written.text.span) == written, "written anew it reads otherwise")
}

/// Parses what has arrived at each of `ends`, until there is an outcome.
private func parsed(_ bytes: Span<UInt8>, ends: [Int]) -> (RequestHead, RequestHead.Outcome) {
  var head = RequestHead()
  var outcome = RequestHead.Outcome.incomplete
  for end in ends where outcome == .incomplete {
    outcome = head.parse(bytes.extracting(0..<end), limits: RequestLimits())
  }
  return (head, outcome)
}

/// What a head says, without where it stands.
private struct ReadHead: Equatable {
  let text: [UInt8]
  let body: RequestBody
  let keepsAlive, expectsContinue: Bool

  init(_ head: RequestHead, _ bytes: Span<UInt8>) {
    var text = Array(bytes, head.methodName) + [0x20] + Array(bytes, head.targetText)
    text += Array(head.isHTTP11 ? " HTTP/1.1\r\n".utf8 : " HTTP/1.0\r\n".utf8)
    self.text = text + writtenAnew(head.fields, bytes)
    body = head.body
    keepsAlive = head.keepsAlive
    expectsContinue = head.expectsContinue
  }
}

/// The field lines and the empty one.
func writtenAnew(_ fields: FieldSection, _ bytes: Span<UInt8>) -> [UInt8] {
  var text: [UInt8] = []
  for index in 0..<fields.count {
    text += Array(bytes, fields[index].name.range) + Array(": ".utf8)
    text += Array(bytes, fields[index].value.range) + Array("\r\n".utf8)
  }
  return text + Array("\r\n".utf8)
}

/// Names are tokens, values hold no control characters (RFC 9110 §5.1, §5.5), all are in the head.
func lines(_ fields: FieldSection, _ bytes: Span<UInt8>, _ length: Int) throws(Broken) {
  for index in 0..<fields.count {
    let (name, value) = (fields[index].name.range, fields[index].value.range)
    try hold(name.upperBound < value.lowerBound || value.isEmpty, "a value before its name")
    try hold(value.upperBound <= length - 4, "a value outside of the head")
    let token = Array("!#$%&'*+-.^_`|~".utf8)
    for byte in Array(bytes, name) {
      let isAlphanumeric =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80
      try hold(isAlphanumeric || token.contains(byte), "byte \(byte) in a name")
    }
    for byte in Array(bytes, value) {
      try hold(byte == 0x09 || byte >= 0x20 && byte != 0x7F, "byte \(byte) in a value")
    }
    try hold(!name.isEmpty, "an empty name")
  }
}

/// What is asked for by name is what a walk over the lines finds.
func lookUps(_ fields: FieldSection, _ bytes: Span<UInt8>) throws(Broken) {
  let names = (0..<fields.count).map { Array(bytes, fields[$0].name.range).lowercased }
  for name in FieldName.allCases {
    let places = names.indices.filter { names[$0] == Array(name.text) }
    for place in names.indices {
      let isKnown = fields[place].known == name
      try hold(isKnown == places.contains(place), "\(names[place].text) is not told as \(name)")
    }
    try hold(fields.contains(name) == !places.isEmpty, "contains \(name)")
    try hold(fields.isRepeated(name) == (places.count > 1), "isRepeated \(name)")
    let first = places.first.map { fields[$0].value.range }
    try hold(fields.value(of: name) == first, "value of \(name)")
    var line = 0
    for place in places {
      let next = fields.nextValue(of: name, after: &line)
      try hold(next == fields[place].value.range, "next value of \(name)")
    }
    try hold(fields.nextValue(of: name, after: &line) == nil, "one value of \(name) too many")
  }
}
