import HTTPServer
import Kernel
import Net
import Wire

/// A service with one path per behaviour.
final class TestService: HTTPService {
  struct Broken: Error {}
  private let probe: Probe
  private let file: SendableFile?
  private let fileBytes: Int64

  init(probe: Probe, file: SendableFile?, fileBytes: Int64) {
    self.probe = probe
    self.file = file
    self.fileBytes = fileBytes
  }

  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, from peer: Peer,
    into response: inout ResponseWriter
  ) -> Answer {
    let range = head.targetText
    let path = String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    response.note.append(bytes.extracting(range))
    switch path {
    case "/file":
      guard let file else { break }
      response.start(200)
      response.end(file: file, offset: 0, count: fileBytes)
    case "/304":
      response.start(304)
      response.lines("ETag: \"a\"\r\n")
      response.endWithoutContent()
    case "/refuse":
      response.start(413)
      response.end([UInt8]("too large".utf8).span)
    case "/closing":
      response.start(200, closing: true)
      response.end([UInt8]("bye".utf8).span)
    case "/lazy": break
    case "/inject":
      response.start(200)
      response.field("X-Echo", [UInt8]("a\r\nX-Evil: 1\0\u{7F}".utf8).span)
      response.endWithoutContent()
    case "/wide":
      response.start(200)
      for _ in 0..<20 { response.field("X-Wide", [UInt8](repeating: 0x61, count: 9000).span) }
      response.end([UInt8](repeating: 0x62, count: 100_000).span)
    case let path where path.hasPrefix("/task/") || path.hasPrefix("/listed/"): return .later
    default:
      response.start(200)
      response.end(bytes.extracting(range))
    }
    return .written
  }

  func handle(_ request: Request, on loop: isolated EventLoop) async -> Response {
    let path = String(decoding: request.bytes[request.head.targetText], as: UTF8.self)
    guard path.hasPrefix("/listed/") else { return await handle(path, request) }
    // With a capture list: see `Connection.run`.
    let listed: (Request) async -> Response = { [self] request in
      probe.log("thread \(KernelThread.currentID)")
      return await handle("/task/" + path.dropFirst("/listed/".count), request)
    }
    return await listed(request)
  }

  func bodyFailed(_ error: any Error, of request: Request) { probe.log("failed \(error)") }

  private func handle(_ path: String, _ request: Request) async -> Response {
    probe.log("begin " + path)
    defer { probe.log("end " + path) }
    switch path {
    case "/task/echo", "/task/limit":
      do {
        let body = try await request.body.collect(limit: path == "/task/limit" ? 10 : 64 << 20)
        return Response(status: 200, body: .bytes(body))
      } catch {
        return refusal(error)
      }
    case "/task/gate":
      await probe.wait()
      return Response(status: 200, body: .bytes(Array("opened".utf8)))
    case "/task/gate-then-read":
      await probe.wait()
      let body = try? await request.body.collect(limit: 1 << 20)
      return Response(status: 200, body: .bytes(body ?? Array("lost".utf8)))
    case "/task/one-byte":
      // Fails in the middle of a read.
      _ = try? await request.body.read { _ in throw Broken() }
      return Response(status: 400, body: .bytes(Array("broken".utf8)))
    case "/task/204": return Response(status: 204, body: .none)
    case "/task/none": return Response(status: 200, body: .none)
    case "/task/field":
      var response = Response(status: 200, body: .bytes([]))
      response.add("X-Echo", "a\r\nX-Evil: 1\0")
      return response
    case "/task/large":
      return Response(status: 200, body: .bytes([UInt8](repeating: 0x61, count: 3_000_000)))
    case "/task/file":
      guard let file else { return Response(status: 404, body: .none) }
      return Response(status: 200, body: .file(file, offset: 0, count: fileBytes))
    case let path where path.hasPrefix("/task/stream"): return stream(path)
    case let path where path.hasPrefix("/task/own/"): return own(path)
    case let path where path.hasPrefix("/task/told/"): return told(path)
    default: return Response(status: 200, body: .bytes(Array("unread".utf8)))
    }
  }

  private func refusal(_ error: any Error) -> Response {
    switch error {
    case BodyFailure.tooSlow: Response(status: 408, body: .bytes(Array("tooSlow".utf8)))
    case BodyFailure.tooLarge: Response(status: 413, body: .bytes(Array("tooLarge".utf8)))
    case BodyFailure.malformed: Response(status: 400, body: .bytes(Array("malformed".utf8)))
    default: Response(status: 400, body: .bytes(Array("disconnected".utf8)))
    }
  }

  /// `/task/own/<pieces>/<text>`: a body of that text, streamed in so many pieces.
  private func own(_ path: String) -> Response {
    let words = path.split(separator: "/")
    let pieces = Int(words[2]) ?? 0
    let text = Array(words[3].utf8)
    var response = Response(
      status: 200,
      body: .stream(length: Int64(pieces * text.count)) { writer in
        for _ in 0..<pieces { try await writer.write(text.span) }
      })
    response.add("X-Own", String(words[3]))
    return response
  }

  /// `/task/told/<bytes>`: a body of that length; the probe hears when it has arrived.
  private func told(_ path: String) -> Response {
    let bytes = [UInt8](repeating: 0x74, count: Int(path.split(separator: "/")[2]) ?? 0)
    let probe = self.probe
    var response = Response(
      status: 200, body: .stream(length: Int64(bytes.count)) { try await $0.write(bytes.span) })
    response.whenDelivered = { probe.log("delivered") }
    return response
  }

  private func stream(_ path: String) -> Response {
    let piece = [UInt8](repeating: 0x73, count: 1000)
    let probe = self.probe
    return Response(
      status: 200,
      body: .stream(length: path == "/task/stream-huge" ? 32_000_000 : 10_000) { writer in
        let pieces =
          switch path {
          case "/task/stream-short": 9
          case "/task/stream-long": 11
          case "/task/stream-huge": 32_000
          default: 10
          }
        for index in 0..<pieces {
          if path == "/task/stream-broken", index == 5 { throw Broken() }
          if path == "/task/stream-gated", index == 5 { await probe.wait() }
          do { try await writer.write(piece.span) } catch {
            probe.log("write failed")
            // A producer that does not care must not make the answer look whole.
            if path == "/task/stream-long" { return }
            throw error
          }
        }
      })
  }

  func drained() { probe.log("drained") }

  func refuse(_ status: Int, _ reason: StaticString, into response: inout ResponseWriter) {
    response.start(status, closing: true)
    response.end([UInt8](reason.description.utf8).span)
  }

  func finished(_ outcome: ExchangeOutcome, note: Span<UInt8>) {
    let text = String(decoding: note.indices.map { note[$0] }, as: UTF8.self)
    probe.add(Probe.Report(outcome: outcome, note: text))
  }
}
