import Dispatch
import Testing
import Wire

@testable import AssetService
@testable import Net

/// One image on its way to its file.
@Suite struct DepositTests {
  /// While our own queue is full, an upload is refused, and an image that must not be lost waits:
  /// it is stored as if nothing had been.
  @Test func aPaidImageWaitsForAFullQueue() async throws {
    try await withService { service in
      let store = service.service.context.store
      let workers = try Workers(threads: 1, queueLimit: 0)
      let gate = DispatchSemaphore(value: 0)
      let held = Task { try await workers.run { gate.wait() } }
      try await until("the thread is busy") { workers.pending == 1 }
      await #expect(throws: WorkersBusy.self) {
        _ = try await Deposit.begin(in: store, on: workers, within: .new(4096))
      }
      let paid = Task {
        let deposit = try await Deposit.begin(
          in: store, on: workers, within: .new(4096), rescueLimit: 1 << 20)
        let image = TestImages.png(seed: 140, padding: 3000)
        var bytes = ByteBuffer(capacity: image.count)
        bytes.append(image.span)
        try await deposit.write(bytes)
        if case .settled = try await deposit.finish() { return true }
        return false
      }
      try await until("it waits") { workers.pending == 2 }
      gate.signal()
      try await held.value
      #expect(try await paid.value)
      workers.stop()
    }
  }
}
