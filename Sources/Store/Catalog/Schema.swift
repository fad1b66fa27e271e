// The catalogue's schema. Times are unix seconds, sizes are bytes, ids and digests are BLOBs.
// What is listed here was released: it changes only by another migration.

/// The catalogue's migrations; their number is the schema's version (PRAGMA user_version).
enum Schema {
  static let migrations = [version1, version2, version3, version4, version5]

  static let version1 = """
    CREATE TABLE blobs (
      digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
      tail INTEGER NOT NULL CHECK (tail BETWEEN 0 AND 4294967295),
      -- The file under blobs/: costs no space, for people and other programs.
      file TEXT NOT NULL GENERATED ALWAYS AS (lower(hex(digest)) || printf('-%08x', tail)) VIRTUAL,
      bytes INTEGER NOT NULL CHECK (bytes >= 0),
      media_type TEXT NOT NULL,
      width INTEGER NOT NULL,
      height INTEGER NOT NULL,
      stored_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE assets (
      -- In the order of creation: what lists page through.
      serial INTEGER NOT NULL PRIMARY KEY,
      id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
      digest BLOB NOT NULL REFERENCES blobs (digest),
      -- As in blobs, so that an owner's sums and the order of collection need no second look.
      bytes INTEGER NOT NULL,
      owner TEXT NOT NULL,
      retention TEXT NOT NULL CHECK (retention IN ('temporary', 'permanent')),
      pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
      created_at INTEGER NOT NULL,
      expires_at INTEGER CHECK ((expires_at IS NULL) = (retention = 'permanent')),
      -- Creation until the first fetch, so that the order of collection is one index.
      used_at INTEGER NOT NULL,
      last_access_at INTEGER,
      model TEXT,
      generation BLOB,
      position INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX assets_by_digest ON assets (digest);
    CREATE INDEX assets_by_owner ON assets (owner, serial);
    CREATE INDEX assets_by_expiry ON assets (expires_at, serial)
      WHERE expires_at IS NOT NULL AND pinned = 0;
    CREATE INDEX assets_by_use ON assets (retention, used_at, serial) WHERE pinned = 0;
    CREATE INDEX assets_by_owner_use ON assets (owner, used_at, serial) WHERE pinned = 0;
    CREATE INDEX assets_by_generation ON assets (generation) WHERE generation IS NOT NULL;

    CREATE TABLE generations (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      owner TEXT NOT NULL,
      fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
      idempotency_key TEXT,
      status TEXT NOT NULL
        CHECK (status IN ('queued', 'in_progress', 'completed', 'failed', 'cancelled')),
      answer BLOB,
      delivered INTEGER NOT NULL DEFAULT 0,
      model TEXT,
      prompt TEXT,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX generations_by_fingerprint ON generations (owner, fingerprint, created_at);
    CREATE INDEX generations_by_key ON generations (owner, idempotency_key)
      WHERE idempotency_key IS NOT NULL;
    CREATE INDEX generations_by_expiry ON generations (expires_at);

    CREATE TABLE keys (
      id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
      scopes TEXT NOT NULL,
      quota INTEGER,
      response_format TEXT,
      retention TEXT,
      base64 TEXT,
      created_at INTEGER NOT NULL,
      revoked_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_at IS NULL;

    CREATE TABLE tombstones (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      removed_at INTEGER NOT NULL,
      reason TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tombstones_by_age ON tombstones (removed_at);

    CREATE TABLE blocked (
      digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
      blocked_at INTEGER NOT NULL,
      reason TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE collections (
      id INTEGER NOT NULL PRIMARY KEY,
      policy TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      milliseconds INTEGER NOT NULL,
      assets INTEGER NOT NULL,
      blobs INTEGER NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX collections_by_age ON collections (started_at);

    CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

    -- Sums, kept by triggers: in the same transaction as what they sum, whoever changes it.
    CREATE TABLE totals (
      assets INTEGER NOT NULL, asset_bytes INTEGER NOT NULL,
      blobs INTEGER NOT NULL, blob_bytes INTEGER NOT NULL, disk_bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO totals VALUES (0, 0, 0, 0, 0);
    CREATE TABLE owners (
      owner TEXT NOT NULL PRIMARY KEY, assets INTEGER NOT NULL, bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
      UPDATE totals SET blobs = blobs + 1, blob_bytes = blob_bytes + NEW.bytes,
        disk_bytes = disk_bytes + (NEW.bytes + 4095) / 4096 * 4096;
    END;
    CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
      UPDATE totals SET blobs = blobs - 1, blob_bytes = blob_bytes - OLD.bytes,
        disk_bytes = disk_bytes - (OLD.bytes + 4095) / 4096 * 4096;
    END;
    CREATE TRIGGER asset_added AFTER INSERT ON assets BEGIN
      UPDATE totals SET assets = assets + 1, asset_bytes = asset_bytes + NEW.bytes;
      INSERT INTO owners VALUES (NEW.owner, 1, NEW.bytes) ON CONFLICT (owner) DO
        UPDATE SET assets = assets + 1, bytes = bytes + NEW.bytes;
    END;
    CREATE TRIGGER asset_removed AFTER DELETE ON assets BEGIN
      UPDATE totals SET assets = assets - 1, asset_bytes = asset_bytes - OLD.bytes;
      UPDATE owners SET assets = assets - 1, bytes = bytes - OLD.bytes WHERE owner = OLD.owner;
    END;
    """

  /// Removed assets keep their place in lists, and it is known whether their ids were public.
  static let version2 = """
    ALTER TABLE tombstones ADD COLUMN serial INTEGER;
    ALTER TABLE tombstones ADD COLUMN owner TEXT;
    ALTER TABLE tombstones ADD COLUMN retention TEXT;
    """

  /// Every statement follows an index to the end: lists with filters, the reuse of an owner's asset
  /// among many on the same bytes, the newest generation of a key. The indexes of policies that do
  /// not exist yet go: each deletion and each fetch paid for them. An asset whose life was cut
  /// short says so, because links that were made before may name a later end.
  static let version3 = """
    ALTER TABLE assets ADD COLUMN outlived INTEGER NOT NULL DEFAULT 0 CHECK (outlived IN (0, 1));
    DROP INDEX assets_by_use;
    DROP INDEX assets_by_owner_use;
    DROP INDEX assets_by_digest;
    CREATE INDEX assets_by_digest ON assets (digest, owner, retention, serial);
    CREATE INDEX assets_by_owner_retention ON assets (owner, retention, serial);
    CREATE INDEX assets_by_owner_model ON assets (owner, model, serial) WHERE model IS NOT NULL;
    DROP INDEX generations_by_key;
    CREATE INDEX generations_by_key ON generations (owner, idempotency_key, created_at)
      WHERE idempotency_key IS NOT NULL;
    -- An owner may have several good keys: the next one before the last one is revoked.
    DROP INDEX keys_by_name;
    CREATE INDEX keys_by_name ON keys (name);
    """

  /// Whether an owner's old key is still in use, once there is a new one.
  static let version4 = "ALTER TABLE keys ADD COLUMN last_used_at INTEGER;"

  /// Bytes that lost an asset to a collection, until it has looked whether they have another one:
  /// it takes assets in the order of their rows and blobs in the order of theirs.
  static let version5 = """
    CREATE TABLE perhaps_unused (
      id INTEGER NOT NULL PRIMARY KEY,
      digest BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT;
    """
}
