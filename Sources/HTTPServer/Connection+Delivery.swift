// Whether an answer has arrived. The kernel takes megabytes for a peer that may be gone already;
// what the peer's system has is what it acknowledged (SIOCOUTQ, tcp(7)). No edge tells of that: it
// is looked at again and again, by the loop's timers, while the connection goes on.
internal import Net

/// Waits for the peer to acknowledge one answer.
final class DeliveryWatch {
  /// When the connection looks next, in monotonic nanoseconds.
  private(set) var nextLook: Int64 = 0
  private var pause: Int64 = 2_500_000
  private static let longestPause: Int64 = 1_000_000_000
  private var outcome: Bool?
  private var waiter: CheckedContinuation<Bool, Never>?

  /// Whether it has arrived; comes back when that is known, or will not be known any more.
  var isDelivered: Bool {
    get async {
      if let outcome { return outcome }
      return await withCheckedContinuation { waiter = $0 }
    }
  }

  /// Each pause is twice the one before it.
  func putOff(from now: Int64) {
    pause = min(2 * pause, Self.longestPause)
    nextLook = now + pause
  }

  func end(_ isDelivered: Bool) {
    outcome = isDelivered
    waiter.take()?.resume(returning: isDelivered)
  }
}

extension Connection {
  /// The last byte of an answer was handed to the kernel; someone wants to know when it arrives.
  func watchDelivery(on loop: isolated EventLoop) -> DeliveryWatch {
    let watch = DeliveryWatch()
    delivery = watch
    lookAtDelivery(at: loop.now, on: loop)
    return watch
  }

  /// Looks, and says when to look again.
  func lookAtDelivery(at now: Int64, on loop: isolated EventLoop) {
    guard let delivery, let id else { return }
    guard stream?.isAllAcknowledged != true else { return endDelivery() }
    delivery.putOff(from: now)
    loop.schedule(id, at: delivery.nextLook)
  }

  /// The last look: from here on other bytes are sent, or none any more.
  func endDelivery() {
    guard let watch = delivery.take() else { return }
    watch.end(stream?.isAllAcknowledged == true)
  }
}
