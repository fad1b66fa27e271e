import Foundation
import Testing

@testable import Kernel

struct StreamSocketTests {
  private func name() -> String { NSTemporaryDirectory() + "assetd-\(UUID().uuidString).socket" }

  @Test func staleNameIsClearedALiveOneIsNot() throws {
    let address = SocketAddress(.path(name()))
    try StreamSocket.clearStaleName(of: address)
    do { _ = try StreamSocket.listen(on: address) }
    #expect(throws: Errno(.bind, code: 98)) {
      _ = try StreamSocket.listen(on: address)
    }
    try StreamSocket.clearStaleName(of: address)
    do {
      let live = try StreamSocket.listen(on: address)
      #expect(throws: Errno(.bind, code: 98)) { try StreamSocket.clearStaleName(of: address) }
      _ = consume live
    }
    try StreamSocket.clearStaleName(of: address)
    #expect(!FileManager.default.fileExists(atPath: address.description))
  }

  /// A file that is no socket is none of ours.
  @Test func otherFilesStay() throws {
    let path = name()
    try #require(FileManager.default.createFile(atPath: path, contents: nil))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try? StreamSocket.clearStaleName(of: SocketAddress(.path(path)))
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func longNameIsRefusedNotCut() {
    let long = SocketAddress(.path("/tmp/" + String(repeating: "a", count: 103)))
    #expect(throws: Errno(.bind, code: 36)) {
      _ = try StreamSocket.listen(on: long)
    }
  }

  @Test func bytesGoBothWaysAndEnd() throws {
    let listener = try StreamSocket.listen(
      on: try #require(SocketAddress("127.0.0.1:0")))
    var peer = SocketAddress(.path(""))
    #expect(try listener.accept(&peer) == nil)
    let client = try StreamSocket.connect(to: try listener.localAddress())
    let poller = try Poller(capacity: 8)
    try poller.addReadOnly(listener.number, token: 1)
    #expect(try poller.wait(milliseconds: 5000) == 1)
    guard let server = try listener.accept(&peer) else {
      Issue.record("nobody waits")
      return
    }
    #expect(peer.isLoopback)
    #expect(try client.pendingError() == nil)
    #expect(try client.send([UInt8]("hello".utf8).span, more: false) == 5)
    try client.finishSending()
    try poller.add(server.number, token: 2)
    #expect(try poller.wait(milliseconds: 5000) == 1)
    #expect(poller.event(0).token == 2)
    #expect(poller.event(0).readiness.contains(.readable))
    var got: [UInt8] = []
    try got.append(addingCapacity: 16) { output in _ = try server.receive(into: &output) }
    #expect(String(decoding: got, as: UTF8.self) == "hello")
    var count: Int?
    try got.append(addingCapacity: 16) { output in count = try server.receive(into: &output) }
    #expect(count == 0)
  }

  @Test func refusedConnectionIsAnError() throws {
    let free = try StreamSocket.listen(
      on: try #require(SocketAddress("127.0.0.1:0"))
    ).localAddress()
    let socket = try? StreamSocket.connect(to: free)
    guard let socket else { return }
    let poller = try Poller(capacity: 1)
    try poller.add(socket.number, token: 1)
    _ = try poller.wait(milliseconds: 5000)
    #expect(try socket.pendingError()?.code == 111)
  }
}
