// RFC 8259: what is read is written as it reads; one request has one canonical text.
internal import Wire

func jsonTexts(_ bytes: Span<UInt8>) throws(Broken) {
  let value: JSONValue
  do throws(JSONFailure) {
    value = try JSONValue.parse(bytes)
  } catch {
    try hold((0...bytes.count).contains(error.offset), "a fault at \(error.offset)")
    try hold(error.line >= 1 && error.column >= 1, "line \(error.line), column \(error.column)")
    return try hold(!error.description.isEmpty, "a fault without words")
  }
  let written = value.bytes
  let again = try parsed(written, "written")
  try hold(again == value, "written it reads otherwise")
  try hold(again.bytes == written, "written twice it differs")
  let canonical = value.canonicalBytes
  let second = try parsed(canonical, "canonical")
  try hold(second.canonicalBytes == canonical, "the canonical text has another one")
  try numbers(value)
}

private func parsed(_ text: [UInt8], _ name: String) throws(Broken) -> JSONValue {
  do throws(JSONFailure) {
    return try JSONValue.parse(text.span)
  } catch {
    throw Broken(description: "the \(name) text is no JSON: \(error)")
  }
}

/// A number's canonical text is the same number.
private func numbers(_ value: JSONValue) throws(Broken) {
  switch value {
  case .number(let number):
    let canonical = try parsed(Array(number.canonical.utf8), "canonical").number
    try hold(canonical?.canonical == number.canonical, "\(number.text) has two canonical texts")
    try hold(canonical?.int == number.int, "\(number.text) is another integer")
    try hold(canonical?.double == number.double, "\(number.text) is another double")
  case .array(let elements): for element in elements { try numbers(element) }
  case .object(let object): for member in object.members { try numbers(member.value) }
  case .null, .bool, .string: break
  }
}
