// Addresses as text (RFC 4291 §2.2, RFC 6943 §3.1.1) and what they are (RFC 6890).
import Testing

@testable import Wire

func address(_ text: String) -> IPAddress? { IPAddress(Array(text.utf8).span) }

@Suite struct IPAddressTests {
  @Test(arguments: [
    ("127.0.0.1", IPAddress.v4(0x7F00_0001)), ("0.0.0.0", .v4(0)),
    ("255.255.255.255", .v4(0xFFFF_FFFF)), ("::", .v6(high: 0, low: 0)),
    ("::1", .v6(high: 0, low: 1)), ("1::", .v6(high: 0x0001_0000_0000_0000, low: 0)),
    ("2001:DB8::8:800:200C:417A", .v6(high: 0x2001_0DB8_0000_0000, low: 0x0008_0800_200C_417A)),
    ("1:2:3:4:5:6:7:8", .v6(high: 0x0001_0002_0003_0004, low: 0x0005_0006_0007_0008)),
    ("1:2:3:4:5:6:7::", .v6(high: 0x0001_0002_0003_0004, low: 0x0005_0006_0007_0000)),
    ("::2:3:4:5:6:7:8", .v6(high: 0x0000_0002_0003_0004, low: 0x0005_0006_0007_0008)),
    ("::ffff:1.2.3.4", .v6(high: 0, low: 0x0000_FFFF_0102_0304)),
    ("1:2:3:4:5:6:1.2.3.4", .v6(high: 0x0001_0002_0003_0004, low: 0x0005_0006_0102_0304)),
    ("64:ff9b::1.2.3.4", .v6(high: 0x0064_FF9B_0000_0000, low: 0x0102_0304)),
  ])
  func reads(_ text: String, _ expected: IPAddress) {
    #expect(address(text) == expected)
  }

  @Test(arguments: [
    "", ".", "1", "1.2", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "1..2.3", "256.1.1.1",
    "01.2.3.4", "1.2.3.04", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1",
    "1.2.3.4 ", " 1.2.3.4", "1.2.3.+4", "1.2.3.-4", "1.2.3.4a", "1,2,3,4", ":", ":::", "1:::2",
    "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
    "12345::", "g::", "1:", ":1", "fe80::1%eth0", "fe80::1%25eth0", "[::1]", "::1.2.3", "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "::0x1", "\u{FF11}.2.3.4",
  ])
  func refuses(_ text: String) {
    #expect(address(text) == nil)
  }

  @Test func readsNetworkOrder() {
    #expect(IPAddress(networkOrder: ([127, 0, 0, 1] as [UInt8]).span) == address("127.0.0.1"))
    let six: [UInt8] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]
    #expect(IPAddress(networkOrder: six.span) == address("2001:db8::9"))
    #expect(IPAddress(networkOrder: ([1, 2, 3] as [UInt8]).span) == nil)
  }

  @Test(arguments: [
    ("2130706433", true), ("127.1", true), ("0x7f.1", true), ("a.0x7f", true), ("1.2.3.4.", true),
    ("0x", true), ("1.2.3.400", true), ("a.1", true), ("1a", false), ("a.example", false),
    ("1.2.3.example", false), ("0xzz", false), ("", false), (".", false), ("x0", false),
  ])
  func knowsNumbersInDisguise(_ host: String, _ expected: Bool) {
    #expect(IPAddress.endsInNumber(Array(host.utf8).span) == expected)
  }

  @Test(arguments: [
    ("8.8.8.8", AddressClass.global), ("1.1.1.1", .global), ("172.15.255.255", .global),
    ("172.32.0.0", .global), ("100.63.255.255", .global), ("100.128.0.0", .global),
    ("169.253.255.255", .global), ("192.167.0.1", .global), ("223.255.255.255", .global),
    ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("0.0.0.0", .unspecified),
    ("0.1.2.3", .unspecified), ("10.0.0.1", .privateNetwork), ("10.255.255.255", .privateNetwork),
    ("172.16.0.1", .privateNetwork), ("172.31.255.255", .privateNetwork),
    ("192.168.0.1", .privateNetwork), ("169.254.0.1", .linkLocal), ("169.254.169.254", .metadata),
    ("100.100.100.200", .metadata), ("192.0.0.192", .metadata), ("168.63.129.16", .metadata),
    ("100.64.0.1", .carrierNAT), ("100.127.255.255", .carrierNAT), ("224.0.0.1", .multicast),
    ("239.255.255.255", .multicast), ("240.0.0.1", .reserved), ("255.255.255.255", .reserved),
    ("192.0.0.1", .reserved), ("192.0.2.1", .reserved), ("198.51.100.1", .reserved),
    ("203.0.113.1", .reserved), ("198.18.0.1", .reserved), ("198.19.255.255", .reserved),
    ("192.88.99.1", .reserved),
    ("2606:4700::1111", .global), ("2a00:1450::1", .global), ("::1", .loopback),
    ("::", .unspecified), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
    ("fc00::1", .privateNetwork), ("fdff::1", .privateNetwork), ("fec0::1", .privateNetwork),
    ("ff02::1", .multicast), ("fd00:ec2::254", .metadata), ("fd20:ce::254", .metadata),
    ("2001:db8::1", .reserved), ("3fff::1", .reserved), ("2001:2::1", .reserved),
    ("100::1", .reserved), ("64:ff9b:1::1", .reserved), ("5f00::1", .reserved),
    ("4000::1", .reserved), ("::2:0:0:1", .reserved),
    // IPv4 inside IPv6
    ("::ffff:127.0.0.1", .loopback), ("::ffff:8.8.8.8", .global),
    ("::ffff:169.254.169.254", .metadata), ("::ffff:0:10.0.0.1", .privateNetwork),
    ("::127.0.0.1", .loopback), ("::ffff:a00:1", .privateNetwork),
    ("64:ff9b::10.0.0.1", .privateNetwork), ("64:ff9b::8.8.8.8", .global),
    ("2002:7f00:1::", .loopback), ("2002:808:808::1", .global), ("2002:a9fe:a9fe::1", .metadata),
    ("2001:0:7f00:1::", .loopback),  // Teredo server
    ("2001:0:808:808::80ff:fffe", .loopback),  // Teredo client 127.0.0.1, inverted
    ("2001:0:808:808::f7f7:f7f7", .global),
  ])
  func classifies(_ text: String, _ expected: AddressClass) throws {
    let parsed = try #require(address(text))
    #expect(parsed.addressClass == expected)
  }
}
