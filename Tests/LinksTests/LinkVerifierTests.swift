import Links
import Testing
import Wire

/// Two fixed keys: bytes 0...31 sign, bytes 100...131 verify.
private let fixedRing = """
  {"keys":[
    {"id":1,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
      "created_at":1,"state":"signing"},
    {"id":2,"secret":"ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=",
      "created_at":2,"state":"verifying"}
  ]}
  """
private let asset = AssetID(number: 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF)
private let expiry: Int64 = 1_712_086_400

/// Computed by Python's hmac and base64 from the layout of Token.swift and the keys above.
private let golden: [(token: String, asset: AssetID, expiry: Int64)] = [
  ("AQEAZgxdgAARIjNEVWZ3iJmqu8zd7v8SmJVCiuCveOZMyaVxna1U", asset, expiry),
  ("AQIAZgxdgAARIjNEVWZ3iJmqu8zd7v8WXlmOYnoSrhbeIGEV-hAI", asset, expiry),
  (
    "AQH___________________________8m62Trya77LwM2JSZnS3vD", AssetID(number: .max),
    1_099_511_627_775
  ),
]

private func fixedVerifier() throws -> LinkVerifier {
  LinkVerifier(try ring(fixedRing))
}

private func ring(_ text: String) throws -> KeyRing {
  try KeyRing(json: Array(text.utf8).span)
}

extension LinkVerifier {
  // A span cannot be part of an expectation, which takes its expression apart.
  fileprivate func verdict(_ token: [UInt8], now: Int64 = 0) -> LinkVerdict {
    verify(token: token.span, now: now)
  }

  fileprivate func verdict(_ token: String, now: Int64 = 0) -> LinkVerdict {
    verdict(Array(token.utf8), now: now)
  }
}

@Test func tokensOfAnotherImplementationVerify() throws {
  let links = try fixedVerifier()
  for row in golden {
    #expect(links.verdict(row.token) == .valid(row.asset, expiry: row.expiry))
  }
  #expect(
    links.verdict("AQEAAAAAAAAAAAAAAAAAAAAAAAAAAACcqAITxPOOt8HGLCARp-cv")
      == .expired(AssetID(number: 0)))
}

@Test func mintedTokensAreThoseOfAnotherImplementation() throws {
  let links = try fixedVerifier()
  #expect(links.mintedText(asset: asset, expiry: expiry) == golden[0].token)
  #expect(links.mintedText(asset: AssetID(number: .max), expiry: .max) == golden[2].token)
  let text = links.mint(asset: asset, expiry: expiry)
  #expect(text.indices.map { text[$0] } == Array(golden[0].token.utf8))
  #expect(LinkVerifier.tokenLength == 52)
}

@Test func anExpiryIsBroughtIntoRange() throws {
  let links = try fixedVerifier()
  for (asked, got) in [
    (Int64.min, 0), (-1, 0), (0, 0), (1, 1), (LinkVerifier.lastExpiry, LinkVerifier.lastExpiry),
    (LinkVerifier.lastExpiry + 1, LinkVerifier.lastExpiry), (.max, LinkVerifier.lastExpiry),
  ] as [(Int64, Int64)] {
    let token = links.mintedText(asset: asset, expiry: asked)
    #expect(links.verdict(token, now: -1) == .valid(asset, expiry: got), "\(asked)")
  }
}

/// Served at expiry - 1, expired at expiry.
@Test(arguments: [
  (Int64.min, true), (0, true), (expiry - 1, true), (expiry, false), (expiry + 1, false),
  (.max, false),
])
func aLinkEndsAtItsExpiry(_ now: Int64, _ isValid: Bool) throws {
  let verdict = try fixedVerifier().verdict(golden[0].token, now: now)
  #expect(verdict == (isValid ? .valid(asset, expiry: expiry) : .expired(asset)))
}

