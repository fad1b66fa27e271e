// Which addresses a fetch on someone's behalf may reach (API.md §6): the special-purpose registries
// of RFC 6890 and IANA, with the forms that carry an IPv4 address inside an IPv6 one taken apart
// and judged again.

/// What kind of network an address belongs to.
public enum AddressClass: Sendable, Equatable, CaseIterable {
  /// An ordinary address of the internet; the only class that is not refused.
  case global
  /// This host: 127.0.0.0/8, ::1.
  case loopback
  /// No address: 0.0.0.0/8, ::.
  case unspecified
  /// A private network: RFC 1918, RFC 4193 (fc00::/7), site-local fec0::/10.
  case privateNetwork
  /// The local link: 169.254.0.0/16, fe80::/10.
  case linkLocal
  /// Behind a carrier's NAT: 100.64.0.0/10 (RFC 6598).
  case carrierNAT
  /// A group: 224.0.0.0/4, ff00::/8.
  case multicast
  /// A cloud's metadata service.
  case metadata
  /// Reserved, documentation, benchmarking, discard or broadcast.
  case reserved
}

extension IPAddress {
  /// The class of the address. An IPv6 address that carries an IPv4 one (mapped, compatible,
  /// NAT64, 6to4, Teredo) has the IPv4 address's class.
  public var addressClass: AddressClass {
    switch self {
    case .v4(let address): Self.classify(address)
    case .v6(let high, let low): Self.classify(high, low)
    }
  }

  private static func classify(_ address: UInt32) -> AddressClass {
    func isIn(_ network: UInt32, _ bits: UInt32) -> Bool { (address ^ network) >> (32 - bits) == 0 }
    // AWS, GCP, Azure, and most others; Alibaba; Oracle; Azure's wire server.
    let metadata: [UInt32] = [0xA9FE_A9FE, 0x6464_64C8, 0xC000_00C0, 0xA83F_8110]
    if metadata.contains(address) { return .metadata }
    if isIn(0x7F00_0000, 8) { return .loopback }
    if isIn(0, 8) { return .unspecified }
    if isIn(0x0A00_0000, 8) || isIn(0xAC10_0000, 12) || isIn(0xC0A8_0000, 16) {
      return .privateNetwork
    }
    if isIn(0xA9FE_0000, 16) { return .linkLocal }
    if isIn(0x6440_0000, 10) { return .carrierNAT }
    if isIn(0xE000_0000, 4) { return .multicast }
    let reserved: [(UInt32, UInt32)] = [
      (0xC000_0000, 24),  // IETF protocol assignments, RFC 6890
      (0xC000_0200, 24), (0xC633_6400, 24), (0xCB00_7100, 24),  // documentation, RFC 5737
      (0xC058_6300, 24),  // 6to4 relays, RFC 7526
      (0xC612_0000, 15),  // benchmarking, RFC 2544
      (0xF000_0000, 4),  // reserved and broadcast, RFC 1112
    ]
    for (network, bits) in reserved where isIn(network, bits) { return .reserved }
    return .global
  }

  private static func classify(_ high: UInt64, _ low: UInt64) -> AddressClass {
    let embedded = UInt32(truncatingIfNeeded: low)
    if high == 0 {
      if low == 1 { return .loopback }
      if low == 0 { return .unspecified }
      // ::ffff:0:0/96 mapped, ::ffff:0:0:0/96 translated (RFC 2765), ::/96 compatible.
      if [0xFFFF, 0xFFFF_0000, 0].contains(low >> 32) { return classify(embedded) }
      return .reserved
    }
    // fd00:ec2::254 (AWS), fd20:ce::254 (GCP)
    if (high == 0xFD00_0EC2_0000_0000 || high == 0xFD20_00CE_0000_0000) && low == 0x254 {
      return .metadata
    }
    switch high >> 48 {
    case 0x0064 where high == 0x0064_FF9B_0000_0000 && low >> 32 == 0:
      return classify(embedded)  // NAT64, RFC 6052
    case 0x2002:  // 6to4, RFC 3056
      return classify(UInt32(truncatingIfNeeded: high >> 16))
    case 0x2001 where high >> 32 == 0x2001_0000:  // Teredo, RFC 4380: server, and client inverted
      let server = classify(UInt32(truncatingIfNeeded: high))
      return server == .global ? classify(~embedded) : server
    case 0xFF00...: return .multicast
    case 0xFE80...0xFEBF: return .linkLocal
    case 0xFC00...0xFDFF, 0xFEC0...0xFEFF: return .privateNetwork
    default: return reservedOrGlobal(high)
    }
  }

  /// Only 2000::/3 is given out; within it, IANA keeps some blocks back.
  private static func reservedOrGlobal(_ high: UInt64) -> AddressClass {
    guard high >> 61 == 1 else { return .reserved }  // 64:ff9b:1::/48, 100::/64, 5f00::/16 too
    let isAssignment = high >> 41 == 0x2001_0000_0000_0000 >> 41  // 2001::/23, RFC 2928
    let isDocumentation =
      high >> 32 == 0x2001_0DB8 || high >> 44 == 0x3FFF_0000_0000_0000 >> 44  // RFC 3849, RFC 9637
    return isAssignment || isDocumentation ? .reserved : .global
  }
}

extension IPAddress {
  /// An IPv4-mapped address (::ffff:a.b.c.d, as dual-stack sockets report peers) as IPv4.
  public var unmapped: IPAddress {
    guard case .v6(0, let low) = self, low >> 32 == 0xFFFF else { return self }
    return .v4(UInt32(truncatingIfNeeded: low))
  }
}
