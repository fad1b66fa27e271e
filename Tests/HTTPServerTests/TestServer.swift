import Foundation
import HTTPServer
import Kernel
import Net
import Synchronization
import Testing

/// What the service tells the test, and what the test tells the service.
final class Probe: Sendable {
  struct Report: Sendable {
    let outcome: ExchangeOutcome
    let note: String
  }
  private let reports = Mutex<[Report]>([])
  private let gates = Mutex<[CheckedContinuation<Void, Never>]>([])
  private let events = Mutex<[String]>([])

  func add(_ report: Report) { reports.withLock { $0.append(report) } }
  var all: [Report] { reports.withLock { $0 } }
  func log(_ event: String) { events.withLock { $0.append(event) } }
  func has(_ event: String) -> Bool { events.withLock { $0.contains(event) } }
  func count(_ event: String) -> Int { events.withLock { $0.count { $0 == event } } }

  /// Holds a handler until the test opens the gate.
  func wait() async {
    await withCheckedContinuation { waiter in gates.withLock { $0.append(waiter) } }
  }
  var waiting: Int { gates.withLock { $0.count } }
  func open() {
    let all = gates.withLock { gates in
      defer { gates = [] }
      return gates
    }
    for waiter in all { waiter.resume() }
  }

  /// Waits for a condition that another thread brings about.
  func until(_ what: Comment, _ condition: () async -> Bool) async throws {
    let end = SystemClock.monotonicNanoseconds + 60_000_000_000
    while await !condition() {
      try #require(SystemClock.monotonicNanoseconds < end, what)
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}

/// One loop with a bare service.
struct TestServer {
  let loop: EventLoop
  let server: HTTPServer
  let endpoint: Endpoint
  let probe: Probe

  init(
    limits: ServerLimits = ServerLimits(), file: SharedFile? = nil, fileBytes: Int64 = 0,
    isExempt: Bool = true, coldReaders: ColdReaders? = nil
  ) async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let probe = Probe()
    server = try await HTTPServer(loops: [loop], limits: limits, coldReaders: coldReaders) { _ in
      TestService(probe: probe, file: file, fileBytes: fileBytes)
    }
    let any = try #require(Endpoint("127.0.0.1:0"))
    endpoint = try await server.listen(at: any) { _ in isExempt }
    self.loop = loop
    self.probe = probe
  }

  func client() throws -> TestClient { try TestClient(endpoint) }

  var thread: Int32 {
    get async { await loop.run { _ in KernelThread.currentID } }
  }

  func untilNoConnections() async throws {
    try await probe.until("a connection is left") { server.connectionCount == 0 }
  }

  /// Ends it; nothing may be left.
  func end() async throws {
    probe.open()
    await server.drain(clientTime: .seconds(0))
    try await untilNoConnections()
    loop.stop()
  }
}

/// A file of `bytes` bytes, already without a name.
func sparseFile(_ bytes: Int) throws -> SharedFile {
  let path = NSTemporaryDirectory() + "assetd-server-\(UUID().uuidString)"
  try #require(FileManager.default.createFile(atPath: path, contents: nil))
  let writer = try #require(FileHandle(forWritingAtPath: path))
  try writer.truncate(atOffset: UInt64(bytes))
  try writer.close()
  let reader = try #require(FileHandle(forReadingAtPath: path))
  try FileManager.default.removeItem(atPath: path)
  let copy = try #require(duplicate(reader.fileDescriptor))
  return SharedFile(owning: OwnedFileDescriptor(owning: copy))
}

private func duplicate(_ number: Int32) -> Int32? {
  let copy = dup(number)
  return copy < 0 ? nil : copy
}
