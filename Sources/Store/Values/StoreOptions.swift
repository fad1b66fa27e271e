public import Kernel

/// How a store is opened.
public struct StoreOptions: Sendable {
  /// `storage.root`; made when it is missing.
  public var root: String
  /// `storage.max_bytes`: the hard limit, in bytes of disk; `nil` for none.
  public var maxBytes: Int64?
  /// `storage.min_free_bytes`: what is left free on the disk.
  public var minFreeBytes: Int64
  /// `limits.image_bytes`, `limits.image_pixels`.
  public var limits: ImageLimits
  /// `storage.keyring_file`; `nil` for `keyring.json` in the root.
  public var keyringFile: String?
  /// `storage.scrub`; `nil`: off.
  public var scrub: ScrubPace?
  /// The first key ring's bytes, asked for when there is neither a key ring nor a catalogue yet.
  public var newKeyring: @Sendable () -> [UInt8]
  /// The wall clock, in unix seconds.
  public var now: @Sendable () -> Int64
  /// Hears that a catalogue of an older program is about to be brought from one version of the
  /// schema to another, which takes a minute for some millions of assets.
  public var migrating: @Sendable (_ from: Int, _ to: Int) -> Void = { _, _ in }
  /// Hears of damage, on any thread; must not wait for anything.
  public var report: @Sendable (StoreEvent) -> Void = { _ in }
  /// The disk's free bytes; `nil` asks the disk. For tests.
  public var freeBytes: (@Sendable () -> Int64)?
  /// Whether reading may wait; `nil` asks the disk. For tests.
  public var diskWaiting: DiskWaiting?
  /// How long a call may wait for the disk before the store says that the disk does not answer, in
  /// nanoseconds: longer than a busy disk takes for a small read or write.
  public var stallLimit: Int64 = 10_000_000_000
  /// How the catalogue is looked through; for tests.
  var check = CatalogueCheck.Manner()

  /// Options; see the properties. Defaults are the configuration's.
  public init(
    root: String, maxBytes: Int64? = nil, minFreeBytes: Int64 = 1 << 30,
    limits: ImageLimits = ImageLimits(), keyringFile: String? = nil,
    newKeyring: @escaping @Sendable () -> [UInt8],
    now: @escaping @Sendable () -> Int64 = { SystemClock.wallSeconds }
  ) {
    self.root = root
    self.maxBytes = maxBytes
    self.minFreeBytes = minFreeBytes
    self.limits = limits
    self.keyringFile = keyringFile
    self.newKeyring = newKeyring
    self.now = now
  }
}
