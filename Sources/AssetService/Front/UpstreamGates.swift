internal import Configuration
internal import Synchronization

/// How many calls each upstream has, over all loops; those beyond `max_concurrent` wait in line.
final class UpstreamGates: Sendable {
  private struct Line {
    var running = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let lines = Mutex<[String: Line]>([:])
  /// A line that is longer says so at once instead.
  static let longestLine = 1024

  /// Comes back when it is this call's turn; `nil` at once when the line is full.
  func enter(_ upstream: Settings.Upstream) async -> UpstreamPass? {
    let name = upstream.name
    let mayGo = lines.withLock { lines in
      if lines[name, default: Line()].running < upstream.maxConcurrent {
        lines[name, default: Line()].running += 1
        return true as Bool?
      }
      return lines[name, default: Line()].waiting.count < Self.longestLine ? false : nil
    }
    guard let mayGo else { return nil }
    if !mayGo { await wait(upstream) }
    return UpstreamPass(name, self)
  }

  private func wait(_ upstream: Settings.Upstream) async {
    await withCheckedContinuation { continuation in
      let mayGo = lines.withLock { lines in
        // A call may have ended since `enter` looked.
        if lines[upstream.name, default: Line()].running < upstream.maxConcurrent {
          lines[upstream.name, default: Line()].running += 1
          return true
        }
        lines[upstream.name, default: Line()].waiting.append(continuation)
        return false
      }
      if mayGo { continuation.resume() }
    }
  }

  /// The next in line takes the place, or it is free.
  fileprivate func leave(_ name: String) {
    let next = lines.withLock { lines -> CheckedContinuation<Void, Never>? in
      guard lines[name]?.waiting.isEmpty == false else {
        lines[name]?.running -= 1
        return nil
      }
      return lines[name]?.waiting.removeFirst()
    }
    next?.resume()
  }
}

/// One running call of an upstream; it counts until the last reference to this goes.
final class UpstreamPass: Sendable {
  private let name: String
  private let gates: UpstreamGates

  init(_ name: String, _ gates: UpstreamGates) {
    self.name = name
    self.gates = gates
  }

  deinit { gates.leave(name) }
}
