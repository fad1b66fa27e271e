// epoll(7), edge-triggered. A descriptor is registered once, for both directions: what is ready is
// learnt by trying, so no request costs an epoll_ctl.
internal import CLinux

/// What a descriptor became ready for.
public struct PollReadiness: OptionSet, Sendable {
  /// epoll's event bits.
  public let rawValue: UInt32
  /// From epoll's event bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Bytes, a connection, or the peer's end may be read.
  public static let readable = PollReadiness(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
  /// There is room to send.
  public static let writable = PollReadiness(rawValue: EPOLLOUT.rawValue)
  /// The peer ended its half.
  public static let peerFinished = PollReadiness(rawValue: EPOLLRDHUP.rawValue)
  /// The connection is gone in both directions (EPOLLERR, EPOLLHUP).
  public static let gone = PollReadiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
}

/// One ready descriptor: the token that it was registered with, and for what it is ready.
public struct PollEvent: Sendable {
  /// The registration's token.
  public let token: UInt64
  /// What it is ready for.
  public let readiness: PollReadiness
}

/// An epoll instance and its buffer of events.
@safe
public struct Poller: ~Copyable {
  private let epoll: OwnedFileDescriptor
  private let events: UnsafeMutableBufferPointer<epoll_event>

  /// A poller that hands out at most `capacity` events at once.
  public init(capacity: Int = 256) throws(Errno) {
    let number = try performBlocking(.epollCreate) {
      Int(epoll_create1(Int32(EPOLL_CLOEXEC)))
    }
    epoll = OwnedFileDescriptor(owning: Int32(number))
    unsafe events = .allocate(capacity: capacity)
    unsafe events.initialize(repeating: epoll_event())
  }

  deinit { unsafe events.deallocate() }

  /// Registers a stream descriptor for both directions, edge-triggered; closing it ends that.
  public func add(_ descriptor: Int32, token: UInt64) throws(Errno) {
    let both = EPOLLIN.rawValue | EPOLLOUT.rawValue
    try control(descriptor, token, both | EPOLLRDHUP.rawValue | EPOLLET.rawValue)
  }

  /// Registers a listener or an eventfd: reading only, never WRITE interest (it would always fire).
  public func addReadOnly(_ descriptor: Int32, token: UInt64) throws(Errno) {
    try control(descriptor, token, EPOLLIN.rawValue | EPOLLET.rawValue)
  }

  private func control(_ descriptor: Int32, _ token: UInt64, _ interest: UInt32) throws(Errno) {
    var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: token))
    let number = epoll.number
    try performBlocking(.epollControl) {
      unsafe Int(epoll_ctl(number, EPOLL_CTL_ADD, descriptor, &event))
    }
  }

  /// Waits at most `milliseconds` (-1: for ever) and returns how many events `event(_:)` now holds.
  public func wait(milliseconds: Int32) throws(Errno) -> Int {
    let number = epoll.number
    return try performBlocking(.epollWait) {
      unsafe Int(
        epoll_wait(number, events.baseAddress, Int32(events.count), milliseconds))
    }
  }

  /// The `index`-th event of the last wait.
  public func event(_ index: Int) -> PollEvent {
    unsafe PollEvent(
      token: events[index].data.u64, readiness: PollReadiness(rawValue: events[index].events))
  }
}

/// An eventfd(2): any thread may ring it, a poller hears it.
public struct WakeBell: ~Copyable, Sendable {
  private let descriptor: OwnedFileDescriptor
  /// The descriptor's number, for registering.
  public var number: Int32 { descriptor.number }

  /// A silent bell.
  public init() throws(Errno) {
    let flags = Int32(EFD_NONBLOCK | EFD_CLOEXEC)
    let number = try performBlocking(.eventfd) { Int(CLinux.eventfd(0, flags)) }
    descriptor = OwnedFileDescriptor(owning: Int32(number))
  }

  /// Gives up the bell and keeps its descriptor: the cheapest one to hold in reserve.
  public consuming func intoDescriptor() -> OwnedFileDescriptor { descriptor }

  /// Rings; never blocks (a full counter is rung already).
  public func ring() {
    var one: UInt64 = 1
    let number = descriptor.number
    // Registered edge-triggered and never read: each write is an edge of its own. No error is
    // possible but EAGAIN of a full counter, which has rung.
    _ = try? perform(.write) { unsafe write(number, &one, 8) }
  }
}
