// A key of links that an operator retires must be refused within a second, on every node that
// shares the file (API.md §5, §7): the file is read again and again, and compared whole, because
// the times of files are too coarse to tell two changes apart.
internal import Configuration
internal import Kernel
internal import Links
internal import Store
internal import Synchronization
internal import Wire

/// Reads the key ring's file twice a second, and gives what changed to the loops. On a thread of
/// its own: workers and tasks may all be busy for longer than a retired key may live.
final class KeyringWatch: Sendable {
  private struct State {
    /// What was read last, used or not; `nil` at first.
    var bytes: [UInt8]?
    /// Why the file can not be used; it is said once.
    var trouble: String?
  }
  private let store: Store
  private let keys: LinkKeys
  private let log: LogSink
  private let state = Mutex(State())
  private let wake: ThreadSignal
  /// Milliseconds between two looks.
  private static let interval: Int32 = 400

  init(_ context: ServiceContext) throws(Errno) {
    wake = ThreadSignal()
    store = context.store
    keys = context.linkKeys
    log = context.log
  }

  /// Begins to look.
  func start() throws(Errno) {
    try KernelThread.start(name: "keyring") { [self] in
      while !wake.wait(milliseconds: Self.interval) { look() }
    }
  }

  /// Ends what `start` began, soon: a look that the disk does not answer is waited for by nobody.
  func stop() { wake.raise() }

  /// Reads the file once, and uses it when it is another one than before. A file that can not be
  /// used changes nothing: links are checked with the keys that were good last. Blocks on the disk.
  func look() {
    do {
      use(try store.readKeyring())
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
