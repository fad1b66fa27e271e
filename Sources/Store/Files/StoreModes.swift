// A store is its owner's alone, whoever makes it and whatever the umask is: the catalogue knows who
// has which image. What our own calls make has its mode from the start. SQLite makes the catalogue
// for everyone to read, less the umask, and gives its log the catalogue's mode: so the catalogue is
// made for it. What an earlier version has left open is closed by the next start.
internal import Kernel

/// The permission bits of what a store consists of. A blob's file is 0440, in a folder of these.
enum StoreMode {
  static let file: UInt32 = 0o600
  static let folder: UInt32 = 0o700
}

extension Directory {
  /// Of a store's folder: takes from others what they may do with its parts. The folder itself is
  /// as whoever made it would have it.
  ///
  /// - Parameter isNew: whether a catalogue that is not there may be made.
  func keepStorePrivate(isNew: Bool) throws(Errno) {
    if isNew { _ = try file(Layout.catalogue, .readWriteOrCreate, mode: StoreMode.file) }
    for name in Layout.catalogueFiles + [Layout.lock, Layout.ballast] {
      try keepPrivate(name, .regular, StoreMode.file)
    }
    for name in [Layout.blobs, Layout.incoming, Layout.quarantine, Layout.snapshots] {
      try keepPrivate(name, .directory, StoreMode.folder)
    }
  }

  private func keepPrivate(
    _ name: String, _ kind: FileStatus.Kind, _ mode: UInt32
  ) throws(Errno) {
    guard let status = try status(of: name), status.kind == kind, status.mode != mode else {
      return
    }
    do throws(Errno) { try setMode(mode, of: name) } catch {
      // Another user's, who lets this one use it: that is theirs to say.
      guard error.isNotOwned else { throw error }
    }
  }
}
