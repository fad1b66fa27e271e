import Foundation
import Glibc
import Testing

/// A connection of exact bytes, which may end as clients do: half-closed, closed or reset.
final class RawClient {
  struct Failure: Error { let code: Int32 }
  private let number: Int32
  private var isOpen = true

  /// Connects to the daemon; every call gives up after 30 s.
  init(_ base: String) throws {
    number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    try #require(number >= 0, "errno \(errno)")
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    unsafe setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = try #require(UInt16(base.split(separator: ":").last ?? "")).bigEndian
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      let code = errno
      close()
      throw Failure(code: code)
    }
  }

  deinit { close() }

  func send(_ text: String) { send(Data(text.utf8)) }

  /// Sends as much as the daemon takes before it closes.
  func send(_ data: Data) {
    var rest = data
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Receives at most `count` bytes; empty at the end, `nil` after a reset.
  func receive(_ count: Int) throws -> Data? {
    var buffer = [UInt8](repeating: 0, count: count)
    let got = unsafe recv(number, &buffer, count, 0)
    if got < 0 {
      try #require(errno == ECONNRESET, "errno \(errno)")
      return nil
    }
    return Data(buffer.prefix(got))
  }

  /// Receives until the daemon ends the connection.
  @discardableResult
  func receiveToEnd() throws -> Data {
    var all = Data()
    while let more = try receive(1 << 18), !more.isEmpty { all += more }
    return all
  }

  /// Sends a GET and receives its whole answer; the status.
  @discardableResult
  func get(_ path: String) throws -> Int {
    send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    var all = Data()
    var length: Int?
    while true {
      if length == nil, let end = all.range(of: Data("\r\n\r\n".utf8)) {
        let head = String(decoding: all[..<end.lowerBound], as: UTF8.self)
        let field = try #require(head.firstRange(of: "Content-Length: "))
        length = end.upperBound + (Int(head[field.upperBound...].prefix { $0.isNumber }) ?? 0)
      }
      if let length, all.count >= length { break }
      let more = try #require(try receive(1 << 18))
      try #require(!more.isEmpty, "the connection ended")
      all += more
    }
    return Int(String(decoding: all.dropFirst(9).prefix(3), as: UTF8.self)) ?? 0
  }

  func finish() { shutdown(number, Int32(SHUT_WR)) }

  func reset() {
    var none = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      number, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func close() {
    if isOpen { Glibc.close(number) }
    isOpen = false
  }
}

extension Daemon {
  /// How many descriptors it has open.
  func descriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd")
      .count
  }

  /// What each of its descriptors is, without the numbers in the names.
  func descriptorKinds() throws -> [String] {
    let folder = "/proc/\(process.processIdentifier)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      return target?.filter { !$0.isNumber }
    }.sorted()
  }

  /// A number of `assetctl stats`.
  func stat(_ name: String) throws -> Int {
    let answer = try curl("--unix-socket", root + "/admin.sock", "http://localhost/admin/stats")
    let values = try JSONSerialization.jsonObject(with: answer.output) as? [String: Any]
    return try #require(values?[name] as? Int, "\(answer.text) \(answer.errors)")
  }

  /// Hosts an image for good; the path of its URL.
  func host(_ image: Data, _ scratch: Scratch) throws -> String {
    let file = try scratch.file("hosted.png", image)
    let asset = try curl(
      "-f", "-H", "Content-Type: image/png", "--data-binary", "@" + file,
      base + "/v1/assets?retention=permanent"
    ).decoded(AssetAnswer.self)
    return try #require(URL(string: asset.url)).path
  }
}
