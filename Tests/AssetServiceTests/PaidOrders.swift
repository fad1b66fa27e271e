import Dispatch
import Kernel
import Store
import Synchronization
import Testing
import Wire

@testable import AssetService
@testable import Net

// Orders that a test holds at a place of the paid path.

extension FakeUpstream {
  /// Answers as `reply` says; orders of the prompt "held" wait for `release`.
  static func holding(
    _ reply: @escaping @Sendable (String) -> FakeReply
  ) async throws -> FakeUpstream {
    try await FakeUpstream { request in
      var reply = reply(request)
      reply.waits = request.contains("\"prompt\":\"held\"")
      return reply
    }
  }

  /// How often an order of this prompt was sent.
  func calls(_ prompt: String) -> Int {
    requests.count { $0.contains("\"prompt\":\"\(prompt)\"") }
  }
}

extension FrontCase {
  /// One loop is enough, and then what a client did before a request of another is known by its
  /// answer. The upstream takes one call at a time; an order is promised one block.
  static func oneByOne(_ upstream: FakeUpstream, keys: Bool = false) -> String {
    """
    \(keys ? "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }," : "")
    upstreams: [ { name: "fake", dialect: "openai", base_url: "\(upstream.origin)/v1",
                   max_concurrent: 1 } ],
    models: [ { id: "fake", upstream: "fake", expected_bytes: 4096 },
              { id: "slow", upstream: "fake", timeout: "1s", expected_bytes: 4096 } ]
    """
  }
}

/// Runs `body` with a service of one loop whose upstream takes one call at a time.
func withOneByOne(
  _ upstream: FakeUpstream, storage: String = "", keys: Bool = false,
  _ body: (TestService) async throws -> Void
) async throws {
  do {
    try await withService(
      FrontCase.oneByOne(upstream, keys: keys), storage: storage, loops: 1, body)
  } catch {
    await upstream.stop()
    throw error
  }
  await upstream.stop()
}

extension TestService {
  /// Sends an order and does not wait for its answer.
  func begin(
    _ prompt: String = "a fox", _ more: String = "", model: String = "fake",
    fields: [String] = []
  ) throws -> TestClient {
    let client = try client()
    let order = FrontCase.order(prompt, more, model: model)
    let lines =
      ["Host: 127.0.0.1", "Content-Type: application/json", "Content-Length: \(order.utf8.count)"]
      + fields
    let head = "POST /v1/images/generations HTTP/1.1\r\n" + lines.joined(separator: "\r\n")
    try client.send(head + "\r\n\r\n" + order)
    return client
  }

  /// Comes back when so many orders hold their space: the last one is in line, or further.
  func untilTaken(_ orders: Int64) async throws {
    try await until("the orders are taken") {
      service.context.store.space.reserved >= orders * 4096
    }
  }

  /// Comes back when no generation runs.
  func untilOver() async throws {
    try await until("the orders are over") { service.context.budgets.running(.generation) == 0 }
  }

  /// Assets of all owners.
  var assets: Int? {
    get throws { try admin("GET", "/admin/stats").json["assets"]?.int }
  }
}

/// Makes system calls of a service's workers fail; they all run in this process, beside those of
/// other tests.
final class WorkerFaults {
  private let threads: [Int32]

  init(_ service: TestService) async {
    let workers = service.service.context.workers
    let meeting = Meeting(workers.threads)
    threads = await withTaskGroup(of: Int32?.self) { group in
      for _ in 0..<workers.threads {
        group.addTask {
          try? await workers.run {
            meeting.come()
            return KernelThread.currentID
          }
        }
      }
      return await group.reduce(into: []) { if let thread = $1 { $0.append(thread) } }
    }
    for thread in threads { SystemCallTrace.start(thread: thread) }
  }

  deinit { stop() }

  /// Makes the `nth` next call of each thread fail, and `times` in all.
  func fail(_ call: SystemCall, nth: Int = 1, code: Int32, times: Int = 1) {
    for thread in threads {
      for time in 0..<times {
        SystemCallTrace.fail(call, nth: time == 0 ? nth : 1, code: code, thread: thread)
      }
    }
  }

  /// No call fails from here on.
  func stop() {
    for thread in threads { _ = SystemCallTrace.stop(thread: thread) }
  }
}

/// Threads that wait for one another: so each of a pool is met once.
private final class Meeting: Sendable {
  private let missing: Mutex<Int>
  private let all: Int
  private let door = DispatchSemaphore(value: 0)

  init(_ threads: Int) {
    all = threads
    missing = Mutex(threads)
  }

  func come() {
    let isLast = missing.withLock {
      $0 -= 1
      return $0 == 0
    }
    if isLast { for _ in 0..<all { door.signal() } }
    door.wait()
  }
}
