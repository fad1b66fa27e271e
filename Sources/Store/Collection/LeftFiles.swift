// What a stop did not get to: files of a collection whose rows are durably gone. The next start
// removes them. Left to the orphan sweep they would look like files that lost their rows, and a few
// stops within one of its rounds would stop it (`SweepBrake`). After a crash they do: nobody was
// there to write them down.

/// The files that a stop has left, as the catalogue keeps them: a line each, name and bytes.
struct LeftFiles: Sendable {
  var blobs: [FreedBlob]

  /// More than this are the sweep's: a batch is 500.
  private static let most = 10_000

  init(_ blobs: [FreedBlob]) { self.blobs = Array(blobs.prefix(Self.most)) }

  /// Lines that are none of these are left out.
  init(text: String) {
    self.init(
      text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 2, let name = BlobName(String(words[0])), let bytes = Int64(words[1])
        else { return nil }
        return FreedBlob(name: name, bytes: bytes)
      })
  }

  var text: String { blobs.map { "\($0.name) \($0.bytes)" }.joined(separator: "\n") }
}

extension CatalogSession {
  /// What the last stop has left.
  func leftFiles() throws(StoreFailure) -> LeftFiles {
    LeftFiles(text: try text(.leftFiles) ?? "")
  }

  /// Keeps what this stop leaves, for the next start.
  func note(_ left: LeftFiles) throws(StoreFailure) {
    if !left.blobs.isEmpty { return try set(.leftFiles, left.text) }
    // Nothing is written where nothing was kept.
    if try text(.leftFiles) != nil { try remove(.leftFiles) }
  }
}

extension StoreFiles {
  /// Has the unlinker remove what a stop has left, between its other work; until it is gone it
  /// counts as awaiting that (invariant 8).
  func takeUp(
    _ left: LeftFiles, _ session: CatalogSession, _ unlinker: Unlinker
  ) throws(StoreFailure) {
    var gone: [FreedBlob] = []
    // A name is never used again; a row that has it all the same is believed.
    for blob in left.blobs where try !session.hasRow(blob.name) { gone.append(blob) }
    guard !gone.isEmpty else { return }
    ledger.strand(gone.reduce(0) { $0 + $1.diskBytes })
    unlinker.submit(batch: Unlinker.Order(freed: gone))
  }
}
