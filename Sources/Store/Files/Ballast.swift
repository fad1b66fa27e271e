internal import Kernel

/// 16 MiB that are given up when the disk is full, so that a collection can write its log.
struct Ballast: Sendable {
  static let bytes: Int64 = 16 << 20

  let folders: StoreFolders

  /// Makes it where there is room; without room it is left out.
  func make() {
    do {
      if let status = try folders.root.status(of: Layout.ballast), status.diskBytes >= Ballast.bytes
      {
        return
      }
      let file = try folders.root.file(Layout.ballast, .readWriteOrCreate, mode: 0o600)
      do {
        try file.allocate(Ballast.bytes)
        try file.truncate(to: Ballast.bytes)
      } catch {
        try folders.root.remove(Layout.ballast)
      }
    } catch {
      // Nothing depends on it but the comfort of a full disk.
    }
  }

  /// Gives it up; `false` when there is none to give.
  func release() -> Bool {
    (try? folders.root.remove(Layout.ballast)) ?? false
  }
}
