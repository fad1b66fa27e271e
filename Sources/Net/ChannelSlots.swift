/// A channel's place in its loop: a descriptor's number and the generation of its use, so that an
/// event of a closed connection never reaches the one that got its number.
public struct ChannelID: Hashable, Sendable {
  let descriptor: Int32
  let generation: UInt32

  /// As epoll's user data.
  var token: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
}

/// The channels of a loop, by descriptor number.
struct ChannelSlots {
  private struct Slot {
    var channel: (any Channel)?
    var generation: UInt32 = 0
  }
  private var slots: [Slot] = []

  mutating func insert(_ channel: any Channel, at descriptor: Int32) -> ChannelID {
    let index = Int(descriptor)
    if index >= slots.count {
      slots.append(contentsOf: repeatElement(Slot(), count: index + 64 - slots.count))
    }
    slots[index].generation &+= 1
    if slots[index].generation == 0 { slots[index].generation = 1 }
    slots[index].channel = channel
    return ChannelID(descriptor: descriptor, generation: slots[index].generation)
  }

  mutating func remove(_ id: ChannelID) {
    let index = Int(id.descriptor)
    guard index < slots.count, slots[index].generation == id.generation else { return }
    slots[index].channel = nil
  }

  /// Every channel.
  var all: [any Channel] { slots.compactMap(\.channel) }

  mutating func removeAll() { slots.removeAll() }

  func channel(token: UInt64) -> (any Channel)? {
    let index = Int(UInt32(truncatingIfNeeded: token))
    guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return nil }
    return slots[index].channel
  }
}
