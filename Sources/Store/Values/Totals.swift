/// The sums over the whole store.
public struct StoreTotals: Sendable, Hashable {
  /// Assets, expired ones too.
  public let assets: Int
  /// Logical bytes: every asset counts its image.
  public let assetBytes: Int64
  /// Files.
  public let blobs: Int
  /// Bytes of the files.
  public let blobBytes: Int64
  /// What the disk gives for the files, in blocks of 4 KiB.
  public let diskBytes: Int64
}

/// The sums of one owner.
public struct OwnerTotals: Sendable, Hashable {
  /// Who.
  public let owner: Owner
  /// Assets, expired ones too.
  public let assets: Int
  /// Logical bytes.
  public let bytes: Int64
}
