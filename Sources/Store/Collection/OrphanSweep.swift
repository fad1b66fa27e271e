// Files that no row names, rows that no asset names, and what is left in `incoming/`.
//
// A crash between the rename and the commit leaves a file (invariant 4), a failed unlink too, also
// of a file that was put into `quarantine/`. For each file the order is: in flight? then row? then
// age? An ingest unmarks its name only after its commit, so the other way round a file could be
// seen before its row and after its mark.
internal import Crypto
internal import Kernel

/// Finds orphans in one folder after the other.
struct OrphanSweep {
  let policy: String
  /// Seconds that an orphan must be old.
  let grace: Int64
  let now: Int64
  let files: StoreFiles
  let session: CatalogSession
  /// What a start was in doubt of.
  var doubt: SweepDoubt?
  /// Of a dry run: bytes whose rows a collection takes before it sweeps.
  var taken: Set<Digest> = []

  /// What was found.
  enum Orphan {
    /// A file without a row.
    case file(BlobName, bytes: Int64, modified: Int64)
    /// A row without assets, and its file.
    case row(UnusedBlob)
    /// A file in `incoming/` that no ingest of ours writes.
    case incoming(String, bytes: Int64)
  }

  /// What one folder has.
  struct Folder {
    var orphans: [Orphan] = []
    /// Files, orphans among them.
    var files = 0
    /// Whether not all of it could be looked at.
    var hasGap = false
  }

  /// One of the 256 folders. What can not be looked at is noted and left alone: the other files do
  /// not wait for it.
  func folder(_ number: Int) throws(StoreFailure) -> Folder {
    let found = try unnamed(inFolder: number)
    var folder = Folder(files: found.count, hasGap: found.gap != nil)
    folder.orphans = found.unused
      .filter { $0.storedAt <= now - grace && !taken.contains($0.name.digest) }.map(Orphan.row)
    for file in found.files where file.status.modified <= now - grace {
      folder.orphans.append(
        .file(file.name, bytes: file.status.bytes, modified: file.status.modified))
    }
    return folder
  }

  /// What no row names, and no asset, in one of the 256 folders.
  struct Unnamed {
    var files: [(name: BlobName, status: FileStatus)] = []
    var unused: [UnusedBlob] = []
    /// All files, without those in `quarantine/`.
    var count = 0
    /// Why not all of it could be looked at; `nil` when it was.
    var gap: Errno?
  }

  func unnamed(inFolder number: Int) throws(StoreFailure) -> Unnamed {
    var found = Unnamed()
    let names = readable(Layout.blobs + "/" + Layout.folder(number), &found.gap) {
      () throws(Errno) in
      try files.folders.blobs.names(inFolder: number)
    }
    guard let names else { return found }
    let putAway = readable(Layout.quarantine, &found.gap) { () throws(Errno) in
      try files.quarantined(inFolder: number)
    }
    found.count = names.count
    // Read after the names: a name whose row came in between is among the rows.
    let rows = try session.blobRows(inFolder: number)
    found.unused = rows.unused
    for name in names + (putAway ?? []) where !rows.names.contains(name) {
      if files.inFlight.contains(name) { continue }
      if try session.hasRow(name) { continue }
      let status = readable(Layout.blobs + "/" + name.path, &found.gap) { () throws(Errno) in
        try files.status(name)
      }
      if let status = status ?? nil, status.kind == .regular { found.files.append((name, status)) }
    }
    return found
  }

  /// What is left in `incoming/`.
  func leftovers() -> [Orphan] {
    var orphans: [Orphan] = []
    var gap: Errno?
    let names = readable(Layout.incoming, &gap) { () throws(Errno) in
      try files.folders.incoming.names()
    }
    for name in (names ?? []).sorted() where !files.inFlight.contains(incoming: name) {
      let status = readable(Layout.incoming + "/" + name, &gap) { () throws(Errno) in
        try files.folders.incoming.status(of: name)
      }
      guard let status = status ?? nil, status.kind == .regular, status.modified <= now - grace
      else { continue }
      orphans.append(.incoming(name, bytes: status.bytes))
    }
    return orphans
  }

  /// - Parameters:
  ///   - path: what is read, from the store's folder.
  ///   - gap: the first failure.
  private func readable<Value>(
    _ path: String, _ gap: inout Errno?, _ read: () throws(Errno) -> Value
  ) -> Value? {
    do throws(Errno) { return try read() } catch {
      gap = gap ?? error
      files.health.noteFailedRead(error, of: path)
      return nil
    }
  }

  /// The line of a report for it.
  func item(_ orphan: Orphan) -> CollectionItem {
    switch orphan {
    case .file(let name, let bytes, _): item(name.digest, bytes, "a file without a row")
    case .row(let blob): item(blob.name.digest, blob.bytes, "a blob without an asset")
    case .incoming(_, let bytes): item(nil, bytes, "left over in incoming/")
    }
  }

  private func item(_ digest: Digest?, _ bytes: Int64, _ reason: String) -> CollectionItem {
    CollectionItem(policy: policy, id: nil, digest: digest, bytes: bytes, reason: reason)
  }
}
