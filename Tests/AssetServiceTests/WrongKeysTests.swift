import Testing
import Wire

@testable import AssetService

// A8: wrong keys are answered 429 after about twenty a minute from one address; good ones are not.

@Suite struct WrongKeysTests {
  private static let second: Int64 = 1_000_000_000

  @Test func twentyAMinuteAreAnswered() throws {
    let wrong = WrongKeys()
    let here = Wire.IPAddress.v4(0x0102_0304)
    for index in 1...20 { #expect(wrong.count(from: here, now: 7) == nil, "\(index)") }
    for _ in 1...280 { #expect(wrong.count(from: here, now: 8) == 3) }
    // Waiting as told is enough, and going on all the while is not held against anyone.
    #expect(wrong.count(from: here, now: 7 + 2 * Self.second) == 1)
    #expect(wrong.count(from: here, now: 7 + 3 * Self.second) == nil)
    #expect(wrong.count(from: here, now: 7 + 3 * Self.second) == 3)
    let later = 7 + 64 * Self.second
    for _ in 1...20 { #expect(wrong.count(from: here, now: later) == nil) }
    #expect(wrong.count(from: here, now: later) != nil)
  }

  @Test func othersAreNotConcerned() {
    let wrong = WrongKeys()
    for _ in 1...100 { _ = wrong.count(from: .v4(1), now: 0) }
    #expect(wrong.count(from: .v4(2), now: 0) == nil)
    for low in 1...100 as ClosedRange<UInt64> {
      _ = wrong.count(from: .v6(high: 5, low: low), now: 0)
    }
    #expect(wrong.count(from: .v6(high: 5, low: 7777), now: 0) != nil, "one /64 is one")
    #expect(wrong.count(from: .v6(high: 6, low: 1), now: 0) == nil)
    // An IPv4 peer of a socket for both families is that IPv4 address.
    #expect(wrong.count(from: .v6(high: 0, low: 0xFFFF_0000_0001), now: 0) != nil)
    #expect(wrong.count(from: .v6(high: 0, low: 0xFFFF_0000_0003), now: 0) == nil)
  }

  /// The table has an end: a flood of networks does not grow it, and one that goes on in the midst
  /// of it is still limited.
  @Test func aFloodOfNetworksIsBounded() {
    let wrong = WrongKeys()
    var refused = 0
    for network in 0..<100_000 as Range<UInt64> {
      _ = wrong.count(from: .v6(high: network, low: 0), now: 0)
      if network % 50 == 0, wrong.count(from: .v4(1), now: 0) != nil { refused += 1 }
    }
    #expect(refused > 1900)
  }

  private static let keys =
    "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }, trusted_proxies: [\"127.0.0.1\"]"
  private func ask(
    _ service: TestService, _ key: String, _ fields: [(String, String)] = []
  ) throws -> TestAnswer {
    try service.ask("GET", "/v1/assets", [("Authorization", "Bearer \(key)")] + fields)
  }

  @Test func manyWrongKeysAre429AndGoodOnesPass() async throws {
    try await withService(Self.keys) { service in
      let good = try service.key("{\"name\":\"one\"}")
      // Over both loops, and as clients do it: each on a connection of its own.
      var statuses: [Int: Int] = [:]
      for index in 1...300 {
        let answer = try ask(service, "ak-wrong-\(index)")
        statuses[answer.status, default: 0] += 1
        expectEnvelope(answer, "\(index)")
        guard answer.status == 429 else { continue }
        #expect(index > 20 && answer.type == "rate_limit_error")
        #expect(answer["Retry-After"].flatMap { Int($0) }.map { (1...3).contains($0) } == true)
        #expect(answer["x-should-retry"] == "false")
      }
      #expect(statuses.keys.sorted() == [401, 429])
      // A slow machine gets one more in three seconds.
      #expect((20...60).contains(statuses[401] ?? 0), "\(statuses)")
      for key in [good, TestService.adminKey] { #expect(try ask(service, key).status == 200) }
      let none = try service.ask("GET", "/v1/assets")
      #expect(none.status == 401 && none.code == "missing_api_key")
      // Others behind the same proxy; one that makes up what is before its own address.
      let other = [("X-Forwarded-For", "192.0.2.1")]
      #expect(try ask(service, "ak-wrong", other).status == 401)
      for index in 1...60 {
        _ = try ask(service, "ak-wrong", [("X-Forwarded-For", "10.0.0.\(index), 192.0.2.2")])
      }
      let limited = try ask(service, "ak-wrong", [("X-Forwarded-For", "10.0.1.1, 192.0.2.2")])
      #expect(limited.status == 429)
      #expect(try ask(service, good, [("X-Forwarded-For", "192.0.2.2")]).status == 200)
    }
  }
}
