import Net
import Testing

@testable import AssetService

struct FailuresTests {
  /// O1: who comes when all workers are taken is told to come back, and is no fault of ours.
  @Test func aFullQueueIsNoFault() {
    let failure = Failure(WorkersBusy())
    #expect(failure.status == 503)
    #expect(failure.retryAfter == 1)
  }
}
