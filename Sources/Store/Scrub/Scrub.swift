// The scrub reads every blob once in `storage.scrub.interval`, in the order of their digests, and
// compares: is the file there, has it its size, does it hash to its name? (STORE.md, "Damage")
//
//     next row ─► open ─► read a piece a turn ─► hashes ───────────────► whole: the next one
//                   ▲                            │ gone, cut, altered, unreadable
//                   │                            ▼
//                   └── once more ◄─── is there still the row? ── no ──► collected: the next one
//                       from the disk            │ the second time
//                                                ▼
//                     altered ─► quarantine/     missing ─► noted      unreadable ─► not opened
//
// The row is asked *after* the file: a file that a collection has removed has no row any more.
internal import Kernel
internal import SQLite

/// Looks at one blob after the other; belongs to one thread, and knows no clock of its own.
final class Scrub {
  private let pace: ScrubPace
  private let files: StoreFiles
  private let session: CatalogSession
  private let board: ScrubBoard
  private let surroundings: Surroundings
  private var record: ScrubRecord
  private var savedRecord: ScrubRecord
  /// Monotonic nanoseconds, as `dueAt`.
  private var savedAt: Int64?
  private var row: ScrubRow?
  private var isSecondLook = false
  private var reading: BlobReading?
  private var buffer: [UInt8]
  /// When the next piece may be read: the last one is paid for then.
  private var dueAt: Int64?

  /// What the scrub asks of the rest of the store.
  struct Surroundings {
    /// Unix seconds.
    let now: () -> Int64
    /// Whether somebody waits for the disk or the catalogue.
    let isBusy: () -> Bool
    /// Keeps the record in the catalogue; need not be done when this returns.
    let save: (ScrubRecord) -> Void
    /// Lets go of all open files: one of them is no good.
    let closeOpenFiles: () -> Void
    /// Hears of passes that ended.
    let report: (StoreEvent) -> Void
  }

  /// Opening a file counts as that many bytes: the disk's arm moves for it.
  static let openingBytes: Int64 = 32 << 10
  /// A turn reads at most so many bytes.
  static let mostBytesInTurn: Int64 = 1 << 20
  /// The place is kept at most this late, in nanoseconds.
  private static let saveInterval: Int64 = 60_000_000_000
  /// How long others are let pass, in nanoseconds.
  private static let shortPause: Int64 = 50_000_000
  /// How long it waits where it can do nothing, and at most for the next pass, in nanoseconds.
  private static let longPause: Int64 = 60_000_000_000

  init(
    _ pace: ScrubPace, files: StoreFiles, session: CatalogSession, board: ScrubBoard,
    surroundings: Surroundings
  ) {
    self.pace = pace
    self.files = files
    self.session = session
    self.board = board
    self.surroundings = surroundings
    record = board.record
    savedRecord = record
    // Some thirty turns a second.
    let turn = min(max(pace.rate / 32, 4 << 10), Self.mostBytesInTurn)
    buffer = [UInt8](repeating: 0, count: Int(turn))
  }

  /// Reads one piece, if it may now.
  ///
  /// - Parameter now: monotonic nanoseconds, as what is returned: when the next turn is due.
  func turn(at now: Int64) -> Int64 {
    if let dueAt, now < dueAt { return dueAt }
    // What a damaged catalogue or a failing disk says is no ground for anything.
    guard files.health.health == .good else { return now + Self.longPause }
    if surroundings.isBusy() { return now + Self.shortPause }
    do {
      guard let cost = try advance() else {
        save(at: now)
        return now + pause
      }
      if now - (savedAt ?? .min / 2) >= Self.saveInterval { save(at: now) }
      // What was not used is not made up for: nobody waits for this.
      let due = now + max(1, Int64(Double(cost) / Double(pace.rate) * 1e9))
      dueAt = due
      return due
    } catch {
      reading = nil
      return now + Self.longPause
    }
  }

  /// Keeps the place, when it is another one than is kept already.
  func save(at now: Int64) {
    savedAt = now
    // The others are gone, were replaced, or are whole after all.
    record.unmoved = record.unmoved.filter { files.damaged.refusal($0) != nil }
    board.set(record)
    guard record != savedRecord else { return }
    savedRecord = record
    surroundings.save(record)
  }

  // MARK: Passes

