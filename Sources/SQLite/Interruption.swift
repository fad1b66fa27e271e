internal import CSQLite
internal import Synchronization

/// Ends what a connection is doing, from any thread: its statement fails with SQLITE_INTERRUPT
/// (sqlite3_interrupt(3)). Of use as long as the connection is open.
public final class Interruption: Sendable {
  /// The connection's address; 0 once it is closed.
  private let address: Mutex<UInt>

  init(_ handle: OpaquePointer) {
    address = Mutex(UInt(bitPattern: handle))
  }

  /// Ends the statement that runs now, if one does. Under the lock: the connection stays open as
  /// long as this runs.
  public func interrupt() {
    address.withLock { address in
      guard let handle = unsafe OpaquePointer(bitPattern: address) else { return }
      unsafe sqlite3_interrupt(handle)
    }
  }

  /// The connection is about to be closed.
  func end() { address.withLock { $0 = 0 } }
}
