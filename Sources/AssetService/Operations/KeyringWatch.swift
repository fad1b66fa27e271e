// A key of links that an operator retires must be refused within a second, on every node that
// shares the file (API.md §5, §7): the file is read again and again, and compared whole, because
// the times of files are too coarse to tell two changes apart.
internal import Configuration
internal import Kernel
internal import Links
internal import Net
internal import Store
internal import Synchronization
internal import Wire

/// Reads the key ring's file twice a second, and gives what changed to the loops.
final class KeyringWatch: Sendable {
  private struct State {
    /// What was read last, used or not; `nil` at first.
    var bytes: [UInt8]?
    /// Why the file can not be used; it is said once.
    var trouble: String?
  }
  private let store: Store
  private let workers: Workers
  private let keys: LinkKeys
  private let log: LogSink
  private let state = Mutex(State())
  private static let interval = Duration.milliseconds(500)

  init(_ context: ServiceContext) {
    store = context.store
    workers = context.workers
    keys = context.linkKeys
    log = context.log
  }

  /// Runs until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: Self.interval) } catch { return }
      await look()
    }
  }

  /// Reads the file once, and uses it when it is another one than before. A file that can not be
  /// used changes nothing: links are checked with the keys that were good last.
  func look() async {
    do {
      use(try await workers.run { [store] in try store.readKeyring() })
    } catch is WorkersBusy {
      // The next look is not far.
    } catch {
      state.withLock { $0.bytes = nil }
      note("\(error)")
    }
  }

  private func use(_ bytes: [UInt8]) {
    let before = state.withLock { state in
      defer { state.bytes = bytes }
      return state
    }
    guard before.bytes != bytes else { return }
    do throws(KeyRingFailure) {
      let ring = try KeyRing(json: bytes.span)
      keys.replace(with: LinkVerifier(ring))
      state.withLock { $0.trouble = nil }
      // The first look only sees what the start has read.
      guard before.bytes != nil || before.trouble != nil else { return }
      log.event(
        .info, "the key ring was read again",
        .init(name: "keys", value: .array(ring.keys.map { .string("\($0)") })))
    } catch {
      note("\(error)")
    }
  }

  private func note(_ trouble: String) {
    let isNew = state.withLock { state in
      defer { state.trouble = trouble }
      return state.trouble != trouble
    }
    guard isNew else { return }
    log.event(
      .error, "the key ring can not be used; its last good keys are",
      .init(name: "error", value: .string(trouble)))
  }
}
