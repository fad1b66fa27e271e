/// Deadlines of a loop's channels, the earliest first. Entries of channels that are gone stay until
/// they are due; nobody searches for them.
struct TimerHeap {
  struct Entry {
    let deadline: Int64
    let id: ChannelID
  }
  private var heap: [Entry] = []

  var count: Int { heap.count }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].deadline < heap[parent].deadline else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Removes and returns the earliest entry if it is due.
  mutating func popDue(at now: Int64) -> Entry? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return first
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].deadline < heap[least].deadline {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  /// How long a poller may wait: to the first deadline or to `other`, rounded up; -1 without one.
  func milliseconds(from now: Int64, orTo other: Int64? = nil) -> Int32 {
    guard let deadline = heap.first.map({ min($0.deadline, other ?? .max) }) ?? other else {
      return -1
    }
    let wait = max(0, deadline - now)
    return Int32(min(wait / 1_000_000 + (wait % 1_000_000 == 0 ? 0 : 1), 60_000))
  }
}
