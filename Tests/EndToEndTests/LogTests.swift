import Foundation
import Glibc
import Testing

// The log's streams are given to the daemon, and may be of any kind: nobody reads them, their
// reader is gone, their disk is full, they are not there. It serves all the same.

@Suite struct LogTests {
  /// A pipe; the test reads it or not. Nobody else has its ends.
  private final class Pipe {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    /// Not pipe(2): other tests' children would inherit its ends before they are close-on-exec.
    init(in scratch: Scratch) throws {
      let path = scratch.path + "/log"
      try #require(unsafe mkfifo(path, 0o600) == 0)
      reading = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      writing = unsafe open(path, O_WRONLY | O_CLOEXEC)
      try #require(reading >= 0 && writing >= 0)
      _ = fcntl(reading, F_SETFL, 0)
    }

    deinit {
      closeReading()
      closeWriting()
    }

    func closeReading() { Self.close(&reading) }
    func closeWriting() { Self.close(&writing) }

    private static func close(_ number: inout Int32) {
      if number >= 0 { Glibc.close(number) }
      number = -1
    }
  }

  /// A line of this path is long: 5,000 of them fill every buffer there is.
  private static let longPath = "/images/" + String(repeating: "a/", count: 450)

  private func ask(_ daemon: Daemon, _ count: Int, _ path: String, status: Int) throws {
    let client = try RawClient(daemon.base)
    for _ in 0..<count { try #require(try client.get(path) == status) }
  }

  private func dropped(_ daemon: Daemon, _ rank: String) throws -> Int {
    let page = try curl("-f", daemon.base + "/metrics").text
    let name = "assetd_log_lines_dropped_total{rank=\"\(rank)\"} "
    let line = try #require(page.split(separator: "\n").first { $0.hasPrefix(name) })
    return try #require(Int(line.dropFirst(name.count)))
  }

  /// A8: container runtimes and journald may stop to read.
  @Test func nobodyReadsStandardError() throws {
    let scratch = try Scratch()
    let pipe = try Pipe(in: scratch)
    let daemon = try Daemon(scratch.path + "/store", errors: .given(pipe.writing))
    pipe.closeWriting()
    try ask(daemon, 5000, Self.longPath, status: 404)
    #expect(try dropped(daemon, "expendable") > 0)
    #expect(try dropped(daemon, "kept") == 0)
    // What an operator should look at has room of its own.
    daemon.signal(1)
    #expect(try status(daemon.base + "/healthz") == 200)
    #expect(try dropped(daemon, "kept") == 0)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  @Test func theReaderOfStandardErrorIsGone() async throws {
    let scratch = try Scratch()
    let pipe = try Pipe(in: scratch)
    let daemon = try Daemon(scratch.path + "/store", errors: .given(pipe.writing))
    pipe.closeReading()
    daemon.signal(1)
    try ask(daemon, 10, "/images/none.png", status: 404)
    try await until("lines are lost") {
      try dropped(daemon, "expendable") >= 10 && dropped(daemon, "kept") > 0
    }
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// Standard output too: the line with the address is for nobody.
  @Test func theDiskOfTheLogIsFull() async throws {
    let scratch = try Scratch()
    let configuration = "{ log: { access: \"stdout\" } }"
    let daemon = try Daemon(
      scratch.path + "/store", configuration: configuration, errors: .file("/dev/full"))
    try ask(daemon, 10, "/images/none.png", status: 404)
    daemon.signal(1)
    try await until("an event is lost") { try dropped(daemon, "kept") > 0 }
    // The access log goes elsewhere: only events are lost.
    #expect(try dropped(daemon, "expendable") < 10)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// What we open first must not get the numbers of the standard streams.
  @Test func withoutStandardStreams() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    let child = try Child(
      "/bin/sh",
      [
        "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-", Daemon.program, "--storage", root, "--listen",
        "127.0.0.1:0",
      ])
    let socket = root + "/admin.sock"
    func about() throws -> String {
      try curl("-f", "--unix-socket", socket, "http://localhost/admin/about").text
    }
    try await until("it serves") {
      try FileManager.default.fileExists(atPath: socket) && about().contains("127.0.0.1:")
    }
    for number in 0...2 {
      let place = "/proc/\(child.processIdentifier)/fd/\(number)"
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place) == "/dev/null")
    }
    kill(child.processIdentifier, 1)
    #expect(try about().contains("127.0.0.1:"))
    kill(child.processIdentifier, 15)
    #expect(child.exitStatus == 0)
  }

