// All SQL that reads or writes rows. A session takes nothing else, so a test can walk the cases and
// ask SQLite for the plan of each: none may scan a table or sort, but for a short list with reasons
// (CatalogSQLTests). The texts are beside this file, one extension per table.

/// One statement of the catalogue.
enum CatalogSQL: Hashable, CaseIterable {
  // Assets and blobs
  case assetByID, assetBySerial, assetsOfGeneration, assetsOnDigest, reusableAsset
  case insertAsset, changeAsset, deleteAsset, touchAsset
  case liveBlob, insertBlob, replaceFile, dropIfUnused
  case isBlocked, ownerBytes, tombstone, bury

  // Lists
  case place, newestSerial, creationFrom
  case scanAll, scanOwner, scanOwnerRetention, scanOwnerModel

  // Generations and keys
  case generationByID, generationByFingerprint, generationByKey, recordGeneration, markDelivered
  case keyByDigest, keyOfName, keys, insertKey, revokeKeys, useKey

  // Sums and notes
  case totals, totalsOfOwner, largestOwners, meta, setMeta, removeMeta

  // Collection
  case collectExpired, expiredCandidates, expiredSerials, countExpired, noteCollection
  case addChosen, clearChosen, addFreed, dropFreed, clearFreed
  case lastPerhapsUnused, addPerhapsUnused, perhapsUnused, forgetPerhapsUnused
  case blobsOfFolder, blobRow, nextBlob
  case countGenerations, countTombstones, countCollections
  case removeGenerations, removeTombstones, removeCollections

  /// What SQLite is given.
  var text: String {
    assetText ?? listText ?? recordText ?? sumText ?? collectionText ?? ""
  }

  /// The tables that the writer's session has for itself: the assets that a batch is to remove if
  /// they still meet the condition, and digests whose last asset may be gone.
  static let batchTables = """
    CREATE TEMP TABLE IF NOT EXISTS chosen (serial INTEGER NOT NULL PRIMARY KEY);
    CREATE TEMP TABLE IF NOT EXISTS freed (digest BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID;
    """
}

// MARK: - Assets and blobs

extension CatalogSQL {
  private static let assetColumns = """
    SELECT a.id, a.digest, b.tail, b.bytes, b.media_type, b.width, b.height, b.stored_at,
      a.owner, a.expires_at, a.pinned, a.created_at, a.last_access_at, a.model, a.generation,
      a.position
    FROM assets a JOIN blobs b ON b.digest = a.digest

    """

  private var assetText: String? {
    switch self {
    case .assetByID: Self.assetColumns + "WHERE a.id = ?1"
    case .assetBySerial: Self.assetColumns + "WHERE a.serial = ?1"
    case .assetsOfGeneration:
      Self.assetColumns + "WHERE a.generation = ?1 ORDER BY a.position, a.serial LIMIT 100"
    case .assetsOnDigest: "SELECT count(*) FROM assets WHERE digest = ?1"
    case .reusableAsset:
      """
      SELECT id FROM assets WHERE digest = ?1 AND owner = ?2 AND retention = ?3
      ORDER BY serial DESC LIMIT 1
      """
    case .insertAsset:
      """
      INSERT INTO assets (id, digest, bytes, owner, retention, pinned, created_at, expires_at,
        used_at, model, generation, position)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?9, ?10, ?11)
      """
    case .changeAsset:
      """
      UPDATE assets SET retention = ?2, expires_at = ?3, pinned = ?4,
        outlived = max(outlived, ?5)
      WHERE id = ?1
      """
    case .deleteAsset:
      """
      DELETE FROM assets WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)
      RETURNING digest, serial, owner, retention
      """
    case .touchAsset:
      """
      UPDATE assets SET last_access_at = max(ifnull(last_access_at, 0), ?2),
        used_at = max(used_at, ?2)
      WHERE id = ?1
      """
    default: blobText
    }
  }

