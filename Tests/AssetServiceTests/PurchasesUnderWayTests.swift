import Testing
import Wire

@testable import AssetService

@Suite struct PurchasesUnderWayTests {
  private func purchase(_ number: UInt128, since: Int64) -> Purchase {
    Purchase(
      generation: GenerationID(number: number), model: "m", upstream: "u", since: since)
  }

  @Test func aCallCountsUntilItsRecordGoes() throws {
    let purchases = PurchasesUnderWay()
    #expect(purchases.count == 0)
    var late: PurchaseRecord? = purchases.begin(purchase(1, since: 20))
    var early: PurchaseRecord? = purchases.begin(purchase(2, since: 10))
    early?.answered(upstreamRequestID: "req_1")
    #expect(purchases.count == 2)
    #expect(purchases.all.map(\.since) == [10, 20])
    let members = purchases.all[0].members
    let id = JSONValue.string(GenerationID(number: 2).description)
    #expect(members.first { $0.name == "generation_id" }?.value == id)
    #expect(members.first { $0.name == "upstream_request_id" }?.value == "req_1")
    early = nil
    #expect(early == nil && purchases.count == 1)
    late = nil
    #expect(late == nil && purchases.count == 0)
  }
}
