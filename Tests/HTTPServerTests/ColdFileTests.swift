import Dispatch
import HTTPServer
import Kernel
import Net
import Testing

@testable import Net

/// A file that is not in memory is brought there by other threads (ARCHITECTURE.md §4.3). Which
/// file that is, is forced at the kernel's seam.
struct ColdFileTests {
  private static let again: Int32 = 11

  private func server(_ bytes: Int, _ readers: ColdReaders) async throws -> TestServer {
    try await TestServer(
      file: try sparseFile(bytes), fileBytes: Int64(bytes), coldReaders: readers)
  }

  /// The loop's calls about sockets and files while a client asks, after it asked `before` times;
  /// the `nth` look at the file says that it is cold.
  private func calls(
    bytes: Int, coldAt nth: Int?, after before: Int = 0
  ) async throws -> [SystemCall] {
    let readers = try ColdReaders(threads: 1, queueLimit: 8)
    defer { readers.stop() }
    let server = try await server(bytes, readers)
    let client = try server.client()
    _ = try client.ask(get("/a"))
    for _ in 0..<before { #expect(try client.ask(get("/file")).body.count == bytes) }
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    if let nth { SystemCallTrace.fail(.preadv2, nth: nth, code: Self.again, thread: thread) }
    #expect(try client.ask(get("/file")).body.count == bytes)
    let calls = SystemCallTrace.stop(thread: thread)
    try await server.end()
    // Waiting and being woken come as often as they come.
    return calls.filter { ![.epollWait, .write, .read].contains($0) }
  }

  /// Two looks at a small file, at its ends; none at one that was found in memory just now.
  @Test func smallFilesAreLookedAtOnce() async throws {
    let looked: [SystemCall] = [.recv, .send, .preadv2, .preadv2, .sendfile]
    try await untilWarm { try await calls(bytes: 60_000, coldAt: nil) == looked }
    // An answer that was waited for is followed by a look for the next request.
    try await untilWarm { try await calls(bytes: 60_000, coldAt: 2).starts(with: looked) }
    try await untilWarm {
      try await calls(bytes: 60_000, coldAt: nil, after: 1) == [.recv, .send, .sendfile]
    }
  }

  /// Short of memory the kernel may call any file cold, but not every time.
  private func untilWarm(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<20 where try await condition() { return }
    Issue.record("never as expected")
  }

  /// Readers whose only thread is held until `release`.
  private struct HeldReaders {
    let readers: ColdReaders
    private let gate = DispatchSemaphore(value: 0)
    private let held: Task<Void, any Error>

    init() throws {
      let (readers, gate) = (try ColdReaders(threads: 1, queueLimit: 8), gate)
      self.readers = readers
      held = Task { try await readers.workers.run { gate.wait() } }
    }

    var pending: Int { readers.workers.pending }

    func release() async throws {
      gate.signal()
      try await held.value
    }
  }

  /// While a file is brought from the disk, the next reader does not take it for one that is here.
  @Test func whoComesMeanwhileIsFetchedForToo() async throws {
    let held = try HeldReaders()
    defer { held.readers.stop() }
    let server = try await server(60_000, held.readers)
    try await server.probe.until("no reading") { held.pending == 1 }
    let clients = try [server.client(), server.client()]
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    for (index, client) in clients.enumerated() {
      SystemCallTrace.fail(.preadv2, nth: 1, code: Self.again, thread: thread)
      try client.send(get("/file"))
      try await server.probe.until("no fetch") { held.pending == 2 + index }
    }
    _ = SystemCallTrace.stop(thread: thread)
    try await held.release()
    for client in clients { #expect(try client.readAnswer().body.count == 60_000) }
    try await server.end()
  }

  /// Each turn of a large file is looked at; no read of it is on the loop's thread.
  @Test(arguments: [nil, 1, 6, 13]) func largeFilesAreLookedAtEachTurn(_ nth: Int?) async throws {
    // Five in each of three turns; none after the one that said it is cold.
    let expected = nth.map { 15 - (5 - ($0 - 1) % 5 - 1) } ?? 15
    try await untilWarm {
      let calls = try await calls(bytes: 6 << 20, coldAt: nth)
      #expect(!calls.contains(.pread) && !calls.contains(.readahead))
      #expect(calls.contains(.sendfile))
      return calls.count { $0 == .preadv2 } == expected
    }
  }

  /// A client that leaves meanwhile is let go at once, and others are served.
  @Test func clientMayLeaveWhileItsFileIsFetched() async throws {
    let held = try HeldReaders()
    defer { held.readers.stop() }
    let server = try await server(60_000, held.readers)
    try await server.probe.until("no reading") { held.pending == 1 }
    let client = try server.client()
    _ = try client.ask(get("/a"))
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.preadv2, nth: 1, code: Self.again, thread: thread)
    try client.send(get("/file"))
    try await server.probe.until("no fetch") { held.pending == 2 }
    _ = SystemCallTrace.stop(thread: thread)
    let other = try server.client()
    #expect(try other.ask(get("/file")).body.count == 60_000)
    try client.reset()
    try await server.probe.until("not let go") { server.server.connectionCount == 1 }
    try await held.release()
    try await server.probe.until("still fetched") { held.pending == 0 }
    #expect(try other.ask(get("/file")).body.count == 60_000)
    #expect(server.probe.all.filter(\.outcome.isAborted).count == 1)
    try await server.end()
  }
}
