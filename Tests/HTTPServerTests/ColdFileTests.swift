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
    for nth in [nil, 1, 2] {
      let calls = try await calls(bytes: 60_000, coldAt: nth)
      // Short of memory, the kernel may call the file cold at the first look.
      #expect(calls.starts(with: [.recv, .send, .preadv2]), "\(calls)")
      #expect(calls.count { $0 == .preadv2 } <= 2 && calls.count { $0 == .sendfile } == 1)
    }
    #expect(try await calls(bytes: 60_000, coldAt: nil, after: 3) == [.recv, .send, .sendfile])
  }

  /// While a file is brought from the disk, the next reader does not take it for one that is here.
  @Test func whoComesMeanwhileIsFetchedForToo() async throws {
    let readers = try ColdReaders(threads: 1, queueLimit: 8)
    defer { readers.stop() }
    let server = try await server(60_000, readers)
    let gate = DispatchSemaphore(value: 0)
    let blocked = Task { try await readers.workers.run { gate.wait() } }
    try await server.probe.until("no reading") { readers.workers.pending == 1 }
    let clients = try [server.client(), server.client()]
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    for (index, client) in clients.enumerated() {
      SystemCallTrace.fail(.preadv2, nth: 1, code: Self.again, thread: thread)
      try client.send(get("/file"))
      try await server.probe.until("no fetch") { readers.workers.pending == 2 + index }
    }
    _ = SystemCallTrace.stop(thread: thread)
    gate.signal()
    try await blocked.value
    for client in clients { #expect(try client.readAnswer().body.count == 60_000) }
    try await server.end()
  }

  /// Each turn of a large file is looked at; no read of it is on the loop's thread.
  @Test(arguments: [nil, 1, 6, 13]) func largeFilesAreLookedAtEachTurn(_ nth: Int?) async throws {
    let calls = try await calls(bytes: 6 << 20, coldAt: nth)
    let looks = calls.count { $0 == .preadv2 }
    // Five in each of three turns, fewer in one that is cold; the kernel may say so of another one,
    // too, when it is short of memory.
    #expect((nth == nil ? 11...15 : 7...14).contains(looks), "\(looks)")
    #expect(!calls.contains(.pread) && !calls.contains(.readahead))
    #expect(calls.contains(.sendfile))
  }

  /// A client that leaves meanwhile is let go at once, and others are served.
  @Test func clientMayLeaveWhileItsFileIsFetched() async throws {
    let readers = try ColdReaders(threads: 1, queueLimit: 8)
    defer { readers.stop() }
    let server = try await server(60_000, readers)
    let gate = DispatchSemaphore(value: 0)
    let blocked = Task { try await readers.workers.run { gate.wait() } }
    try await server.probe.until("no reading") { readers.workers.pending == 1 }
    let client = try server.client()
    _ = try client.ask(get("/a"))
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.preadv2, nth: 1, code: Self.again, thread: thread)
    try client.send(get("/file"))
    try await server.probe.until("no fetch") { readers.workers.pending == 2 }
    _ = SystemCallTrace.stop(thread: thread)
    let other = try server.client()
    #expect(try other.ask(get("/file")).body.count == 60_000)
    try client.reset()
    try await server.probe.until("not let go") { server.server.connectionCount == 1 }
    gate.signal()
    try await blocked.value
    try await server.probe.until("still fetched") { readers.workers.pending == 0 }
    #expect(try other.ask(get("/file")).body.count == 60_000)
    #expect(server.probe.all.filter(\.outcome.isAborted).count == 1)
    try await server.end()
  }
}
