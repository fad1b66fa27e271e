// Damage is never answered as good: a file that is missing, has another size than its row says or
// does not hash to its name is noted, counted and told, until bytes that are sent again take its
// place.
internal import Kernel
internal import Synchronization

/// What an operator is to hear of, as it happens; any thread tells it.
public enum StoreEvent: Sendable, Hashable {
  /// A blob's file is not what its row says.
  case damagedBlob(BlobName, problem: String)
  /// A file or folder of the store can not be opened or read; its path from there.
  case unreadable(String, problem: String)
  /// The same bytes came again, and took the place of a damaged file.
  case repairedBlob(BlobName)
  /// The catalogue is damaged, in SQLite's words.
  case damagedCatalogue(String)
  /// Nothing is written from now on.
  case readOnly(StoreHealth.Cause)
  /// The store takes writes again.
  case writable
  /// The scrub has read every blob once more.
  case scrubbed(ScrubPass)
}

/// The blobs that were found damaged since the start.
final class DamagedBlobs: Sendable {
  private struct State {
    var names: Set<BlobName> = []
    /// Of these, files of the right size that are not to be opened all the same, and why.
    var refused: [BlobName: String] = [:]
    var found = 0
  }
  private let state = Mutex(State())
  /// `State.refused`'s count: mostly 0, and looked at for every file that is opened.
  private let refusals = Atomic<Int>(0)
  private let report: @Sendable (StoreEvent) -> Void
  /// More are counted, and not told one by one.
  private static let most = 100_000

  init(report: @escaping @Sendable (StoreEvent) -> Void) {
    self.report = report
  }

  /// Damaged now, as far as it is known.
  var current: Int { state.withLock { $0.names.count } }

  /// Found damaged since the start.
  var found: Int { state.withLock { $0.found } }

  /// - Returns: whether that was not known.
  @discardableResult
  func note(_ name: BlobName, _ problem: String) -> Bool {
    let isNew = state.withLock { state in
      guard state.names.count < Self.most, state.names.insert(name).inserted else { return false }
      state.found += 1
      return true
    }
    if isNew { report(.damagedBlob(name, problem: problem)) }
    return isNew
  }

  /// Notes a blob whose file is there with its size, and must not be opened.
  func refuse(_ name: BlobName, _ problem: String) {
    keepShut(name, problem)
    note(name, problem)
  }

  private func keepShut(_ name: BlobName, _ problem: String) {
    state.withLock { state in
      state.refused[name] = problem
      refusals.store(state.refused.count, ordering: .releasing)
    }
  }

  /// Why a file of the right size is not to be opened.
  func refusal(_ name: BlobName) -> String? {
    if refusals.load(ordering: .acquiring) == 0 { return nil }
    return state.withLock { $0.refused[name] }
  }

  /// Notes what an earlier start has found.
  ///
  /// - Parameter isRefused: whether its file is there with its size, and must not be opened.
  func remember(_ name: BlobName, _ problem: String, isRefused: Bool = false) {
    if isRefused { keepShut(name, problem) }
    let isNew = state.withLock { state in
      state.names.count < Self.most && state.names.insert(name).inserted
    }
    if isNew { report(.damagedBlob(name, problem: problem)) }
  }

  /// No row names the file any more, or it is whole.
  func forget(_ name: BlobName, isRepaired: Bool) {
    let wasKnown = state.withLock { state in
      if state.refused.removeValue(forKey: name) != nil {
        refusals.store(state.refused.count, ordering: .releasing)
      }
      return state.names.remove(name) != nil
    }
    if wasKnown, isRepaired { report(.repairedBlob(name)) }
  }
}

/// A blob's open file, or what is wrong with it.
struct OpenedBlob: ~Copyable {
  let file: SharedFile?
  let problem: String?
}

extension StoreFiles {
  /// Opens a blob that a row names; `nil` when its file is gone, or another one than the row says.
  func openWhole(_ blob: Blob) throws(Errno) -> OpenedBlob {
    if let problem = damaged.refusal(blob.name) { return OpenedBlob(file: nil, problem: problem) }
    guard let file = try folders.blobs.open(blob.name) else {
      return OpenedBlob(file: nil, problem: "the file is missing")
    }
    let status = try file.status()
    guard blob.isFile(status) else {
      return OpenedBlob(
        file: nil, problem: "the file has \(status.bytes) bytes instead of \(blob.bytes)")
    }
    return OpenedBlob(file: reads.share(file, of: blob), problem: nil)
  }

  /// What is wrong with a blob's file; `nil` when it is there and has its size.
  func problem(of blob: Blob) -> String? {
    if let problem = damaged.refusal(blob.name) { return problem }
    do throws(Errno) {
      guard let status = try folders.blobs.status(blob.name) else { return "the file is missing" }
      if blob.isFile(status) { return nil }
      return "the file has \(status.bytes) bytes instead of \(blob.bytes)"
    } catch {
      reads.missed(.failed(error), of: blob.name, bytes: blob.bytes)
      return "\(error)"
    }
  }

  /// Forgets a blob that was noted when its row was gone already: who removes a row's file forgets
  /// its name once, and may have done so between the look at the row and the note. To be called
  /// after each note that does not come from the writer's thread.
  func forgetUnnamed(_ name: BlobName, _ session: CatalogSession) {
    // A name that can not be asked for stays noted.
    if (try? session.hasRow(name)) == false { damaged.forget(name, isRepaired: false) }
  }

  /// Notes the altered files that an earlier start could not put away.
  func remember(unmoved names: Set<BlobName>, _ session: CatalogSession) throws(StoreFailure) {
    for name in names where try session.hasRow(name) {
      damaged.remember(name, "its bytes did not hash to its name", isRefused: true)
    }
  }

  /// Notes the blobs that an earlier start has put into `quarantine/`, so that they are known from
  /// the beginning.
  func rememberQuarantined(_ session: CatalogSession) throws(StoreFailure) {
    let names = try kernel(.open) { () throws(Errno) in try folders.quarantine.names() }
    for name in names.compactMap(BlobName.init) where try session.hasRow(name) {
      damaged.remember(name, "its bytes did not hash to its name; it is in quarantine/")
    }
  }
}
