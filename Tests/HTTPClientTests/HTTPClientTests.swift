import Kernel
import Net
import Testing
import Wire

@testable import HTTPClient

/// What is sent, over which connection, and what a caller is told of its fate.
struct HTTPClientTests {
  static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  @Test("The request, byte for byte")
  func request() async throws {
    var calls = Calls()
    calls.path = "/a%2Fb?x=1&y=%20#part"
    calls.change = { _, request in
      request.method = .post
      request.fields = [.init("Content-Type", "text/plain"), .init("X-Empty", "")]
      request.body = .bytes(Array("hello".utf8))
    }
    let outcome = try await calls.run([[Step].answer(Self.ok)])
    #expect(outcome.answers == [.success(200, "ok")])
    let text = try #require(outcome.received.first)
    #expect(text.hasPrefix("POST /a%2Fb?x=1&y=%20 HTTP/1.1\r\nHost: 127.0.0.1:"))
    #expect(
      text.hasSuffix(
        "\r\nContent-Type: text/plain\r\nX-Empty: \r\nAccept-Encoding: identity\r\n"
          + "Content-Length: 5\r\n\r\nhello"
      ))
  }

  @Test("A body that is written piece by piece")
  func streamedBody() async throws {
    var calls = Calls()
    calls.change = { _, request in
      request.method = .post
      request.body = .stream(length: 3 << 20) { writer in
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        for _ in 0..<3 { try await writer.write(piece.span) }
      }
    }
    let outcome = try await calls.run([[Step].answer(Self.ok)])
    #expect(outcome.answers == [.success(200, "ok")])
    #expect(outcome.received[0].hasSuffix(String(repeating: "a", count: 3 << 20)))
    #expect(outcome.idle == 1)
  }

  @Test("A body that is not as long as was said fails the call", arguments: [4, 6])
  func wrongBodyLength(_ length: Int64) async throws {
    var calls = Calls()
    calls.change = { _, request in
      request.method = .post
      request.body = .stream(length: length) { writer in
        let piece = Array("hello".utf8)
        try await writer.write(piece.span)
      }
    }
    let failure = try await calls.answer([.request]).failure
    #expect(failure?.isBeforeSending == false)
    guard case .bodyFailed = failure else { throw Unexpected() }
  }

  struct Unexpected: Error {}

  @Test("A server that answers before it has the whole body is heard")
  func earlyAnswer() async throws {
    var calls = Calls()
    calls.change = { _, request in
      request.method = .post
      request.body = .bytes([UInt8](repeating: 0x61, count: 16 << 20))
    }
    let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    let outcome = try await calls.run([[.readOnly(100), .turns(8), .send(refusal)]])
    #expect(outcome.answers == [.success(413, "no")])
    #expect(outcome.idle == 0)
  }

  @Test(
    "What can not be sent is refused before a connection is made",
    arguments: ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
  func badField(_ value: String) async throws {
    var calls = Calls()
    calls.change = { _, request in request.fields = [.init("X-Field", value)] }
    let outcome = try await calls.run([[Step].answer(Self.ok)])
    guard case .badRequest = outcome.answers[0].failure else { throw Unexpected() }
    #expect(outcome.received.isEmpty)
  }

  // MARK: What is known of the request's fate

  @Test("Nobody listens: nothing was sent")
  func refused() async throws {
    // Not a port that was free a moment ago: another program may have it by now.
    let port = 1
    var calls = Calls()
    calls.change = { _, request in
      guard let url = try? ClientURL(Array("http://127.0.0.1:\(port)/".utf8)) else { return }
      request.url = url
    }
    let answer = try await calls.answer([])
    #expect(
      answer == .failure(.unreachable("127.0.0.1: connect: Connection refused")))
    #expect(answer.failure?.isBeforeSending == true)
  }

  @Test("A name that is none: nothing was sent")
  func noSuchName() async throws {
    var calls = Calls()
    calls.host = "no-such-name.invalid"
    let failure = try await calls.answer([]).failure
    guard case .unreachable = failure else { throw Unexpected() }
  }

  @Test("A process without descriptors says so, not that the server is away")
  func exhausted() async throws {
    let loop = try EventLoop(index: 0)
    try loop.start()
    defer { loop.stop() }
    let failure = await loop.run { loop in
      let thread = KernelThread.currentID
      SystemCallTrace.start(thread: thread)
      defer { _ = SystemCallTrace.stop(thread: thread) }
      SystemCallTrace.fail(.socket, nth: 1, code: 24, thread: thread)
      let peer = Peer(localSocket: "/no/such/socket")
      return ClientConnection(origin: [], peer: peer, idleTimeout: 0).start(on: loop)
    }
    guard case .exhausted = failure else { throw Unexpected() }
    #expect(failure?.isBeforeSending == true)
  }

  @Test("A name is resolved")
  func name() async throws {
    var calls = Calls()
    calls.host = "localhost"
    #expect(try await calls.answer(.answer(Self.ok)) == .success(200, "ok"))
  }

  @Test(
    "A server that leaves without a word: the request may have been acted on",
    arguments: [Step.close, .drop])
  func leaves(_ end: Step) async throws {
    #expect(try await Calls().answer([.request, end]) == .failure(.lost(afterSending: true)))
  }

  @Test("Time over while waiting, and while receiving")
  func late() async throws {
    var calls = Calls()
    calls.change = { _, request in request.timeout = 200_000_000 }
    let silent = try await calls.answer([.request])
    #expect(silent == .failure(.timedOut(.waiting, afterSending: true)))
    let slow = try await calls.answer(
      .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"))
    #expect(slow == .failure(.timedOut(.receiving, afterSending: true), after: 200))
  }

  @Test("Time over while sending to a server that reads no more")
  func lateSending() async throws {
    var calls = Calls()
    calls.change = { _, request in
      request.timeout = 300_000_000
      request.method = .post
      request.body = .bytes([UInt8](repeating: 0x61, count: 16 << 20))
    }
    let answer = try await calls.answer([.readOnly(100)])
    #expect(answer == .failure(.timedOut(.sending, afterSending: true)))
  }

  @Test("A call whose time is over sends nothing, over a kept connection either")
  func lateBeforeSending() async throws {
    var calls = Calls()
    calls.count = 2
    calls.change = { index, request in if index == 1 { request.timeout = 0 } }
    let outcome = try await calls.run([[Step].answer(Self.ok) + [.request]])
    #expect(outcome.answers[0] == .success(200, "ok"))
    #expect(outcome.answers[1] == .failure(.timedOut(.sending, afterSending: false)))
  }

  // MARK: Addresses

  @Test(
    "An address that the policy refuses is never connected to",
    arguments: ["127.0.0.1", "localhost"])
  func refusedAddress(_ host: String) async throws {
    var calls = Calls()
    calls.host = host
    calls.change = { _, request in
      request.addresses = AddressPolicy { $0.addressClass == .global }
    }
    let outcome = try await calls.run([[Step].answer(Self.ok)])
    guard case .refusedAddress = outcome.answers[0].failure else { throw Unexpected() }
    #expect(outcome.received.isEmpty)
  }

  @Test("A kept connection is judged like a new one")
  func refusedKeptAddress() async throws {
    var calls = Calls()
    calls.count = 2
    calls.change = { index, request in
      if index == 1 { request.addresses = AddressPolicy { _ in false } }
    }
    let outcome = try await calls.run([[Step].answer(Self.ok) + [Step].answer(Self.ok)])
    #expect(outcome.answers[0] == .success(200, "ok"))
    guard case .refusedAddress = outcome.answers[1].failure else { throw Unexpected() }
  }

  // MARK: Keeping connections

  @Test("One connection for one call after the other; one to itself where that is asked for")
  func keepAlive() async throws {
    var calls = Calls()
    calls.count = 3
    calls.change = { index, request in request.freshConnection = index == 2 }
    let outcome = try await calls.run([
      [Step].answer(Self.ok) + [Step].answer(Self.ok), [Step].answer(Self.ok),
    ])
    #expect(outcome.answers == Array(repeating: .success(200, "ok"), count: 3))
    #expect(outcome.received.count == 2)
    #expect(outcome.idle == 1)
  }

  @Test(
    "What ends a connection",
    arguments: [
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
      // Bytes behind the answer belong to nothing.
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
    ])
  func notKept(_ text: String) async throws {
    let outcome = try await Calls().run([[Step].answer(text)])
    #expect(outcome.answers == [.success(200, "ok")])
    #expect(outcome.idle == 0)
  }

  @Test("An answer that nobody reads to its end gives its connection up")
  func dropped() async throws {
    let trust = try TLSTrust()
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let seen = try await onLoop { loop in
      let server = try ScriptedServer([[Step].answer(Self.ok)], on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let url = try ClientURL(Array("http://127.0.0.1:\(server.endpoint.port)/".utf8))
      _ = try await client.call(ClientRequest(.get, url), on: loop)
      // The server sees the end.
      while !server.connections[0].sawEnd { await client.pause(0, on: loop) }
      return client.idleConnections
    }
    #expect(seen == 0)
  }

  @Test("A reader that fails on the last bytes gives the connection up", arguments: [true, false])
  func readerFails(_ isChunked: Bool) async throws {
    struct Full: Error {}
    let trust = try TLSTrust()
    let lookups = try HostLookups(threads: 1, queueLimit: 8)
    defer { lookups.stop() }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    let idle = try await onLoop { loop in
      let server = try ScriptedServer([[Step].answer(isChunked ? chunked : Self.ok)], on: loop)
      defer { server.stop(on: loop) }
      let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
      defer { client.close(on: loop) }
      let url = try ClientURL(Array("http://127.0.0.1:\(server.endpoint.port)/".utf8))
      let response = try await client.call(ClientRequest(.get, url), on: loop)
      await #expect(throws: Full.self) { _ = try await response.body.read { _ in throw Full() } }
      // The response still lives, and its connection is closed all the same.
      for _ in 0..<100 where !server.connections[0].sawEnd { await client.pause(0, on: loop) }
      #expect(server.connections[0].sawEnd)
      withExtendedLifetime(response) {}
      return client.idleConnections
    }
    #expect(idle == 0)
  }

  @Test("An idle connection that says something is dropped", arguments: [Step.send("x"), .close])
  func spokenTo(_ step: Step) async throws {
    var calls = Calls()
    calls.count = 2
    calls.turnsBetween = 12
    let outcome = try await calls.run([
      [Step].answer(Self.ok) + [.turns(3), step], [Step].answer(Self.ok),
    ])
    #expect(outcome.answers == Array(repeating: .success(200, "ok"), count: 2))
    #expect(outcome.received.count == 2)
  }

  @Test("A GET that meets a dead connection is sent again, a POST is not")
  func dead() async throws {
    var calls = Calls()
    calls.count = 2
    let scripts = [[Step].answer(Self.ok) + [.request, .drop], [Step].answer(Self.ok)]
    let gets = try await calls.run(scripts)
    #expect(gets.answers == Array(repeating: .success(200, "ok"), count: 2))
    calls.change = { _, request in request.method = .post }
    let posts = try await calls.run(scripts)
    #expect(posts.answers[1] == .failure(.lost(afterSending: true)))
    #expect(posts.received.count == 1)
  }
}
