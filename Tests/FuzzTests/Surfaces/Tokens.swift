// Links: a token has one spelling, is good as it was made and in no other way; a key ring reads as
// it was written. The input is a token, what a token is made of, and a ring.
internal import Links
internal import Wire

/// Two rings of the same fixed keys: each key signs in one.
private let verifiers: [LinkVerifier] = (1...2).compactMap { signing in
  let secrets = [
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=",
  ]
  let keys = secrets.enumerated().map { index, secret in
    let state = index + 1 == signing ? "signing" : "verifying"
    return #"{"id":\#(index + 1),"secret":"\#(secret)","created_at":1,"state":"\#(state)"}"#
  }
  let text = Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8)
  return (try? KeyRing(json: text.span)).map { LinkVerifier($0) }
}

func tokens(_ bytes: Span<UInt8>) throws(Broken) {
  try hold(verifiers.count == 2, "the fixed rings can not be read")
  try read(bytes)
  try made(bytes)
  try rings(bytes)
}

/// Of a good token, what it says makes the same token again, with one of the keys.
private func read(_ text: Span<UInt8>) throws(Broken) {
  let verdict = verifiers[0].verify(token: text, now: .min)
  try hold(verdict == verifiers[1].verify(token: text, now: .min), "the rings differ")
  guard case .valid(let asset, let expiry) = verdict else {
    return try hold(verdict == .invalid, "expired at the beginning of time")
  }
  let again = verifiers.map { Array($0.mintedText(asset: asset, expiry: expiry).utf8) }
  try hold(again.contains(text.array), "a second spelling of a token")
  let late = verifiers[0].verify(token: text, now: expiry)
  try hold(late == .expired(asset), "good at its expiry")
}

/// 24 bytes make a token; each pair behind them is a place and a change, which makes it bad.
private func made(_ bytes: Span<UInt8>) throws(Broken) {
  guard bytes.count >= 24, let asset = AssetID(bytes: bytes.extracting(0..<16)) else { return }
  var expiry: Int64 = 0
  for index in 16..<24 { expiry = expiry << 8 | Int64(bytes[index]) }
  let kept = min(max(expiry, 0), LinkVerifier.lastExpiry)
  for links in verifiers {
    let token = Array(links.mintedText(asset: asset, expiry: expiry).utf8)
    try hold(token.count == LinkVerifier.tokenLength, "a token of \(token.count)")
    let verdict = links.verify(token: token.span, now: -1)
    try hold(verdict == .valid(asset, expiry: kept), "made and then \(verdict)")
    var index = 24
    while index + 1 < bytes.count {
      var other = token
      other[Int(bytes[index]) % token.count] ^= bytes[index + 1]
      if other != token {
        let verdict = links.verify(token: other.span, now: -1)
        try hold(verdict == .invalid, "\(other.text) for \(token.text)")
      }
      index += 2
    }
  }
}

private func rings(_ bytes: Span<UInt8>) throws(Broken) {
  guard let ring = try? KeyRing(json: bytes) else { return }
  let written = ring.json()
  guard let again = try? KeyRing(json: written.span) else {
    throw Broken(description: "a ring that can not be read again")
  }
  try hold(again.json() == written, "a ring reads otherwise than it was written")
  try hold(ring.keys.count { $0.state == .signing } == 1, "not one key signs")
}
