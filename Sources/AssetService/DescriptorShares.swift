/// How the descriptors that this process may have are shared out: where there are few, connections
/// wait in the kernel's queue rather than take those that their answers need.
struct DescriptorShares: Sendable {
  /// Connections at once, in all.
  let connections: Int
  /// Assets that one loop keeps open.
  let openAssets: Int

  /// What the store, the loops and their listeners have open: 50 with two loops and one address.
  private static func own(_ loops: Int) -> Int { 34 + 8 * loops }

  /// A quarter is for open assets, an eighth for uploads and upstreams. Readers of more different
  /// assets at once than that make use of the whole: an asset that can not be opened is 503.
  init(of limit: Int, loops: Int) {
    let free = max(0, limit - Self.own(loops))
    openAssets = max(1, free / 4 / max(1, loops))
    connections = max(4, free - free / 4 - free / 8)
  }
}
