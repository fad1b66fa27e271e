internal import Dispatch

/// A counter that one thread waits for and others raise. It needs no descriptor: a process that may
/// have few of them keeps those for its clients.
///
/// Copies are the same counter. For threads of our own that have nothing else to do; an event loop
/// never waits on one.
public struct ThreadSignal: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  /// A signal that nobody has raised.
  public init() {}

  /// Lets one `wait` pass, now or later.
  public func raise() { semaphore.signal() }

  /// Waits for one `raise`, at most so many milliseconds; `false` when none came.
  public func wait(milliseconds: Int32) -> Bool {
    semaphore.wait(timeout: .now() + .milliseconds(Int(milliseconds))) == .success
  }

  /// Waits for one `raise`.
  public func wait() { semaphore.wait() }
}