  /// Until it is worth looking again, in nanoseconds. Wall clocks jump: never for long.
  private var pause: Int64 {
    guard record.pass == nil, let last = record.last else { return Self.shortPause }
    let left = last.startedAt + pace.interval - surroundings.now()
    return min(max(1, left), Self.longPause / 1_000_000_000) * 1_000_000_000
  }

  /// Whether a pass is to begin. A clock that was put back says nothing of the last one.
  private var isDue: Bool {
    guard let last = record.last else { return true }
    let now = surroundings.now()
    return now < last.startedAt || now - last.startedAt >= pace.interval
  }

  /// The blob to look at; `nil` when the pass is over, or it is not time for one.
  private func nextRow() throws(StoreFailure) -> ScrubRow? {
    if let row { return row }
    if record.pass == nil {
      guard isDue else { return nil }
      record.pass = ScrubPass(startedAt: surroundings.now())
      record.cursor = nil
    }
    row = try session.blob(after: record.cursor)
    isSecondLook = false
    if row == nil { endPass() }
    return row
  }

  private func endPass() {
    guard var pass = record.pass else { return }
    pass.endedAt = surroundings.now()
    record = ScrubRecord(last: pass, unmoved: record.unmoved)
    board.set(record)
    if pass.blobs > 0 { surroundings.report(.scrubbed(pass)) }
  }

  // MARK: One blob

  /// Goes on by one piece; returns how many bytes it counts, `nil` when there is nothing to do.
  private func advance() throws(StoreFailure) -> Int64? {
    guard let row = try nextRow() else { return nil }
    let isOpening = reading == nil
    let (verdict, bytes) = look(at: row)
    record.pass?.bytes += Int64(bytes)
    board.count(blobs: 0, bytes: Int64(bytes))
    switch verdict {
    case .unfinished: break
    // Descriptors come back.
    case .unreadable(let errno) where errno.isNoDescriptor: return nil
    case .whole:
      files.damaged.forget(row.name, isRepaired: false)
      leave(row)
    case .missing, .misfit, .altered, .unreadable: try doubt(row, verdict)
    }
    return Int64(bytes) + (isOpening ? Self.openingBytes : 0)
  }

  private func look(at row: ScrubRow) -> (BlobVerdict, bytes: Int) {
    do throws(Errno) {
      if reading == nil { reading = try .begin(row, files, fromDisk: isSecondLook) }
      guard var current = reading.take() else { return (.missing, 0) }
      let (verdict, bytes) = try current.readOn(into: &buffer)
      if verdict == .unfinished { reading = consume current }
      return (verdict, bytes)
    } catch {
      reading = nil
      return (.unreadable(error), 0)
    }
  }

  /// A blob that does not look well is looked at twice, and only if there is still a row for it.
  private func doubt(_ row: ScrubRow, _ verdict: BlobVerdict) throws(StoreFailure) {
    guard try session.hasRow(row.name) else { return leave(row) }
    guard isSecondLook else {
      // A disk that is gone, or another one, says nothing of a blob.
      files.health.askForLook()
      isSecondLook = true
      return
    }
    record.pass?.damaged += 1
    switch verdict {
    case .altered(let problem): quarantine(row.name, problem)
    case .unreadable(let errno):
      files.health.noteUnreadable()
      files.damaged.refuse(row.name, "the file can not be read: \(errno)")
      surroundings.closeOpenFiles()
    case .misfit(let problem): files.damaged.note(row.name, problem)
    case .missing, .whole, .unfinished: files.damaged.note(row.name, "the file is missing")
    }
    files.forgetUnnamed(row.name, session)
    leave(row)
    savedAt = nil
  }

  /// Takes the file out of sight, so that nothing answers with it, after a restart neither. If it
  /// can not be moved, its name is kept for that.
  private func quarantine(_ name: BlobName, _ problem: String) {
    do throws(Errno) {
      // Removed in between: its row is gone, too.
      guard try files.folders.blobs.move(name, to: files.folders.quarantine) else { return }
      files.damaged.note(name, problem + "; it is in quarantine/ now")
      record.unmoved.remove(name)
    } catch {
      files.health.noteFailure(error)
      files.damaged.refuse(name, problem)
      if record.unmoved.count < ScrubRecord.mostUnmoved { record.unmoved.insert(name) }
    }
    surroundings.closeOpenFiles()
  }

  private func leave(_ row: ScrubRow) {
    record.cursor = row.name.digest
    record.pass?.blobs += 1
    board.count(blobs: 1, bytes: 0)
    board.set(record)
    self.row = nil
  }
}