/// Any one-bit change of the 39 bytes; before and after the expiry.
@Test func everyAlteredBitIsInvalid() throws {
  let links = try fixedVerifier()
  for row in golden {
    var bytes = [UInt8](repeating: 0, count: 39)
    var output = bytes.mutableSpan
    let isRead = Base64URL.decodeCanonical(Array(row.token.utf8).span, into: &output)
    #expect(isRead)
    for bit in 0..<39 * 8 {
      var altered = bytes
      altered[bit / 8] ^= 1 << (bit % 8)
      let token = Base64URL.encode(altered.span)
      #expect(links.verdict(token) == .invalid, "bit \(bit)")
      #expect(links.verdict(token, now: .max) == .invalid, "bit \(bit)")
    }
  }
}

/// Any one-character change of the 52, to the other 63 characters and to all foreign bytes.
@Test func everyAlteredCharacterIsInvalid() throws {
  let links = try fixedVerifier()
  let token = Array(golden[0].token.utf8)
  for place in token.indices {
    for byte in UInt8.min...UInt8.max where byte != token[place] {
      var altered = token
      altered[place] = byte
      #expect(links.verdict(altered) == .invalid, "byte \(byte) at \(place)")
    }
  }
}

/// Truncation, extension, padding and other spellings.
@Test func everyOtherSpellingIsInvalid() throws {
  let links = try fixedVerifier()
  let token = golden[0].token
  for count in 0..<52 {
    #expect(links.verdict(String(token.prefix(count))) == .invalid)
    #expect(links.verdict(String(token.suffix(count))) == .invalid)
  }
  for added in ["A", "=", "==", "====", ".", "\n", "\0", "%3D", token] {
    #expect(links.verdict(token + added) == .invalid, "\(added) after it")
    #expect(links.verdict(added + token) == .invalid, "\(added) before it")
  }
  #expect(links.verdict(token.uppercased()) == .invalid)
  #expect(links.verdict(token.lowercased()) == .invalid)
  #expect(links.verdict(String(token.dropLast()) + "=") == .invalid)
  // The standard alphabet for the same bytes.
  let standard = golden[1].token.replacing("-", with: "+").replacing("_", with: "/")
  #expect(standard != golden[1].token)
  #expect(links.verdict(standard) == .invalid)
  for count in [0, 1, 39, 52, 53, 10_000] {
    #expect(links.verdict([UInt8](repeating: UInt8(ascii: "A"), count: count)) == .invalid)
  }
}

/// An old key's links live until it is retired, and die then.
@Test func rotationKeepsLinksAndRetirementEndsThem() throws {
  let first = KeyRing.create(now: 10)
  let token = LinkVerifier(first).mintedText(asset: asset, expiry: expiry)
  let valid = LinkVerdict.valid(asset, expiry: expiry)
  #expect(LinkVerifier(first).verdict(token) == valid)

  let second = try first.rotated(now: 20)
  let fresh = LinkVerifier(second).mintedText(asset: asset, expiry: expiry)
  #expect(fresh != token)
  #expect(LinkVerifier(second).verdict(token) == valid)
  #expect(LinkVerifier(second).verdict(fresh) == valid)
  #expect(LinkVerifier(first).verdict(fresh) == .invalid, "an unknown key")

  let third = try second.retiring(first.signing.id)
  #expect(LinkVerifier(third).verdict(token) == .invalid)
  #expect(LinkVerifier(third).verdict(token, now: .max) == .invalid, "not even expired")
  #expect(LinkVerifier(third).verdict(fresh) == valid)
}

/// A key that was spread before it signs: the other node's links are good at once.
@Test func anAddedKeyVerifiesBeforeItSigns() throws {
  let (spread, id) = try KeyRing.create(now: 1).adding(now: 2)
  let ahead = try spread.signing(with: id)
  let token = LinkVerifier(ahead).mintedText(asset: asset, expiry: expiry)
  #expect(LinkVerifier(spread).verdict(token) == .valid(asset, expiry: expiry))
}

/// The key of one id does not serve for another: the id is under the mac.
@Test func keysOfOneIDAreNotMixed() throws {
  let ring1 = KeyRing.create(now: 1)
  let ring2 = KeyRing.create(now: 1)
  let token = LinkVerifier(ring1).mintedText(asset: asset, expiry: expiry)
  #expect(ring1.signing.id == ring2.signing.id)
  #expect(LinkVerifier(ring2).verdict(token) == .invalid)
}
