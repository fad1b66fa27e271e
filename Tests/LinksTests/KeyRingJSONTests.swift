import Links
import Testing

private let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
private let key = #"{"id":1,"secret":"\#(secret)","created_at":1700000000,"state":"signing"}"#

private func parse(_ text: String) throws -> KeyRing {
  try KeyRing(json: Array(text.utf8).span)
}

@Test func aRingRoundTrips() throws {
  let ring = try KeyRing.create(now: 1_700_000_000).rotated(now: 1_700_000_001).rotated(now: 2)
    .retiring(1)
  let bytes = ring.json()
  let back = try parse(String(decoding: bytes, as: UTF8.self))
  #expect(back.json() == bytes)
  #expect(back.keys.map(\.description) == ring.keys.map(\.description))
  #expect(back.signing.id == ring.signing.id)
}

@Test func theShapeIsThatOfTheContract() throws {
  let ring = try parse(#"{"keys":[\#(key)]}"#)
  #expect(String(decoding: ring.json(), as: UTF8.self) == "{\"keys\":[\n  \(key)\n]}\n")
  #expect(ring.signing.createdAt == 1_700_000_000)
}

/// What is wrong, and where the failure says that it is.
private let malformed: [(text: String, path: String, problem: String)] = [
  ("[]", "the file", "not an object"),
  ("{}", "keys", "missing"),
  (#"{"keys":{}}"#, "keys", "not a list"),
  (#"{"keys":[]}"#, "keys", "0 keys are \"signing\", it must be exactly one"),
  (#"{"keys":[\#(key)],"version":1}"#, "version", "unknown member"),
  (#"{"keys":[1]}"#, "keys[0]", "not an object"),
  (#"{"keys":[\#(key),\#(key)]}"#, "keys[1].id", "1 is there twice"),
  (
    #"{"keys":[\#(key),\#(edited("id", "2"))]}"#, "keys",
    "2 keys are \"signing\", it must be exactly one"
  ),
  (one(edited("state", #""verifying""#)), "keys", "0 keys are \"signing\", it must be exactly one"),
  (
    one(edited("state", #""active""#)), "keys[0].state",
    "not \"signing\", \"verifying\" or \"retired\""
  ),
  (one(edited("state", "1")), "keys[0].state", "not \"signing\", \"verifying\" or \"retired\""),
  (one(edited("id", "256")), "keys[0].id", "not a whole number from 0 to 255"),
  (one(edited("id", "-1")), "keys[0].id", "not a whole number from 0 to 255"),
  (one(edited("id", "1.5")), "keys[0].id", "not a whole number from 0 to 255"),
  (one(edited("id", #""1""#)), "keys[0].id", "not a whole number from 0 to 255"),
  (one(edited("created_at", "-1")), "keys[0].created_at", "not a time in unix seconds"),
  (one(edited("created_at", "1e99")), "keys[0].created_at", "not a time in unix seconds"),
  (one(edited("created_at", "null")), "keys[0].created_at", "not a time in unix seconds"),
  (one(edited("secret", #""""#)), "keys[0].secret", "not 32 bytes in base64"),
  (one(edited("secret", #""AAEC""#)), "keys[0].secret", "not 32 bytes in base64"),
  (one(edited("secret", #""\#(secret.dropLast())""#)), "keys[0].secret", "not 32 bytes in base64"),
  (one(edited("secret", #"" \#(secret)""#)), "keys[0].secret", "not 32 bytes in base64"),
  (
    one(edited("secret", #""\#(secret.dropLast(2))9=""#)), "keys[0].secret",
    "not 32 bytes in base64"
  ),
  (one(edited("secret", #""\#(secret)AAAA""#)), "keys[0].secret", "not 32 bytes in base64"),
  (
    one(edited("secret", #""AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=""#)), "keys[0].secret",
    "nothing but zeroes"
  ),
  (one(edited("comment", "1")), "keys[0].comment", "unknown member"),
  (one(#"{"id":1,"created_at":1,"state":"signing"}"#), "keys[0].secret", "missing"),
  (one(#"{"id":1,"secret":"\#(secret)","created_at":1}"#), "keys[0].state", "missing"),
]

private func one(_ key: String) -> String { #"{"keys":[\#(key)]}"# }

/// A good key with one member's value replaced, or added.
private func edited(_ name: String, _ value: String) -> String {
  var members = [
    ("id", "1"), ("secret", "\"\(secret)\""), ("created_at", "1"), ("state", "\"signing\""),
  ]
  if let place = members.firstIndex(where: { $0.0 == name }) {
    members[place].1 = value
  } else {
    members.append((name, value))
  }
  return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}

@Test(arguments: malformed.indices)
func aMalformedRingIsRefusedWithItsPlace(_ row: Int) {
  let (text, path, problem) = malformed[row]
  #expect(throws: KeyRingFailure.malformed(path: path, problem: problem)) { try parse(text) }
}

@Test(arguments: ["", " ", "{", "{\"keys\":[", "\u{FEFF}{}", "[[[[1]]]]", "{\"keys\":[]} x"])
func whatIsNotJSONIsRefused(_ text: String) {
  let failure = #expect(throws: KeyRingFailure.self) { try parse(text) }
  guard case .syntax(let reason) = failure else {
    Issue.record("\(text): \(String(describing: failure))")
    return
  }
  #expect(!reason.isEmpty)
}

@Test func aFailureNeverShowsTheSecret() {
  for count in 0...key.count {
    let cut = one(String(key.prefix(count)))
    do {
      _ = try parse(cut)
    } catch {
      #expect(!"\(error)".contains("AAEC") && !"\(error)".contains("HR4f"))
    }
  }
}
