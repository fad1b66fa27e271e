// The images of an answer that are URLs on the upstream's own origin.
internal import Kernel
internal import Net
internal import Store
internal import Upstream
internal import Wire

extension Rehost {
  /// Results that are URLs are fetched at once, side by side: they will not live long, and the
  /// order's time holds for all of them.
  mutating func fetchAll(
    _ reply: UpstreamReply, on loop: isolated EventLoop
  ) async {
    var fetches: [(index: Int, task: Task<Void, Never>)] = []
    let fetched = FetchedItems()
    for (index, item) in items.enumerated() {
      guard item.mayBeAtItsURL, let url = skeleton.items[index].url else { continue }
      let task = Task { [self] in
        // As for a handler: what it awaits stays on the loop.
        await withTaskExecutorPreference(loop.executor) {
          fetched.items[index] = await fetch(url, reply, on: loop)
        }
      }
      fetches.append((index, task))
    }
    for fetch in fetches {
      await fetch.task.value
      if let item = fetched.items[fetch.index] { items[fetch.index] = item }
    }
  }

  /// One that can not be had is told with its URL: the image is paid for, and an operator may get
  /// it there yet.
  private func fetch(
    _ url: String, _ reply: UpstreamReply, on loop: isolated EventLoop
  ) async -> IntakeItem {
    let item: IntakeItem
    do { item = try await fetchWhole(url, reply, on: loop) } catch {
      item = .failed(Failure(error))
    }
    if case .failed(let failure) = item {
      context.tellLost(of: id, failure, at: reply.scrubber.withoutKey(url))
    }
    return item
  }

  /// How often a result is begun that breaks off.
  private static let mostBeginnings = 3

  private func fetchWhole(
    _ url: String, _ reply: UpstreamReply, on loop: isolated EventLoop
  ) async throws -> IntakeItem {
    var beginnings = 0
    while true {
      let source = try await reply.fetch(url, on: loop)
      beginnings += 1
      do {
        return try await host(source)
      } catch let failure as UpstreamFailure
        where failure.isTransient && beginnings < Self.mostBeginnings
      {
        source.close()
      }
    }
  }

  private func host(_ source: UpstreamReply) async throws -> IntakeItem {
    let deposit = try await begin()
    var chunk = ByteBuffer(capacity: 64 << 10)
    // One read may hand over several pieces: each chunk of a chunked answer is one.
    while try await source.read({ bytes in
      chunk.reserve(bytes.count)
      chunk.append(bytes)
    }) {
      try await deposit.write(chunk)
      chunk.removeAll()
    }
    return await .paid(try await deposit.finish(), on: context.workers)
  }
}
