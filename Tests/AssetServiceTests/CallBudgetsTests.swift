import Store
import Testing

@testable import AssetService

struct CallBudgetsTests {
  private let limits: ServiceLimits = {
    var limits = ServiceLimits()
    limits.ingests = 8
    return limits
  }()

  @Test func placesAreLimitedAndGivenBack() throws {
    let budgets = CallBudgets(limits)
    var passes = try (0..<8).map { _ in try budgets.enter(.ingest, of: nil) }
    #expect(throws: Failure.self) { try budgets.enter(.ingest, of: nil) }
    // Another kind has its own.
    _ = try budgets.enter(.query, of: nil)
    passes.removeLast()
    #expect(budgets.running(.ingest) == 7)
    _ = try budgets.enter(.ingest, of: nil)
    passes = []
    #expect(budgets.running(.ingest) == 0)
  }

  /// One key, however slow its uploads, leaves places to the others.
  @Test func oneOwnerDoesNotTakeAllPlaces() throws {
    let budgets = CallBudgets(limits)
    let greedy = try #require(Owner("greedy"))
    let other = try #require(Owner("other"))
    var held = try (0..<6).map { _ in try budgets.enter(.ingest, of: greedy) }
    #expect(throws: Failure.self) { try budgets.enter(.ingest, of: greedy) }
    let others = try (0..<2).map { _ in try budgets.enter(.ingest, of: other) }
    held.removeLast()
    _ = try budgets.enter(.ingest, of: greedy)
    #expect(budgets.running(.ingest) == 7)
    withExtendedLifetime((held, others)) {}
  }
}
