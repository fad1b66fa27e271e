// Writing assets and blobs; always inside the writer's transaction.
internal import Crypto
internal import SQLite
internal import Wire

/// A blob whose row is gone: its file goes once that is durable (invariant 3).
struct FreedBlob: Sendable {
  let name: BlobName
  let bytes: Int64

  var diskBytes: Int64 { Disk.blocks(bytes) }
}

/// What a tombstone keeps of an asset's row.
struct AssetPlace: Sendable {
  let serial: Int64
  let owner: String
  let retention: String
}

extension AssetPlace {
  /// serial, owner, retention; `first` is the column of the serial.
  init(row: Statement, from first: Int) {
    self.init(
      serial: row.integer(first), owner: row.text(first + 1), retention: row.text(first + 2))
  }
}

/// What one insertion did.
struct Insertion: Sendable {
  let published: PublishedAsset
  /// Whether a row now names the file that came with it; if not, that file is not needed.
  let usesFile: Bool
  /// The damaged file that the row named before; it goes.
  var replaced: FreedBlob?
}

extension CatalogSession {
  /// Adds an asset of these bytes (invariant 7: a live row of the same digest is used, in the same
  /// transaction that makes the asset depend on it).
  ///
  /// - Parameter isWhole: whether the file of a blob is what its row says; if it is not, the new
  ///   file takes its place for all assets on these bytes.
  func insert(
    _ blob: Blob, as new: NewAsset, id: AssetID = .random(), now: Int64,
    isWhole: (Blob) -> Bool = { _ in true }
  ) throws(StoreFailure) -> Insertion {
    if try isBlocked(blob.digest) {
      throw StoreFailure(.publish, .blocked, subject: blob.digest.hex)
    }
    let live = try liveBlob(blob.digest)
    var replaced: FreedBlob?
    if let live, !isWhole(live) {
      try replace(live, with: blob)
      replaced = FreedBlob(name: live.name, bytes: live.bytes)
    }
    let usesFile = live == nil || replaced != nil
    if new.reuse, let asset = try renew(blob.digest, as: new) {
      return Insertion(
        published: PublishedAsset(asset: asset, isNew: false), usesFile: usesFile,
        replaced: replaced)
    }
    try checkQuota(new, adding: blob.bytes)
    if live == nil { try insert(blob) }
    let used = usesFile ? blob : live ?? blob
    let asset = try insertAsset(used, new, id, now)
    return Insertion(
      published: PublishedAsset(asset: asset, isNew: true), usesFile: usesFile, replaced: replaced)
  }

  /// Lets the row name another file of the same bytes.
  ///
  /// - Throws: `.damaged` when the row says another size than these bytes have: the row is what is
  ///   wrong then, and the file that it names stays.
  private func replace(_ damaged: Blob, with blob: Blob) throws(StoreFailure) {
    let changed = try catalog(.publish) { () throws(SQLiteFailure) in
      try run(.replaceFile) {
        $0.bind(1, damaged.digest)
        $0.bind(2, Int64(blob.name.tail))
        $0.bind(3, blob.bytes)
      }
    }
    guard changed == 1 else {
      throw StoreFailure(
        .publish, .damaged, subject: blob.digest.hex,
        hint: "its row says \(damaged.bytes) bytes, and it has \(blob.bytes)")
    }
    freed.append(FreedBlob(name: damaged.name, bytes: damaged.bytes))
  }

  /// Whether these bytes were taken down.
  func isBlocked(_ digest: Digest) throws(StoreFailure) -> Bool {
    try catalog(.publish) { () throws(SQLiteFailure) in
      try one(.isBlocked, { $0.bind(1, digest) }, { _ in true })
    } ?? false
  }

  private func renew(_ digest: Digest, as new: NewAsset) throws(StoreFailure) -> Asset? {
    let id = try catalog(.publish) { () throws(SQLiteFailure) in
      try one(.reusableAsset) {
        $0.bind(1, digest)
        $0.bind(2, new.owner.name)
        $0.bind(3, new.lifetime.retention.rawValue)
      } _: {
        $0.id(0, AssetID.self)
      }
    }
    guard let found = id, let id = found, new.passing?.contains(id) != true,
      let asset = try asset(id)
    else { return nil }
    let lifetime = asset.lifetime.extended(by: new.lifetime)
    if lifetime == asset.lifetime { return asset }
    return try change(id, owner: nil, AssetChange(lifetime: lifetime))
  }

  private func checkQuota(_ new: NewAsset, adding bytes: Int64) throws(StoreFailure) {
    guard let quota = new.quota else { return }
    let used = try catalog(.publish) { () throws(SQLiteFailure) in
      try one(.ownerBytes, { $0.bind(1, new.owner.name) }, { $0.integer(0) })
    }
    let taken = (used ?? 0) + new.promised
    guard taken + bytes <= quota else {
      throw StoreFailure(
        .publish, .full(.quota), subject: new.owner.name,
        figures: SpaceFigures(used: taken, limit: quota, asked: bytes))
    }
  }

  private func liveBlob(_ digest: Digest) throws(StoreFailure) -> Blob? {
    let row = try catalog(.publish) { () throws(SQLiteFailure) in
      try one(.liveBlob, { $0.bind(1, digest) }, { Blob(digest, row: $0) })
    }
    guard let row else { return nil }
    guard let blob = row else { throw StoreFailure(.publish, .damaged, subject: digest.hex) }
    return blob
  }