  private var blobText: String? {
    switch self {
    case .liveBlob:
      "SELECT tail, bytes, media_type, width, height, stored_at FROM blobs WHERE digest = ?1"
    case .insertBlob:
      """
      INSERT INTO blobs (digest, tail, bytes, media_type, width, height, stored_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      """
    case .replaceFile: "UPDATE blobs SET tail = ?2 WHERE digest = ?1 AND bytes = ?3"
    case .dropIfUnused:
      """
      DELETE FROM blobs WHERE digest = ?1
        AND NOT EXISTS (SELECT 1 FROM assets WHERE digest = ?1)
      RETURNING tail, bytes
      """
    case .isBlocked: "SELECT 1 FROM blocked WHERE digest = ?1"
    case .ownerBytes: "SELECT bytes FROM owners WHERE owner = ?1"
    case .tombstone: "SELECT removed_at, reason, retention, owner FROM tombstones WHERE id = ?1"
    case .bury:
      """
      INSERT OR REPLACE INTO tombstones (id, removed_at, reason, serial, owner, retention)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      """
    default: nil
    }
  }
}

// MARK: - Lists

extension CatalogSQL {
  /// Every row that these step over is one step of the scan: what an index does not tell is a
  /// column, not a condition.
  private static let scan = """
    SELECT serial, id, owner, (?3 IS NULL OR retention = ?3) AND (?4 IS NULL OR model = ?4)
      AND created_at > ?5 AND created_at < ?6
    FROM assets WHERE serial >= ?1 AND serial < ?2
    """
  private static let newestFirst = " ORDER BY serial DESC"

  private var listText: String? {
    switch self {
    case .place:
      """
      SELECT serial FROM assets WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)
      UNION ALL
      SELECT serial FROM tombstones
        WHERE id = ?1 AND serial IS NOT NULL AND (?2 IS NULL OR owner = ?2)
      """
    case .newestSerial: "SELECT max(serial) FROM assets"
    case .creationFrom:
      "SELECT serial, created_at FROM assets WHERE serial >= ?1 ORDER BY serial LIMIT 1"
    case .scanAll: Self.scan + Self.newestFirst
    case .scanOwner: Self.scan + " AND owner = ?7" + Self.newestFirst
    case .scanOwnerRetention:
      Self.scan + " AND owner = ?7 AND retention = ?3" + Self.newestFirst
    case .scanOwnerModel: Self.scan + " AND owner = ?7 AND model = ?4" + Self.newestFirst
    default: nil
    }
  }
}

// MARK: - Generations and keys

extension CatalogSQL {
  private static let generationColumns = """
    SELECT id, owner, fingerprint, idempotency_key, status, answer, delivered, model, prompt,
      created_at, expires_at
    FROM generations

    """
  private static let keyColumns = """
    SELECT id, name, sha256, scopes, quota, response_format, retention, base64, created_at,
      revoked_at, last_used_at
    FROM keys

    """

  private var recordText: String? {
    switch self {
    case .generationByID: Self.generationColumns + "WHERE id = ?1"
    case .generationByFingerprint:
      Self.generationColumns
        + "WHERE owner = ?1 AND fingerprint = ?2 ORDER BY created_at DESC LIMIT 1"
    case .generationByKey:
      Self.generationColumns
        + "WHERE owner = ?1 AND idempotency_key = ?2 ORDER BY created_at DESC LIMIT 1"
    case .recordGeneration:
      """
      INSERT OR REPLACE INTO generations (id, owner, fingerprint, idempotency_key, status, answer,
        delivered, model, prompt, created_at, expires_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
      """
    case .markDelivered: "UPDATE generations SET delivered = 1 WHERE id = ?1"
    case .keyByDigest: Self.keyColumns + "WHERE sha256 = ?1 AND revoked_at IS NULL"
    case .keys: Self.keyColumns + "ORDER BY id"
    case .insertKey:
      """
      INSERT INTO keys (name, sha256, scopes, quota, response_format, retention, base64, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      """
    case .keyOfName: "SELECT id FROM keys WHERE name = ?1 AND (?2 IS NULL OR id = ?2) LIMIT 1"
    case .revokeKeys:
      """
      UPDATE keys SET revoked_at = ?2
      WHERE name = ?1 AND revoked_at IS NULL AND (?3 IS NULL OR id = ?3)
      """
    case .useKey:
      """
      UPDATE keys SET last_used_at = ?2
      WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)
      """
    default: nil
    }
  }
}

// MARK: - Sums and notes

