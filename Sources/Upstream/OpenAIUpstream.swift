// OpenAI's Images API (UPSTREAMS.md §3), and all that speak it: the answer's bytes are passed on as
// they come.
public import HTTPClient
internal import Wire

/// When and how often an order is sent again. Only what is certain to be unspent ever is.
public struct RetryPolicy: Sendable {
  /// Attempts beside the first.
  public var retries = 2
  /// Nanoseconds before the first of them when the upstream gives no hint; doubles.
  public var firstPause: Int64 = 500_000_000
  /// How long is waited in all; a longer hint is the client's to obey.
  public var longestPause: Int64 = 20_000_000_000
  /// Attempts beside the first to fetch a result that is a URL: the image is paid for, and a GET
  /// buys nothing.
  public var resultRetries = 4
  /// The longest pause before one of them, in nanoseconds, whatever the hint says.
  public var longestResultPause: Int64 = 10_000_000_000

  /// The defaults.
  public init() {}

  /// The pause before another attempt after `attempt` (from 0), or `nil` to give up. A quarter at
  /// most is added at random, so that those who were refused together do not come back together.
  ///
  /// - Parameter waited: the pauses before, in nanoseconds.
  func pause(
    after failure: UpstreamFailure, attempt: Int, waited: Int64 = 0, timeLeft: Int64,
    random: Double
  ) -> Int64? {
    guard failure.isUnspent, attempt < retries, failure.isTransient else { return nil }
    let wanted = failure.retryAfterNanoseconds ?? firstPause << Int64(attempt)
    let pause = wanted + Int64(Double(wanted) * random / 4)
    // The attempt itself needs time too.
    guard wanted <= longestPause - waited, pause < timeLeft / 2 else { return nil }
    return pause
  }

  /// The pause before a result is fetched again after `attempt` (from 0), or `nil` to give it up.
  func resultPause(after failure: UpstreamFailure, attempt: Int, timeLeft: Int64) -> Int64? {
    guard failure.isTransient, attempt < resultRetries else { return nil }
    let wanted = max(failure.retryAfterNanoseconds ?? 0, firstPause << Int64(attempt))
    let pause = min(wanted, longestResultPause)
    return pause < timeLeft ? pause : nil
  }
}

/// How long an upstream may take for what decides nothing any more, in nanoseconds.
public struct AnswerPatience: Sendable {
  /// From an error's head to the end of its body: the status is known.
  public var errorBody: Int64 = 5_000_000_000
  /// From the end of an answer's JSON to the end of its framing: all is here.
  public var end: Int64 = 2_000_000_000

  /// The defaults.
  public init() {}
}

/// An upstream that speaks OpenAI's dialect.
public final class OpenAIUpstream: Upstream {
  /// How much of an error is read, in bytes.
  private static let errorLimit = 64 << 10
  /// Ten images of 64 MiB as base64, and their skeleton.
  static let answerLimit: Int64 = 1 << 30

  let client: HTTPClient
  let base: ClientURL
  private let key: String?
  let userAgent: String
  let retry: RetryPolicy
  let patience: AnswerPatience
  /// Knows the key.
  public let scrubber: Scrubber

  /// An upstream at `base` (such as `https://api.openai.com/v1`); without a key no authorization is
  /// sent, as local servers want it. `version` is the program's, for User-Agent.
  public init(
    base: ClientURL, key: String?, version: String, client: HTTPClient,
    retry: RetryPolicy = RetryPolicy(), patience: AnswerPatience = AnswerPatience()
  ) {
    self.client = client
    self.base = base
    self.key = key
    userAgent = "assetd/\(version)"
    self.retry = retry
    self.patience = patience
    scrubber = Scrubber(key: key)
  }

  /// POST `{base}/images/generations`.
  public func generate(
    _ order: UpstreamOrder, while isWanted: () -> Bool, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    var request = try request(order)
    let deadline = loop.turnNanoseconds + order.timeoutNanoseconds
    var (attempt, waited) = (0, Int64(0))
    while true {
      request.timeout = deadline - loop.turnNanoseconds
      do throws(UpstreamFailure) {
        return try await send(
          request, within: order.timeoutNanoseconds, attempts: attempt + 1, on: loop)
      } catch {
        var failure = error
        failure.attempts = attempt + 1
        let left = deadline - loop.turnNanoseconds
        let random = Double.random(in: 0...1)
        guard order.mayRetry,
          let pause = retry.pause(
            after: error, attempt: attempt, waited: waited, timeLeft: left, random: random)
        else { throw failure }
        await client.pause(pause, on: loop)
        guard isWanted() else { throw failure }
        waited += pause
        attempt += 1
      }
    }
  }

  // MARK: One attempt

