internal import Synchronization

/// Names that a running ingest is about to use, or that the unlinker is about to remove: the orphan
/// sweep leaves them alone.
///
/// A name is marked before its file gets it, and unmarked only after its row is committed or its
/// file is gone. So who sees neither mark nor row, *in that order*, sees an orphan.
final class InFlight: Sendable {
  private struct Names {
    var blobs: Set<BlobName> = []
    var incoming: Set<String> = []
  }
  private let names = Mutex(Names())

  func mark(_ name: BlobName) { names.withLock { _ = $0.blobs.insert(name) } }
  func unmark(_ name: BlobName) { names.withLock { _ = $0.blobs.remove(name) } }
  /// Whether nothing is marked: no ingest runs, and nothing is to be removed.
  var isEmpty: Bool { names.withLock { $0.blobs.isEmpty && $0.incoming.isEmpty } }

  func contains(_ name: BlobName) -> Bool { names.withLock { $0.blobs.contains(name) } }

  func mark(incoming name: String) { names.withLock { _ = $0.incoming.insert(name) } }
  func unmark(incoming name: String) { names.withLock { _ = $0.incoming.remove(name) } }
  func contains(incoming name: String) -> Bool {
    names.withLock { $0.incoming.contains(name) }
  }
}