extension CatalogSQL {
  private var sumText: String? {
    switch self {
    case .totals: "SELECT assets, asset_bytes, blobs, blob_bytes, disk_bytes FROM totals"
    case .totalsOfOwner: "SELECT assets, bytes FROM owners WHERE owner = ?1"
    case .largestOwners:
      "SELECT owner, assets, bytes FROM owners WHERE assets > 0 ORDER BY bytes DESC LIMIT ?1"
    case .meta: "SELECT value FROM meta WHERE name = ?1"
    case .setMeta: "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)"
    case .removeMeta: "DELETE FROM meta WHERE name = ?1"
    default: nil
    }
  }
}

// MARK: - Collection

extension CatalogSQL {
  /// The condition of `ExpiredPolicy`: the same text plans and deletes (G2).
  private static let isExpired = "expires_at IS NOT NULL AND pinned = 0 AND expires_at <= ?1"
  private static let inOrder = "ORDER BY expires_at, serial LIMIT ?2"
  private static let collected = "id, digest, bytes, expires_at, outlived, serial, owner, retention"

  private var collectionText: String? {
    switch self {
    case .collectExpired:
      """
      DELETE FROM assets NOT INDEXED WHERE serial IN (SELECT serial FROM temp.chosen)
        AND \(Self.isExpired)
      RETURNING \(Self.collected)
      """
    case .expiredCandidates:
      // Behind (?3, ?4). Not as a comparison of two pairs: SQLite looks up its first half only, and
      // thousands may end in the same second.
      """
      SELECT \(Self.collected) FROM assets
      WHERE \(Self.isExpired) AND expires_at = ?3 AND serial > ?4
      UNION ALL
      SELECT \(Self.collected) FROM assets WHERE \(Self.isExpired) AND expires_at > ?3
      \(Self.inOrder)
      """
    case .expiredSerials: "SELECT serial FROM assets WHERE \(Self.isExpired) \(Self.inOrder)"
    case .countExpired: "SELECT count(*) FROM assets WHERE \(Self.isExpired)"
    case .noteCollection:
      """
      INSERT INTO collections (policy, started_at, milliseconds, assets, blobs, bytes)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      """
    case .addChosen: "INSERT OR IGNORE INTO temp.chosen (serial) VALUES (?1)"
    case .clearChosen: "DELETE FROM temp.chosen"
    case .addFreed: "INSERT OR IGNORE INTO temp.freed (digest) VALUES (?1)"
    case .dropFreed:
      """
      DELETE FROM blobs WHERE digest IN (SELECT digest FROM temp.freed)
        AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.digest = blobs.digest)
      RETURNING digest, tail, bytes
      """
    case .clearFreed: "DELETE FROM temp.freed"
    case .lastPerhapsUnused: "SELECT max(id) FROM perhaps_unused"
    case .addPerhapsUnused: "INSERT INTO perhaps_unused (digest) VALUES (?1)"
    case .perhapsUnused: "SELECT digest FROM perhaps_unused WHERE id BETWEEN ?1 AND ?2"
    case .forgetPerhapsUnused: "DELETE FROM perhaps_unused WHERE id BETWEEN ?1 AND ?2"
    case .blobsOfFolder:
      """
      SELECT digest, tail, bytes, stored_at,
        NOT EXISTS (SELECT 1 FROM assets WHERE digest = b.digest)
      FROM blobs b WHERE digest BETWEEN ?1 AND ?2
      """
    case .nextBlob:
      "SELECT digest, tail, bytes FROM blobs WHERE digest > ?1 ORDER BY digest LIMIT 1"
    case .blobRow: "SELECT 1 FROM blobs WHERE digest = ?1 AND tail = ?2"
    default: oldRecordsText
    }
  }

  private var oldRecordsText: String? {
    switch self {
    case .countGenerations: Self.count("generations", "expires_at")
    case .countTombstones: Self.count("tombstones", "removed_at")
    case .countCollections: Self.count("collections", "started_at")
    case .removeGenerations: Self.remove("generations", "expires_at")
    case .removeTombstones: Self.remove("tombstones", "removed_at")
    case .removeCollections: Self.remove("collections", "started_at")
    default: nil
    }
  }

  private static func count(_ table: String, _ time: String) -> String {
    "SELECT count(*) FROM \(table) WHERE \(time) <= ?1"
  }

  private static func remove(_ table: String, _ time: String) -> String {
    """
    DELETE FROM \(table) WHERE id IN
      (SELECT id FROM \(table) WHERE \(time) <= ?1 ORDER BY \(time) LIMIT ?2)
    """
  }
}
