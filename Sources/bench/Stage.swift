// Where a bench runs: a folder for its files, the processes that it started, the core of each. All
// of it is gone when the bench ends, however it ends.
internal import Foundation
internal import Kernel
internal import Synchronization

/// The folder and the processes of one bench.
final class Stage: Sendable {
  /// Cores, as taskset(1) takes them.
  enum Cores: String {
    case servers = "0"
    case clients = "1"
    case both = "0,1"
  }
  let folder: URL
  /// Whether servers have a core of their own.
  let hasTwoCores: Bool
  private let children = Mutex<(pids: [Int32], isClosed: Bool)>(([], false))

  /// Makes the folder and clears everything when a signal ends the bench.
  init() throws {
    let name = "assetd-bench-\(ProcessInfo.processInfo.processIdentifier)"
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    hasTwoCores = SystemInfo.coreCount >= 2 && Tool.find("taskset") != nil
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    Interruption.watch { [self] number in
      clear()
      ProcessLife.end(128 + number)
    }
    // Threads and processes that start from here on stay away from the servers' core.
    if hasTwoCores {
      _ = try run(["taskset", "-a", "-p", "-c", Cores.clients.rawValue, "\(getpid())"])
    }
  }

  /// Makes a folder in the stage's.
  func makeFolder(_ name: String) throws -> URL {
    let url = folder.appending(path: name)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  /// Makes the kernel's free memory real. A virtual machine gives it back to its host and pays for
  /// every page that it takes again, in the processor time of whoever writes: 3 ms for 1.5 MB, more
  /// than all the rest of an ingest. The pages of a file that was just removed are taken next.
  func warmPages(bytes: Int) throws {
    let file = folder.appending(path: "warm")
    let piece = Data(count: 8 << 20)
    try Data().write(to: file)
    let handle = try FileHandle(forWritingTo: file)
    for _ in 0...bytes / piece.count { try handle.write(contentsOf: piece) }
    try handle.close()
    try FileManager.default.removeItem(at: file)
  }

  /// Starts a program on `cores`. Its standard error goes to the file `log`, else nowhere.
  func start(
    _ words: [String], cores: Cores = .clients, environment: [String: String] = [:],
    log: URL? = nil
  ) throws -> Child {
    guard let program = Tool.find(words[0]) else { throw Trouble("\(words[0]) is not installed.") }
    var command = [program.path] + words.dropFirst()
    if cores != .clients, hasTwoCores, let taskset = Tool.find("taskset") {
      command = [taskset.path, "-c", cores.rawValue] + command
    }
    let child = try Child(command, in: folder, environment: environment, log: log)
    // Under the lock, so that `clear` either sees the process or prevents it.
    try children.withLock { children in
      guard !children.isClosed else { throw Trouble("The bench is ending.") }
      try child.process.run()
      children.pids.append(child.pid)
    }
    return child
  }

  /// Runs a program to its end; what it printed.
  ///
  /// - Throws: `Trouble` when it failed.
  func run(
    _ words: [String], cores: Cores = .clients, environment: [String: String] = [:]
  ) throws -> String {
    let log = folder.appending(path: "run.err")
    let child = try start(words, cores: cores, environment: environment, log: log)
    let output = child.readToEnd()
    guard wait(for: child) == 0 else {
      let said = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw Trouble("\(words[0]) failed: \(said)\(output)")
    }
    return output
  }

  /// Waits until the program has ended; its exit status.
  func wait(for child: Child) -> Int32 {
    child.process.waitUntilExit()
    children.withLock { $0.pids.removeAll { $0 == child.pid } }
    return child.process.terminationStatus
  }

  /// Ends a server at once: its files are the stage's and go with it.
  func stop(_ child: Child) {
    Self.end(child.pid)
    _ = wait(for: child)
  }

  /// Ends everything, removes everything; more than once is no harm.
  func clear() {
    children.withLock { children in
      children.isClosed = true
      for pid in children.pids { Self.end(pid) }
    }
    // A program that was just ended may still have put a file beside those that are removed.
    for _ in 0..<40 {
      try? FileManager.default.removeItem(at: folder)
      guard FileManager.default.fileExists(atPath: folder.path) else { return }
      usleep(50_000)
    }
  }

  /// The whole group: Foundation starts every process in one of its own, and nginx has a worker.
  private static func end(_ pid: Int32) {
    guard pid > 1 else { return }
    kill(-pid, SIGKILL)
    kill(pid, SIGKILL)
  }
}

/// What ends a program from outside, as a call on a thread; `bench … | head` is SIGPIPE. A handler
/// and not a blocked signal: programs that are started would inherit the mask.
enum Interruption {
  private static let number = Atomic<Int32>(0)

  /// Leaves the end of the program to `watch`, if a signal came: what fails then fails because of
  /// it.
  static func giveWay() {
    while number.load(ordering: .relaxed) != 0 { usleep(50_000) }
  }

  /// Calls `body` with the signal's number when one comes.
  static func watch(_ body: @escaping @Sendable (Int32) -> Void) {
    for kind in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
      signal(kind) { Interruption.number.store($0, ordering: .relaxed) }
    }
    try? KernelThread.start(name: "interruption", isAwaited: false) {
      while number.load(ordering: .relaxed) == 0 { usleep(50_000) }
      body(number.load(ordering: .relaxed))
    }
  }
}
