// Foundation's Process reads past the end of a directory's buffer when this process has a thousand
// descriptors open (it lists /proc/self/fd), as tests that run beside these do: posix_spawn(3) does
// not look at all.
import Foundation
import Glibc

/// Another program, from its start to its end.
final class Child {
  /// Where a stream of the child goes, or comes from.
  enum Stream {
    case null
    case file(String)
    /// Read it with `readLine` or `readToEnd`.
    case pipe
    /// A descriptor of this process.
    case given(Int32)
  }
  struct Failure: Error {
    let program: String
    let code: Int32
  }

  let processIdentifier: pid_t
  private let output: FileHandle?
  private var status: Int32?

  /// Starts `program`. Its standard input is empty, or with `takesInput` what `write` sends; that
  /// goes with a piped output only.
  init(
    _ program: String, _ arguments: [String], takesInput: Bool = false, output: Stream = .null,
    errors: Stream = .null
  ) throws {
    Self.keepWhatWasGiven
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var ends: [Int32] = [-1, -1]
    // Close-on-exec from the first moment, unlike pipe(2): no other child inherits it.
    if case .pipe = output {
      unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
    }
    if takesInput {
      unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    unsafe Self.add(output, to: 1, ends[1], &actions)
    unsafe Self.add(errors, to: 2, ends[1], &actions)
    // The test's own threads block signals; a program expects them.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, program, &actions, &attributes, &words, environ)
    if ends[1] >= 0 { close(ends[1]) }
    self.output = ends[0] < 0 ? nil : FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    processIdentifier = pid
    guard code == 0 else { throw Failure(program: program, code: code) }
  }

  /// What whoever runs the tests left open in this process is none of the child's.
  private static let keepWhatWasGiven: Void = {
    for number in Int32(3)..<1024 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }()

  deinit {
    if isRunning {
      kill(processIdentifier, SIGKILL)
      waitUntilExit()
    }
  }

  private static func add(
    _ stream: Stream, to number: Int32, _ pipe: Int32, _ actions: inout posix_spawn_file_actions_t
  ) {
    switch stream {
    case .null: unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_WRONLY, 0)
    case .file(let path):
      let flags = O_WRONLY | O_CREAT | O_APPEND
      unsafe posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
    case .pipe: unsafe posix_spawn_file_actions_adddup2(&actions, pipe, number)
    case .given(let own): unsafe posix_spawn_file_actions_adddup2(&actions, own, number)
    }
  }

  /// Sends to the child's standard input.
  func write(_ data: Data) throws { try output?.write(contentsOf: data) }

  /// Ends the child's standard input.
  func finishInput() { if let output { shutdown(output.fileDescriptor, Int32(SHUT_WR)) } }

  /// What has come on the piped stream since the last call; empty at its end.
  func availableData() -> Data { output?.availableData ?? Data() }

  /// All that comes until the child has closed the stream.
  func readToEnd() -> Data {
    var all = Data()
    while let more = output?.availableData, !more.isEmpty { all += more }
    return all
  }

  var isRunning: Bool { status == nil && collect(WNOHANG) == nil }

  @discardableResult
  func waitUntilExit() -> Int32 { collect(0) ?? -1 }

  /// The exit status, or 128 and the signal's number.
  var exitStatus: Int32 { waitUntilExit() }

  private func collect(_ options: Int32) -> Int32? {
    if let status { return status }
    var raw: Int32 = 0
    guard unsafe waitpid(processIdentifier, &raw, options) == processIdentifier else { return nil }
    status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
    return status
  }
}
