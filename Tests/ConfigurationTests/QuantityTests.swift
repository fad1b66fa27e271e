import Testing

@testable import Configuration

struct QuantityTests {
  static let form =
    "a number of bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB"

  @Test(arguments: [
    ("0", 0), ("1024", 1024), ("50GB", 50_000_000_000), ("50 GB", 50_000_000_000),
    ("512MiB", 512 << 20), ("1.5GiB", 3 << 29), ("1kB", 1_000), ("1KB", 1_000), ("8KiB", 8192),
    ("2TB", 2_000_000_000_000), ("1PiB", 1 << 50), ("0.001kB", 1), ("7B", 7),
    ("9223372036854775807", Int64.max), ("8191PiB", 8191 << 50),
  ])
  func readsSizes(text: String, bytes: Int64) throws {
    #expect(try Quantity.bytes(text) == bytes)
  }

  @Test(arguments: [
    ("", "is not a size: " + form),
    (
      "-1",
      "is not a size: " + form
    ),
    ("10G", "has an unknown unit: say GB or GiB"), ("10gb", "has an unknown unit: say GB"),
    ("10K", "has an unknown unit: say kB or KiB"),
    (
      "10x",
      "has an unknown unit: " + form
    ),
    ("0.3KiB", "is not a whole number of bytes below 2^63"),
    ("9223372036854775807KiB", "is not a whole number of bytes below 2^63"),
    ("8192PiB", "is not a whole number of bytes below 2^63"),
  ])
  func refusesSizes(text: String, message: String) {
    #expect(throws: QuantityFailure(message: message)) { try Quantity.bytes(text) }
  }

  @Test(arguments: [
    ("0", Duration.zero), ("90", .seconds(90)), ("90s", .seconds(90)),
    ("500ms", .milliseconds(500)),
    ("10m", .seconds(600)), ("24h", .seconds(86_400)), ("30d", .seconds(2_592_000)),
    ("1.5h", .seconds(5400)), ("0.25s", .milliseconds(250)), ("36500d", Quantity.longest),
  ])
  func readsTimes(text: String, time: Duration) throws {
    #expect(try Quantity.time(text) == time)
  }

  @Test(arguments: [
    "", " ", "s", "-1s", "+1s", "1 0s", "10 m ", "10M", "10min", "1h30m", ".5s", "1.s", "1..5s",
    "0.0001s", "36501d", "99999999999999999999d", "9223372036854775807d", "١s", "1s\u{0}",
    "1.1234567891s", String(repeating: "9", count: 1000),
  ])
  func refusesTimes(text: String) {
    #expect(throws: QuantityFailure.self) { try Quantity.time(text) }
  }

  @Test(arguments: [
    (Int64(0), "0"), (1, "1"), (1500, "1500"), (1000, "1kB"), (64 << 20, "64MiB"),
    (1 << 30, "1GiB"),
    (50_000_000_000, "50GB"), (Int64.max, "9223372036854775807"),
  ])
  func writesSizes(bytes: Int64, text: String) throws {
    #expect(Quantity.text(bytes: bytes) == text)
    #expect(try Quantity.bytes(text) == bytes)
  }

  @Test(arguments: [
    (Duration.zero, "0s"), (.milliseconds(1500), "1500ms"), (.seconds(90), "90s"),
    (.seconds(600), "10m"), (.seconds(86_400), "24h"), (.seconds(2_592_000), "30d"),
  ])
  func writesTimes(time: Duration, text: String) throws {
    #expect(Quantity.text(time) == text)
    #expect(try Quantity.time(text) == time)
  }

  @Test func countsSecondsAndNanoseconds() {
    #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
    #expect(Duration.milliseconds(1500).wholeSeconds == 2)
    #expect(Duration.seconds(2).wholeSeconds == 2)
    #expect(Duration.seconds(Int64.max).nanoseconds == .max)
  }
}