  /// `{base}/images/generations`
  func answerURL() throws(UpstreamFailure) -> ClientURL {
    var path = base.text[..<base.parts.pathAndQuery.upperBound]
    while path.last == UInt8(ascii: "/") { path.removeLast() }
    guard let url = try? ClientURL(path + Array("/images/generations".utf8)) else {
      throw UpstreamFailure(.notConfigured, "The upstream's base_url is too long.", isUnspent: true)
    }
    return url
  }

  private func request(_ order: UpstreamOrder) throws(UpstreamFailure) -> ClientRequest {
    var request = ClientRequest(.post, try answerURL())
    request.fields = [
      .init("Content-Type", "application/json"), .init("Accept", "application/json"),
      .init("User-Agent", userAgent),
    ]
    if let key { request.fields.append(.init("Authorization", "Bearer \(key)")) }
    request.body = .bytes(order.document ?? Self.document(of: order) ?? [])
    request.freshConnection = true
    request.responseLimit = Self.answerLimit
    return request
  }

  /// The parameters as JSON.
  public static func document(of order: UpstreamOrder) -> [UInt8]? {
    JSONValue.object(parameters(of: order)).bytes
  }

  /// What is sent of the parameters. GPT image models always answer base64 and refuse to be told
  /// so (UPSTREAMS.md §2.3); all others are asked for it: it saves a fetch, and many of them would
  /// answer URLs on other hosts.
  static func parameters(of order: UpstreamOrder) -> JSONObject {
    let isOurs: Set<String> = ["model", "asset"]
    let model = JSONObject.Member(name: "model", value: .string(order.model))
    let others = order.parameters.members.filter { !isOurs.contains($0.name) }
    var object = JSONObject([model] + others)
    object["response_format"] = isGPTImage(order.model) ? nil : "b64_json"
    return object
  }

  /// Also behind a router's prefix (`openai/gpt-image-1`) or in a deployment's name.
  private static func isGPTImage(_ model: String) -> Bool {
    let name = model.lowercased()
    return ["gpt-image", "gpt_image", "chatgpt-image"].contains { name.contains($0) }
  }

  private func send(
    _ request: ClientRequest, within time: Int64, attempts: Int, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    let response = try await call(request, within: time, on: loop)
    var headers = UpstreamHeaders(response, now: loop.turnWallSeconds)
    headers.requestID = headers.requestID.map { scrubber.withoutKey($0) }
    guard !(200..<300).contains(response.status) else {
      let answer = OpenAIAnswer(response, headers, within: time, of: self)
      answer.attempts = attempts
      answer.endSoon = { [client, patience] in
        client.giveUp(response, after: patience.end, on: loop)
      }
      return answer
    }
    // The status counts even when nothing can be had of the body, or its end does not come.
    let takeBack = client.giveUp(response, after: patience.errorBody, on: loop)
    defer { takeBack() }
    let body = await response.body.start(of: Self.errorLimit)
    throw UpstreamFailure(status: response.status, headers: headers, body: body.span, scrubber)
  }

  private func call(
    _ request: ClientRequest, within time: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> ClientResponse {
    do throws(ClientFailure) {
      return try await client.call(request, on: loop)
    } catch { throw UpstreamFailure(error, within: time, scrubber) }
  }
}

/// An answer whose body is passed on as it is.
final class OpenAIAnswer: UpstreamAnswer {
  let requestID: String?
  let status: Int
  fileprivate(set) var attempts = 1
  /// Gives the rest up a moment later; returns what takes that back. To be called on the loop.
  fileprivate var endSoon: () -> () -> Void = { {} }
  private var takeBack: (() -> Void)?
  private let response: ClientResponse
  private let time: Int64
  private let upstream: OpenAIUpstream
  /// Whether this is an image that was fetched, and no answer to an order.
  private let isResult: Bool

  /// An answer that must be whole within `time` nanoseconds from the order.
  init(
    _ response: ClientResponse, _ headers: UpstreamHeaders, within time: Int64,
    of upstream: OpenAIUpstream, isResult: Bool = false
  ) {
    self.isResult = isResult
    requestID = headers.requestID
    status = response.status
    self.response = response
    self.time = time
    self.upstream = upstream
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    do {
      let hasMore = try await response.body.read(consume)
      if !hasMore { hasEnded() }
      return hasMore
    } catch let failure as ClientFailure {
      hasEnded()
      if isResult { throw UpstreamFailure.resultUnavailable(failure: failure) }
      var found = UpstreamFailure(failure, within: time, upstream.scrubber)
      found.attempts = attempts
      found.status = status
      found.requestID = requestID
      throw found
    }
  }

  func close() {
    response.close()
    hasEnded()
  }

  func expectEnd() { takeBack = endSoon() }

  /// Nothing is left that could be given up.
  private func hasEnded() {
    takeBack?()
    takeBack = nil
  }
}
