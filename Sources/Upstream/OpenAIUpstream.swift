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
  /// The longest hint that is waited for; a longer one is the client's to obey.
  public var longestPause: Int64 = 20_000_000_000

  /// The defaults.
  public init() {}

  /// The pause before another attempt after `attempt` (from 0), or `nil` to give up. A quarter at
  /// most is added at random, so that those who were refused together do not come back together.
  func pause(
    after failure: UpstreamFailure, attempt: Int, timeLeft: Int64, random: Double
  ) -> Int64? {
    guard failure.isUnspent, attempt < retries, failure.isTransient else { return nil }
    let wanted = failure.retryAfterNanoseconds ?? firstPause << Int64(attempt)
    let pause = wanted + Int64(Double(wanted) * random / 4)
    // The attempt itself needs time too.
    guard wanted <= longestPause, pause < timeLeft / 2 else { return nil }
    return pause
  }
}

/// An upstream that speaks OpenAI's dialect.
public final class OpenAIUpstream: Upstream {
  /// How much of an error is read, in bytes.
  private static let errorLimit = 64 << 10
  /// Ten images of 64 MiB as base64, and their skeleton.
  private static let answerLimit: Int64 = 1 << 30

  private let client: HTTPClient
  private let base: ClientURL
  private let key: String?
  private let userAgent: String
  private let retry: RetryPolicy
  private let scrubber: Scrubber

  /// An upstream at `base` (such as `https://api.openai.com/v1`); without a key no authorization is
  /// sent, as local servers want it. `version` is the program's, for User-Agent.
  public init(
    base: ClientURL, key: String?, version: String, client: HTTPClient,
    retry: RetryPolicy = RetryPolicy()
  ) {
    self.client = client
    self.base = base
    self.key = key
    userAgent = "assetd/\(version)"
    self.retry = retry
    scrubber = Scrubber(key: key)
  }

  /// POST `{base}/images/generations`.
  public func generate(
    _ order: UpstreamOrder, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    var request = try request(order)
    let deadline = loop.turnNanoseconds + order.timeoutNanoseconds
    var attempt = 0
    while true {
      request.timeout = deadline - loop.turnNanoseconds
      do throws(UpstreamFailure) {
        return try await send(request, within: order.timeoutNanoseconds, on: loop)
      } catch {
        let left = deadline - loop.turnNanoseconds
        let random = Double.random(in: 0...1)
        guard
          let pause = retry.pause(
            after: error, attempt: attempt, timeLeft: left, random: random)
        else { throw error }
        await client.pause(pause, on: loop)
        attempt += 1
      }
    }
  }

  /// GET of a URL on the origin of `base`, without the key.
  public func fetch(
    _ url: String, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    guard let target = try? ClientURL(Array(url.utf8)), !target.parts.hasUserInfo,
      target.origin == base.origin
    else {
      throw UpstreamFailure(
        .foreignURL, "The upstream's result is a URL on another origin than the upstream's.")
    }
    var request = ClientRequest(.get, target)
    request.responseLimit = Self.answerLimit
    request.freshConnection = true
    request.fields = [.init("Accept", "image/*"), .init("User-Agent", userAgent)]
    let response = try await call(request, within: request.timeout, on: loop)
    guard response.status == 200 else {
      response.close()
      throw UpstreamFailure(
        .foreignURL, "The upstream's result could not be fetched: status \(response.status).")
    }
    return OpenAIAnswer(response, UpstreamHeaders(), within: request.timeout, scrubber)
  }

  // MARK: One attempt

  private func request(_ order: UpstreamOrder) throws(UpstreamFailure) -> ClientRequest {
    var path = base.text[..<base.parts.pathAndQuery.upperBound]
    while path.last == UInt8(ascii: "/") { path.removeLast() }
    guard let url = try? ClientURL(path + Array("/images/generations".utf8)) else {
      throw UpstreamFailure(.notConfigured, "The upstream's base_url is too long.", isUnspent: true)
    }
    var request = ClientRequest(.post, url)
    request.fields = [
      .init("Content-Type", "application/json"), .init("Accept", "application/json"),
      .init("User-Agent", userAgent),
    ]
    if let key { request.fields.append(.init("Authorization", "Bearer \(key)")) }
    request.body = .bytes(JSONValue.object(Self.parameters(of: order)).bytes)
    request.freshConnection = true
    request.responseLimit = Self.answerLimit
    return request
  }

  /// What is sent of the parameters. GPT image models always answer base64 and refuse to be told
  /// so (UPSTREAMS.md §2.3); dall-e models are asked for it, which saves a fetch.
  static func parameters(of order: UpstreamOrder) -> JSONObject {
    let isOurs: Set<String> = ["model", "asset"]
    let model = JSONObject.Member(name: "model", value: .string(order.model))
    let others = order.parameters.members.filter { !isOurs.contains($0.name) }
    var object = JSONObject([model] + others)
    object["response_format"] = order.model.hasPrefix("dall-e") ? "b64_json" : nil
    return object
  }

  private func send(
    _ request: ClientRequest, within time: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    let response = try await call(request, within: time, on: loop)
    let headers = UpstreamHeaders(response, now: loop.turnWallSeconds)
    guard !(200..<300).contains(response.status) else {
      return OpenAIAnswer(response, headers, within: time, scrubber)
    }
    // The status counts even when nothing can be had of the body.
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
private final class OpenAIAnswer: UpstreamAnswer {
  let requestID: String?
  let status: Int
  private let response: ClientResponse
  private let time: Int64
  private let scrubber: Scrubber

  /// An answer that must be whole within `time` nanoseconds from the order.
  init(
    _ response: ClientResponse, _ headers: UpstreamHeaders, within time: Int64,
    _ scrubber: Scrubber
  ) {
    requestID = headers.requestID
    status = response.status
    self.response = response
    self.time = time
    self.scrubber = scrubber
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    do {
      return try await response.body.read(consume)
    } catch let failure as ClientFailure {
      var found = UpstreamFailure(failure, within: time, scrubber)
      found.status = status
      found.requestID = requestID
      throw found
    }
  }

  func close() { response.close() }
}
