/// Deadlines, the earliest first: of a loop's channels, of a clock's waits. Entries of what is gone
/// stay until they are due, or the first; nobody searches for them.
struct TimerHeap<ID> {
  struct Entry {
    let deadline: Int64
    let id: ID
  }
  private var heap: [Entry] = []

  var count: Int { heap.count }

  /// The earliest entry.
  var first: Entry? { heap.first }

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
    removeFirst()
    return first
  }

  /// Removes the earliest entry; there must be one.
  mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    sink()
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
