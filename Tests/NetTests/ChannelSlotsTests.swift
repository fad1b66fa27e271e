import Testing

@testable import Net

private final class Silent: Channel {
  func ready(_ readiness: Readiness, on loop: isolated EventLoop) {}
  func deadlinePassed(at now: Int64, on loop: isolated EventLoop) -> Int64? { nil }
}

struct ChannelSlotsTests {
  /// A stale event carries the token of the number's earlier use.
  @Test func staleTokenFindsNobody() {
    var slots = ChannelSlots()
    let (first, second) = (Silent(), Silent())
    let old = slots.insert(first, at: 5)
    #expect(slots.channel(token: old.token) === first)
    slots.remove(old)
    #expect(slots.channel(token: old.token) == nil)
    let new = slots.insert(second, at: 5)
    #expect(slots.channel(token: old.token) == nil)
    #expect(slots.channel(token: new.token) === second)
    slots.remove(old)
    #expect(slots.channel(token: new.token) === second)
  }

  @Test func unknownTokensFindNobody() {
    var slots = ChannelSlots()
    #expect(slots.channel(token: 0) == nil)
    #expect(slots.channel(token: .max) == nil)
    let id = slots.insert(Silent(), at: 1000)
    #expect(slots.channel(token: 0) == nil)
    #expect(slots.all.count == 1)
    slots.remove(id)
    #expect(slots.all.isEmpty)
  }
}
