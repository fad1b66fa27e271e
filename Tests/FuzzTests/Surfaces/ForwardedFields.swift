// RFC 7239: what trusted proxies say. The input is field lines; what a client writes in front of
// them must change nothing.
internal import Wire

func forwardedFields(_ lines: Span<UInt8>) throws(Broken) {
  guard let (head, bytes) = head("GET", lines) else { return }
  let said = ForwardedRequest(head.fields, in: bytes.span, isTrusted: isTrusted)
  if let host = said.host {
    let text = Array(bytes.span, host)
    try hold(!text.isEmpty && text.allSatisfy(isVisible), "host \(text.text)")
    try hold(!text.contains { "/@,;\"?#%\\".utf8.contains($0) }, "host \(text.text)")
  }
  if let prefix = said.prefix {
    let text = Array(bytes.span, prefix)
    try hold(text.first == 0x2F && text.last != 0x2F, "prefix \(text.text)")
    let segments = text.split(separator: 0x2F)
    try hold(!segments.contains([0x2E]) && !segments.contains([0x2E, 0x2E]), "dots in a prefix")
    try hold(segments.count == text.count { $0 == 0x2F }, "an empty segment in a prefix")
  }
  if let client = said.client, !isTrusted(client) { try isFirm(said, bytes.span, head, lines) }
}

/// 10.0.0.0/8 and loopback.
private func isTrusted(_ address: IPAddress) -> Bool {
  switch address {
  case .v4(let bits): bits >> 24 == 10
  case .v6(let high, let low): high == 0 && low == 1
  }
}

/// The client wrote lines of its own, which proxies pass on in front of theirs.
private func isFirm(
  _ said: ForwardedRequest, _ bytes: Span<UInt8>, _ asked: RequestHead, _ lines: Span<UInt8>
) throws(Broken) {
  let name = asked.fields.contains(.forwarded) ? "Forwarded: for=" : "X-Forwarded-For: "
  let forged = Array("\(name)6.6.6.6\r\n".utf8) + lines.array
  guard let (other, otherBytes) = head("GET", forged.span) else { return }
  let again = ForwardedRequest(other.fields, in: otherBytes.span, isTrusted: isTrusted)
  try hold(again.client == said.client, "a client made itself another")
  try hold(again.isSecure == said.isSecure, "a client chose its scheme")
  let hosts = (
    said.host.map { Array(bytes, $0) }, again.host.map { Array(otherBytes.span, $0) }
  )
  try hold(hosts.0 == hosts.1, "a client chose its host")
  try isFirm(said, againstOther: name == "X-Forwarded-For: ", lines)
}

/// The client wrote lines of the kind that its proxy does not write and passes on.
private func isFirm(
  _ said: ForwardedRequest, againstOther standard: Bool, _ lines: Span<UInt8>
) throws(Broken) {
  let kind =
    standard
    ? "Forwarded: for=6.6.6.6;proto=https;host=evil\r\n"
    : "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\n"
  let forged = Array(kind.utf8) + lines.array
  guard let (asked, bytes) = head("GET", forged.span) else { return }
  let again = ForwardedRequest(asked.fields, in: bytes.span, isTrusted: isTrusted)
  try hold(again.client == nil || again.client == said.client, "a client made itself another")
  if let host = again.host { try hold(said.host != nil, "a client's \(host) is its host") }
}