  private func insert(_ blob: Blob) throws(StoreFailure) {
    _ = try catalog(.publish) { () throws(SQLiteFailure) in
      try run(.insertBlob) {
        $0.bind(1, blob.digest)
        $0.bind(2, Int64(blob.name.tail))
        $0.bind(3, blob.bytes)
        $0.bind(4, blob.image.mediaType.contentType)
        $0.bind(5, Int64(blob.image.width))
        $0.bind(6, Int64(blob.image.height))
        $0.bind(7, blob.storedAt)
      }
    }
  }

  private func insertAsset(
    _ blob: Blob, _ new: NewAsset, _ id: AssetID, _ now: Int64
  ) throws(StoreFailure) -> Asset {
    _ = try catalog(.publish) { () throws(SQLiteFailure) in
      try run(.insertAsset) {
        $0.bind(1, id)
        $0.bind(2, blob.digest)
        $0.bind(3, blob.bytes)
        $0.bind(4, new.owner.name)
        $0.bind(5, new.lifetime.retention.rawValue)
        $0.bind(6, new.isPinned ? 1 : 0)
        $0.bind(7, now)
        $0.bind(8, new.lifetime.expiresAt)
        $0.bind(9, new.model)
        if let generation = new.generation { $0.bind(10, generation) }
        $0.bind(11, Int64(new.index))
      }
    }
    return Asset(
      id: id, blob: blob, owner: new.owner, lifetime: new.lifetime, isPinned: new.isPinned,
      createdAt: now, lastAccessAt: nil, model: new.model, generation: new.generation,
      index: new.index)
  }

  /// Changes an asset; `nil` when there is none, or it is another owner's.
  func change(
    _ id: AssetID, owner: Owner?, _ change: AssetChange
  ) throws(StoreFailure) -> Asset? {
    guard let asset = try asset(id), owner == nil || asset.owner == owner else { return nil }
    let lifetime = change.lifetime ?? asset.lifetime
    _ = try catalog(.change) { () throws(SQLiteFailure) in
      try run(.changeAsset) {
        $0.bind(1, id)
        $0.bind(2, lifetime.retention.rawValue)
        $0.bind(3, lifetime.expiresAt)
        $0.bind(4, change.isPinned ?? asset.isPinned ? 1 : 0)
        $0.bind(5, lifetime.endsBefore(asset.lifetime) ? 1 : 0)
      }
    }
    return try self.asset(id)
  }

  /// Removes an asset; `nil` when there is none, or it is another owner's. The blob's row goes with
  /// its last asset.
  func delete(
    _ id: AssetID, owner: Owner?, _ reason: RemovalReason, now: Int64
  ) throws(StoreFailure) -> (removed: Bool, freed: FreedBlob?) {
    let row = try catalog(.delete) { () throws(SQLiteFailure) in
      try all(.deleteAsset) {
        $0.bind(1, id)
        $0.bind(2, owner?.name)
      } _: {
        (digest: $0.digest(0), place: AssetPlace(row: $0, from: 1))
      }
    }.first
    guard let row, let digest = row.digest else { return (false, nil) }
    try bury(id, row.place, reason, now: now)
    return (true, try dropIfUnused(digest))
  }

  /// Notes that an asset was removed.
  func bury(
    _ id: AssetID, _ place: AssetPlace, _ reason: RemovalReason, now: Int64
  ) throws(StoreFailure) {
    _ = try catalog(.delete) { () throws(SQLiteFailure) in
      try run(.bury) {
        $0.bind(1, id)
        $0.bind(2, now)
        $0.bind(3, reason.rawValue)
        $0.bind(4, place.serial)
        $0.bind(5, place.owner)
        $0.bind(6, place.retention)
      }
    }
  }

  /// Removes the blob's row when no asset is left on it.
  func dropIfUnused(_ digest: Digest) throws(StoreFailure) -> FreedBlob? {
    let dropped = try catalog(.delete) { () throws(SQLiteFailure) in
      try all(.dropIfUnused, { $0.bind(1, digest) }) {
        FreedBlob(
          name: BlobName(digest: digest, tail: UInt32(truncatingIfNeeded: $0.integer(0))),
          bytes: $0.integer(1))
      }
    }.first
    if let dropped { freed.append(dropped) }
    return dropped
  }

  /// Notes when assets were last fetched.
  func touch(_ accesses: ArraySlice<(id: AssetID, at: Int64)>) throws(StoreFailure) {
    try catalog(.record) { () throws(SQLiteFailure) in
      for access in accesses {
        try run(.touchAsset) {
          $0.bind(1, access.id)
          $0.bind(2, access.at)
        }
      }
    }
  }
}

extension AssetID {
  /// An id that nobody can guess.
  static func random() -> AssetID {
    let random = SystemRandom.bytes16()
    guard let id = AssetID(bytes: random.span) else { preconditionFailure("16 bytes are an id") }
    return id
  }
}

extension Blob {
  /// tail, bytes, media_type, width, height, stored_at; `nil` when they make no sense.
  fileprivate init?(_ digest: Digest, row: Statement) {
    guard let tail = UInt32(exactly: row.integer(0)),
      let mediaType = MediaType(contentType: row.text(2)),
      let width = Int(exactly: row.integer(3)), let height = Int(exactly: row.integer(4)),
      let image = ImageFacts(mediaType: mediaType, width: width, height: height)
    else { return nil }
    self.init(
      name: BlobName(digest: digest, tail: tail), bytes: row.integer(1), image: image,
      storedAt: row.integer(5))
  }
}
