import Synchronization
import Testing

@testable import AssetService
@testable import Store

@Suite struct HousekeepingTests {
  /// While an operator collects, the daemon's own turn is passed over: nothing has failed.
  @Test func anOperatorsCollectionIsNoFailure() async throws {
    try await withService { service in
      let context = service.service.context
      let house = Housekeeping(
        context.settings, store: context.store, workers: context.workers, log: context.log)
      context.store.isCollecting.withLock { $0 = true }
      defer { context.store.isCollecting.withLock { $0 = false } }
      try await house.collect()
    }
  }
}
