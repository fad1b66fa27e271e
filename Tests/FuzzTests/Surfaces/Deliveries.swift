// RFC 9110 §13–14: range and conditional fields. The input is field lines of a GET and of a HEAD.
internal import Wire

private let etag = Array(String(repeating: "0123456789abcdef", count: 4).utf8)
private let modified: Int64 = 784_111_777
private let sizes: [Int64] = [0, 1, 10, 1 << 40, .max]

func deliveries(_ lines: Span<UInt8>) throws(Broken) {
  guard let (get, asked) = head("GET", lines), let (head, headBytes) = head("HEAD", lines) else {
    return
  }
  for size in sizes {
    let facts = RepresentationFacts(lastModified: modified, size: size)
    let plan = DeliveryPlan(of: facts, etag: etag.span, asked: get, in: asked.span, now: modified)
    try check(plan, size, get.fields)
    let other = DeliveryPlan(
      of: facts, etag: etag.span, asked: head, in: headBytes.span, now: modified)
    try check(other, size, head.fields)
    // RFC 9110 §9.3.2, §14.2: HEAD is answered as GET is, but a range is for GET alone.
    let expected = plan.status == 206 || plan.status == 416 ? 200 : plan.status
    try hold(other.status == expected, "GET \(plan.status), HEAD \(other.status)")
  }
}

private func check(
  _ plan: DeliveryPlan, _ size: Int64, _ fields: FieldSection
) throws(Broken) {
  let hasIfMatch = fields.contains(.ifMatch) || fields.contains(.ifUnmodifiedSince)
  let hasIfNone = fields.contains(.ifNoneMatch) || fields.contains(.ifModifiedSince)
  switch plan.status {
  case 200: try hold(plan.offset == 0 && plan.length == size, "a part under 200")
  case 206:
    try hold(plan.offset >= 0 && plan.length >= 1, "\(plan.length) bytes from \(plan.offset)")
    try hold(plan.offset <= size - plan.length, "a part behind the end of \(size) bytes")
    try hold(fields.contains(.range), "206 unasked")
  case 304: try hold(plan.length == 0 && hasIfNone, "304 unasked")
  case 412: try hold(plan.length == 0 && hasIfMatch, "412 unasked")
  case 416: try hold(plan.length == 0 && fields.contains(.range), "416 unasked")
  default: throw Broken(description: "status \(plan.status)")
  }
}

/// The head of a request with these field lines, when it is one.
func head(_ method: String, _ lines: Span<UInt8>) -> (RequestHead, [UInt8])? {
  var bytes = Array("\(method) /images/a.png HTTP/1.1\r\nHost: a.example\r\n".utf8)
  bytes += lines.array + Array("\r\n\r\n".utf8)
  var head = RequestHead()
  guard case .complete = head.parse(bytes.span, limits: RequestLimits()) else { return nil }
  return (head, bytes)
}
