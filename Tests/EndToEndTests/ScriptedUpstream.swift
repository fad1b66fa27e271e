import Dispatch
import Foundation
import Glibc
import Synchronization
import Testing

/// An upstream of one test: it counts its orders and answers them as far as the test says. Each
/// connection has a thread of its own, so that none of those that all tests share waits.
final class ScriptedUpstream: Sendable {
  /// One answer: head and body; what is behind `first` bytes waits for `release`.
  struct Answer: Sendable {
    var bytes: Data
    var first: Int

    init(_ status: Int, _ json: String, fields: [String] = [], first: Int = .max) {
      let lines = ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"] + fields
      let head = "HTTP/1.1 \(status) Status\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
      bytes = Data((head + json).utf8)
      self.first = first
    }

    /// An Images API answer of one image, with the request id `req_1`.
    static func image(_ image: Data, first: Int = .max) -> Answer {
      Answer(
        200, "{\"created\":1,\"data\":[{\"b64_json\":\"\(image.base64EncodedString())\"}]}",
        fields: ["x-request-id: req_1"], first: first)
    }
  }

  /// `http://127.0.0.1:<port>`
  let origin: String
  private let listener: Int32
  private let log = Mutex<[String]>([])
  private let gate = DispatchSemaphore(value: 0)
  private let answer: @Sendable (Int, String) -> Answer

  /// `answer` gets the number of each order, from 1, and its JSON.
  init(_ answer: @escaping @Sendable (Int, String) -> Answer) throws {
    self.answer = answer
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    try #require(listener >= 0, "errno \(errno)")
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let number = listener
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, size) == 0 && Glibc.listen(number, 16) == 0
          && getsockname(number, $0, &size) == 0
      }
    }
    try #require(isBound, "errno \(errno)")
    origin = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    Thread.detachNewThread { [self] in listen() }
  }

  /// The orders' JSON, so far.
  var orders: [String] { log.withLock { $0 } }

  /// Sends what waits, and waits with nothing from here on.
  func release() { gate.signal() }

  /// Lets its threads end.
  func stop() {
    release()
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func listen() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { break }
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      Thread.detachNewThread { [self] in
        serve(connection)
        close(connection)
      }
    }
    close(listener)
  }

  /// One order for each connection.
  private func serve(_ connection: Int32) {
    guard let order = receive(from: connection) else { return }
    let number = log.withLock {
      $0.append(order)
      return $0.count
    }
    let answer = answer(number, order)
    send(answer.bytes.prefix(answer.first), to: connection)
    guard answer.first < answer.bytes.count else { return }
    gate.wait()
    gate.signal()
    send(answer.bytes.dropFirst(answer.first), to: connection)
  }

  private func receive(from connection: Int32) -> String? {
    var all = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = all.range(of: Data("\r\n\r\n".utf8)) {
        let head = String(decoding: all[..<end.lowerBound], as: UTF8.self)
        let field = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        let length = field.flatMap { Int($0.dropFirst(16)) } ?? 0
        if all.count >= end.upperBound + length {
          return String(decoding: all[end.upperBound...], as: UTF8.self)
        }
      }
      let count = unsafe recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      all += buffer.prefix(count)
    }
  }

  private func send(_ data: Data, to connection: Int32) {
    var rest = data
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}

/// Runs what blocks on a thread of its own: the tests' tasks share as many as there are cores. It
/// stays the test's task, which its failures belong to.
func onThread(_ body: @Sendable () throws -> Void) async throws {
  try await withTaskExecutorPreference(OwnThread()) { try body() }
}

private final class OwnThread: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    Thread.detachNewThread { [self] in
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
