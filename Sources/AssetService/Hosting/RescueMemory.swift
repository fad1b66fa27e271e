internal import Synchronization

/// The memory of images that can not be stored, over all calls of a kind: a store that fails while
/// many of them arrive must not end the process. The texts of conversions have one of their own:
/// they take nothing from images that were paid for.
final class RescueMemory: Sendable {
  private let used = Atomic<Int64>(0)

  /// Bytes that are kept now.
  var bytes: Int64 { used.load(ordering: .relaxed) }

  fileprivate func take(_ bytes: Int64, limit: Int64) -> Bool {
    let after = used.add(bytes, ordering: .relaxed).newValue
    if after <= limit { return true }
    giveBack(bytes)
    return false
  }

  fileprivate func giveBack(_ bytes: Int64) { used.subtract(bytes, ordering: .relaxed) }
}

/// What one image or text may take of that memory: what is left of it.
struct RescueAllowance: Sendable {
  let memory: RescueMemory
  /// Bytes over all calls.
  let limit: Int64

  /// Whether there was room for so many bytes more.
  func take(_ bytes: Int64) -> Bool { memory.take(bytes, limit: limit) }

  func giveBack(_ bytes: Int64) { memory.giveBack(bytes) }
}

extension Failure {
  static let rescueFullCode = "rescue_memory_full"

  /// The store does not take the image, and others of its kind fill the memory.
  static func rescueFull(_ refusal: Failure) -> Failure {
    var failure = Failure(
      503, .server, rescueFullCode,
      "The image could not be stored, and there is no memory left to hold it: it is lost.",
      shouldRetry: false)
    failure.cause = refusal.cause ?? refusal.message
    return failure
  }
}