  /// What means nothing to the daemon does not end it.
  @Test func straySignalsAreIgnored() throws {
    let scratch = try Scratch()
    let daemon = try Daemon(scratch.path + "/store")
    for number: Int32 in [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPIPE, SIGXFSZ] {
      daemon.signal(number)
      #expect(try status(daemon.base + "/healthz") == 200, "signal \(number)")
    }
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// An operator whose slip changes nothing hears of it all the same.
  @Test func aKeyRingThatCanNotBeUsedIsTold() async throws {
    let scratch = try Scratch()
    let log = scratch.path + "/log"
    let daemon = try Daemon(scratch.path + "/store", errors: .file(log))
    let file = URL(fileURLWithPath: daemon.root + "/keyring.json")
    try Data("{".utf8).write(to: file)
    try await until("it is told") {
      try String(contentsOfFile: log, encoding: .utf8).contains("the key ring can not be used")
    }
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
  }

  /// What the daemon collects by itself, and will not, is told without anyone who asks.
  @Test func aSweepThatStopsByItselfIsTold() async throws {
    let scratch = try Scratch()
    let root = scratch.path + "/store"
    try Daemon(root).crash()
    // Older than the catalogue, in the folder that is looked at first.
    let orphan = root + "/blobs/00/" + String(repeating: "0", count: 64) + "-00000005"
    try Data([1]).write(to: URL(fileURLWithPath: orphan))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: orphan)
    let log = scratch.path + "/log"
    let daemon = try Daemon(root, configuration: "{ gc: { interval: '1s' } }", errors: .file(log))
    try await until("it is told") {
      try String(contentsOfFile: log, encoding: .utf8).contains("the orphan sweep has stopped")
    }
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
    #expect(FileManager.default.fileExists(atPath: orphan))
  }

  /// The client whom trusted proxies name, and why it was refused.
  @Test func linesNameTheClientAndTheReason() async throws {
    let scratch = try Scratch()
    let log = scratch.path + "/log"
    let daemon = try Daemon(
      scratch.path + "/store", configuration: "{ trusted_proxies: ['127.0.0.1'] }",
      errors: .file(log))
    let file = try scratch.file("a.png", png(seed: 1, bytes: 9000))
    let answer = try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
      daemon.base + "/v1/assets?retention=permanent")
    let url = try answer.decoded(AssetAnswer.self).url
    let through = ["-H", "X-Forwarded-For: 203.0.113.9"]
    let rows: [(arguments: [String], status: Int, code: String?)] = [
      ([url], 200, nil), (["-r", "90000-", url], 416, "range_not_satisfiable"),
      (["-H", "If-Match: \"x\"", url], 412, "precondition_failed"),
      ([daemon.base + "/images/none.png"], 404, "not_found"),
      ([daemon.base + "/v1/assets/img-0"], 404, "not_found"),
      ([daemon.base + "/nothing"], 404, "unknown_url"),
      (["-d", "x", daemon.base + "/v1/assets"], 415, "unsupported_content_type"),
    ]
    for row in rows {
      let format = ["-s", "-o", "/dev/null", "-w", "%{http_code}"]
      #expect(try run("/usr/bin/curl", format + through + row.arguments).text == "\(row.status)")
    }
    #expect(try status(daemon.base + "/nothing") == 404)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
    let lines = try Data(contentsOf: URL(fileURLWithPath: log))
      .split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: $0) }
    let proxied = lines.filter { $0.peer == "203.0.113.9" }
    // Loops write their lines when they have some: only each loop's own are in order.
    let found = proxied.map { "\($0.status ?? 0) \($0.code ?? "-")" }.sorted()
    #expect(found == rows.map { "\($0.status) \($0.code ?? "-")" }.sorted())
    #expect(lines.filter { $0.peer == "127.0.0.1" && $0.code == "unknown_url" }.count == 1)
  }

  private struct Line: Decodable {
    let status: Int?
    let peer: String?
    let code: String?
    let time: String
    let message: String?
    let path: String?
    let requestID: String?
    enum CodingKeys: String, CodingKey {
      case status, peer, code, time, message, path, requestID = "request_id"
    }
  }

  /// Every line is one JSON object, none is missing, and each connection's are in their order; also
  /// on a pipe that another program has set to nonblocking.
  @Test(arguments: [false, true])
  func nothingIsLostInNormalOperation(nonblocking: Bool) async throws {
    let scratch = try Scratch()
    let pipe = try Pipe(in: scratch)
    if nonblocking { _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK) }
    let daemon = try Daemon(scratch.path + "/store", errors: .given(pipe.writing))
    pipe.closeWriting()
    let reader = FileHandle(fileDescriptor: dup(pipe.reading), closeOnDealloc: true)
    // Not in a task: two of them would block all threads that the other tests' tasks have.
    let (pieces, gathering) = AsyncStream.makeStream(of: Data.self)
    Thread.detachNewThread {
      gathering.yield(reader.readDataToEndOfFile())
      gathering.finish()
    }
    let base = daemon.base
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          let client = try RawClient(base)
          for index in 0..<200 { try client.get("/images/\(number)-\(index).png") }
        }
      }
      try await group.waitForAll()
    }
    daemon.signal(1)
    daemon.signal(15)
    #expect(daemon.process.exitStatus == 0)
    var text = Data()
    for await piece in pieces { text += piece }
    let lines = try text.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Line.self, from: $0)
    }
    #expect(lines.first?.message == "started" && lines.last?.message == "ended")
    let messages = lines.compactMap(\.message)
    #expect(messages.contains { $0.hasPrefix("SIGHUP") } && messages.contains("draining"))
    for number in 0..<8 {
      let own = lines.compactMap(\.path).filter { $0.hasPrefix("/images/\(number)-") }
      #expect(own == (0..<200).map { "/images/\(number)-\($0).png" })
    }
  }
}
