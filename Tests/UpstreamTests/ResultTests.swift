import HTTPClient
import Testing

@testable import Upstream

/// Results that are URLs.
extension OpenAIUpstreamTests {
  static let image = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 3\r\n\r\nPNG"

  @Test("A result on the upstream's own origin is fetched, without the key")
  func fetch() async throws {
    let outcome = try await run(
      [.answer(Self.image)], fetch: "http://127.0.0.1:PORT/files/a.png?sig=a%2Bb")
    #expect(outcome.body == "PNG")
    let text = try #require(outcome.received.first)
    #expect(text.hasPrefix("GET /files/a.png?sig=a%2Bb HTTP/1.1\r\n"))
    #expect(!text.contains("Authorization") && !text.contains(Self.key))
  }

  @Test(
    "Every other result is refused, and nobody is asked",
    arguments: [
      "https://127.0.0.1:PORT/a.png", "http://localhost:PORT/a.png", "http://127.0.0.1/a.png",
      "http://user@127.0.0.1:PORT/a.png", "file:///etc/passwd", "http://169.254.169.254/", "",
      "//169.254.169.254/a.png", "http://127.0.0.1:PORT\\@example.com/", "javascript:alert(1)",
    ])
  func foreign(_ url: String) async throws {
    let outcome = try await run([.answer(Self.image)], fetch: url)
    #expect(outcome.failure?.kind == .foreignURL)
    #expect(outcome.received.isEmpty)
  }

  @Test("Late bytes of an order are not its result")
  func lateBytes() async throws {
    let late = Self.image.replacing("PNG", with: "GIF")
    for turns in 0..<6 {
      let outcome = try await run(
        [.answer(Self.empty) + [.turns(turns), .send(late)], .answer(Self.image)],
        fetch: "http://127.0.0.1:PORT/files/a.png", after: [nil])
      #expect(outcome.failure == nil)
      #expect(outcome.body == "PNG")
      #expect(outcome.received.count == 2)
    }
  }

  @Test("An order and a result have a connection of their own, also where one could be kept")
  func connections() async throws {
    let other = Self.image.replacing("PNG", with: "GIF")
    let result = try await run(
      [.answer(Self.image) + .answer(other), .answer(Self.image)], fetch: "/b.png",
      after: ["/a.png"])
    #expect(result.body == "PNG" && result.received.count == 2)
    let order = try await run(
      [.answer(Self.empty) + .answer(other), .answer(Self.empty)], after: [nil])
    #expect(order.body == "{}" && order.received.count == 2)
  }

  @Test("What comes before the order or the fetch is not its answer, and nothing was spent")
  func spokeFirst() async throws {
    let order = try await run([[.send(Self.empty)]], mayRetry: false)
    #expect(order.failure?.isUnspent == true && order.received == [""])
    let result = try await run([[.send(Self.image)]], fetch: "/a.png")
    #expect(result.failure?.kind == .resultUnavailable && result.received == [""])
  }

  @Test(
    "A URL that is not absolute is one of the answer's origin",
    arguments: [
      ("/a.png?x=1", "/a.png?x=1"), ("//127.0.0.1:PORT/b.png", "/b.png"),
      ("c.png", "/v1/images/c.png"), ("../d/./e.png#f", "/v1/d/e.png"),
    ])
  func relative(_ url: String, _ path: String) async throws {
    let outcome = try await run([.answer(Self.image)], fetch: url)
    #expect(outcome.body == "PNG")
    #expect(outcome.received.first?.hasPrefix("GET \(path) HTTP/1.1\r\n") == true)
  }

  @Test("A redirect on the origin is followed, to an end")
  func redirectWithin() async throws {
    let on = Self.error(302, "Location: y.png\r\n")
    let good = try await run([on, .answer(Self.image)], fetch: "/a/c/x.png")
    #expect(good.body == "PNG")
    #expect(good.received.last?.hasPrefix("GET /a/c/y.png ") == true)
    let endless = try await run([on, on, on, on, on], fetch: "/a/x.png")
    #expect(endless.failure?.kind == .resultUnavailable)
    #expect(endless.failure?.code == "result_url_redirects")
    #expect(endless.received.count == 4)
  }

  @Test("A result that is not there at first is looked for again, within the order's time")
  func absence() async throws {
    let gone = Self.error(404)
    let late = try await run([gone, .answer(Self.image)], fetch: "/a.png")
    #expect(late.body == "PNG" && late.received.count == 2)
    let never = try await run([[Step]](repeating: gone, count: 6), fetch: "/a.png")
    #expect(never.failure?.code == "result_url_not_found")
    #expect(never.received.count == 5)
  }

  @Test(
    "A result is paid for and a GET buys nothing: what may go better is tried again",
    arguments: [
      ([500], true), ([502, 503, 504, 599], true), ([429], true), ([408, 425], true),
      ([0], true), ([0, 500, 404, 0], true), ([401], false), ([403], false), ([410], false),
      ([400], false), ([500, 500, 500, 500, 500], false),
    ] as [([Int], Bool)])
  func resultRetries(_ statuses: [Int], _ isGood: Bool) async throws {
    let scripts = statuses.map { status -> [Step] in
      status == 0 ? [.request, .drop] : Self.error(status, "retry-after-ms: 1\r\n")
    }
    let outcome = try await run(scripts + [.answer(Self.image)], fetch: "/a.png")
    #expect((outcome.body == "PNG") == isGood, "\(String(describing: outcome.failure))")
    #expect(outcome.received.count == statuses.count + (isGood ? 1 : 0))
  }

  @Test("The pauses before a result is fetched again are bounded, and the order's time holds")
  func resultPauses() {
    var failure = UpstreamFailure.resultUnavailable("c", "r")
    func pause(_ attempt: Int, left: Int64 = 300_000_000_000) -> Int64? {
      RetryPolicy().resultPause(after: failure, attempt: attempt, timeLeft: left)
    }
    #expect(pause(0) == nil, "nothing will go better")
    failure.isTransient = true
    let pauses: [Int64?] = [500_000_000, 1_000_000_000, 2_000_000_000, 4_000_000_000, nil]
    #expect((0..<5).map { pause($0) } == pauses)
    #expect(pause(0, left: 500_000_000) == nil)
    failure.retryAfterNanoseconds = 3_000_000_000
    #expect(pause(0) == 3_000_000_000)
    failure.retryAfterNanoseconds = 60_000_000_000
    #expect(pause(0) == 10_000_000_000, "longer hints are not obeyed: the image will not live long")
  }

  @Test("The order's time holds for its results, too")
  func stall() async throws {
    let silent = try await run([[.request]], fetch: "/a.png", timeout: 30_000_000)
    #expect(silent.failure?.code == "result_url_timeout")
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nPNG"
    let stalls = try await run([.answer(part)], fetch: "/a.png", timeout: 30_000_000)
    #expect(stalls.failure?.code == "result_url_timeout")
    let over = try await run([.answer(Self.image)], fetch: "/a.png", timeout: -1)
    #expect(over.failure?.code == "result_url_timeout" && over.received.isEmpty)
  }

  @Test("A redirect to another origin is not followed")
  func redirect() async throws {
    let outcome = try await run(
      [Self.error(302, "Location: http://169.254.169.254/\r\n")],
      fetch: "http://127.0.0.1:PORT/a.png")
    #expect(outcome.failure?.kind == .foreignURL)
    #expect(outcome.received.count == 1)
  }
}
