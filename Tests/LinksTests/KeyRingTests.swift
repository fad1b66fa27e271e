import Links
import Testing

private func states(_ ring: KeyRing) -> [String] { ring.keys.map(\.description) }

private func reread(_ ring: KeyRing) throws -> KeyRing {
  let bytes = ring.json()
  return try KeyRing(json: bytes.span)
}

@Test func aNewRingSignsWithItsOnlyKey() {
  let ring = KeyRing.create(now: 1_700_000_000)
  #expect(states(ring) == ["key 1 (signing)"])
  #expect(ring.signing.id == 1)
  #expect(ring.signing.createdAt == 1_700_000_000)
  #expect(ring.json() != KeyRing.create(now: 1_700_000_000).json(), "secrets are random")
}

@Test func eachChangeIsANewRing() throws {
  let first = KeyRing.create(now: 1)
  let (added, id) = try first.adding(now: 2)
  #expect(id == 2)
  #expect(states(added) == ["key 1 (signing)", "key 2 (verifying)"])
  let promoted = try added.signing(with: 2)
  #expect(states(promoted) == ["key 1 (verifying)", "key 2 (signing)"])
  #expect(promoted.signing.id == 2)
  let retired = try promoted.retiring(1)
  #expect(states(retired) == ["key 1 (retired)", "key 2 (signing)"])
  let rotated = try retired.rotated(now: 3)
  #expect(states(rotated) == ["key 1 (retired)", "key 2 (verifying)", "key 3 (signing)"])
  #expect(rotated.keys.map(\.createdAt) == [1, 2, 3])
  #expect(states(first) == ["key 1 (signing)"])
  #expect(states(try rotated.signing(with: 3)) == states(rotated))
  #expect(states(try retired.retiring(1)) == states(retired))
}

@Test func impossibleChangesAreRefused() throws {
  let ring = try KeyRing.create(now: 1).rotated(now: 2).retiring(1)
  #expect(throws: KeyRingFailure.signingKey(2)) { try ring.retiring(2) }
  #expect(throws: KeyRingFailure.unknownKey(3)) { try ring.retiring(3) }
  #expect(throws: KeyRingFailure.unknownKey(0)) { try ring.signing(with: 0) }
  #expect(throws: KeyRingFailure.retiredKey(1)) { try ring.signing(with: 1) }
}

@Test func aFullRingGivesUpItsOldestRetiredKey() throws {
  var ring = KeyRing.create(now: 0)
  for now in 1..<255 { ring = try ring.rotated(now: Int64(now)) }
  #expect(Set(ring.keys.map(\.id)) == Set(1...255), "0 is given to none")
  #expect(throws: KeyRingFailure.full) { try ring.rotated(now: 256) }
  ring = try ring.retiring(9).retiring(7).rotated(now: 256)
  #expect(ring.signing.id == 7)
  #expect(ring.keys.count == 255)
  #expect(ring.keys.filter { $0.state == .retired }.map(\.id) == [9])
  #expect(states(try reread(ring)) == states(ring), "the greatest ring can be read back")
}

/// Earlier versions gave 0, too: such a ring goes on, and its key makes no room for others.
@Test func aRingWithAKeyZeroGoesOn() throws {
  let secret = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
  let keys = (0...255).map { id in
    let state = id == 1 ? "signing" : id == 0 || id == 7 ? "retired" : "verifying"
    return "{\"id\":\(id),\"secret\":\"\(secret)\",\"created_at\":1,\"state\":\"\(state)\"}"
  }
  let ring = try KeyRing(json: Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8).span)
  let rotated = try ring.rotated(now: 2)
  #expect(rotated.signing.id == 7)
  #expect(rotated.keys.count == 256 && rotated.keys.contains { $0.id == 0 })
  #expect(throws: KeyRingFailure.full) { try rotated.rotated(now: 3) }
  #expect(states(try reread(rotated)) == states(rotated))
  // One that signs with it gets another id at its next rotation.
  let only = "{\"keys\":[\(keys[0])]}".replacing("retired", with: "signing")
  let zero = try KeyRing(json: Array(only.utf8).span)
  let next = try zero.rotated(now: 2)
  #expect(zero.signing.id == 0 && next.signing.id == 1)
}

@Test func aRingIsNeverPrinted() throws {
  let text = """
    {"keys":[{"id":1,"secret":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=","created_at":1,\
    "state":"signing"}]}
    """
  let ring = try KeyRing(json: Array(text.utf8).span)
  var dumped = ""
  dump(ring, to: &dumped)
  for printed in ["\(ring)", String(reflecting: ring), "\(ring.signing)", dumped] {
    #expect(printed.contains("key 1 (signing)"))
    #expect(!printed.contains("65, 65") && !printed.contains("AAA") && !printed.contains("QUFB"))
  }
  dumped = ""
  dump(LinkVerifier(ring), to: &dumped)
  #expect(dumped.contains("key: HMACSHA256Key\n"))
  #expect(!dumped.contains("SHA256state"), "a state is as good as the secret")
}
