internal import Synchronization

/// The memory of images that can not be stored, over all calls of a kind: a store that fails while
/// many of them arrive must not end the process. Conversions have one of their own, since their
/// senders have the images still: they take nothing from those that were paid for.
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

/// What one image may take of that memory: what is left of it.
struct RescueAllowance: Sendable {
  let memory: RescueMemory
  /// Bytes over all calls.
  let limit: Int64
  /// Whether nobody else has the image.
  var isPaid = true

  /// Whether there was room for so many bytes more.
  func take(_ bytes: Int64) -> Bool { memory.take(bytes, limit: limit) }

  func giveBack(_ bytes: Int64) { memory.giveBack(bytes) }

  /// What becomes of an image that the store refused and there is no memory for.
  func failure(after refusal: Failure) -> Failure {
    isPaid ? .rescueFull(refusal) : .conversionsFull(refusal)
  }
}

extension Failure {
  static let rescueFullCode = "rescue_memory_full"

  /// Entries that can not be hosted fill the memory of conversions: there is room again when their
  /// answers are out.
  static func conversionsFull(_ refusal: Failure) -> Failure {
    var failure = busy
    failure.cause =
      "no memory is left for entries that can not be hosted; this one: "
      + (refusal.cause ?? refusal.message)
    return failure
  }

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
