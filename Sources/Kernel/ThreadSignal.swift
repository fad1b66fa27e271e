internal import CLinux

/// A counter that one thread waits for and others raise: eventfd(2), EFD_SEMAPHORE, blocking.
///
/// For threads of our own that have nothing else to do; an event loop never waits on one.
public struct ThreadSignal: ~Copyable, Sendable {
  private let descriptor: OwnedFileDescriptor

  /// A signal that was raised `count` times.
  public init(count: UInt32 = 0) throws(Errno) {
    let number = try performBlocking(.eventfd) {
      Int(eventfd(count, Int32(EFD_CLOEXEC | EFD_SEMAPHORE)))
    }
    descriptor = OwnedFileDescriptor(owning: Int32(number))
  }

  /// Lets one `wait` pass, now or later.
  public func raise() {
    var one: UInt64 = 1
    // The counter holds 2^64 - 2 raises: the write can not block or fail.
    _ = try? perform(.write) { unsafe CLinux.write(descriptor.number, &one, 8) }
  }

  /// Waits for one `raise`, at most so many milliseconds; `false` when none came.
  public func wait(milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    let ready = (try? perform(.poll) { unsafe Int(poll(&entry, 1, milliseconds)) }) ?? 0
    guard ready == 1 else { return false }
    wait()
    return true
  }

  /// Waits for one `raise`.
  public func wait() {
    var value: UInt64 = 0
    _ = try? perform(.read) { unsafe CLinux.read(descriptor.number, &value, 8) }
  }
}
