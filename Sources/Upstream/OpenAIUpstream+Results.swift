// Results that are URLs: they were paid for, and a GET buys nothing, so what may go better is tried
// again.
public import HTTPClient
internal import Wire

extension OpenAIUpstream {
  private static let mostRedirects = 3

  /// GET of a URL on the origin of `base`, without the key; see `ResultURL`. What may go better
  /// (a status of 404, 408, 425, 429 or 5xx, a lost connection) is tried again, as `RetryPolicy`
  /// says, before `deadline`.
  public func fetch(
    _ url: String, until deadline: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    var target = try result(url, from: try answerURL())
    var (redirects, attempt) = (0, 0)
    while true {
      do throws(UpstreamFailure) {
        let response = try await get(target, until: deadline, on: loop)
        if response.status == 200 {
          return OpenAIAnswer(response, UpstreamHeaders(), within: 0, of: self, isResult: true)
        }
        let location = try Self.location(response, now: loop.turnWallSeconds)
        redirects += 1
        guard redirects <= Self.mostRedirects else {
          throw .resultUnavailable("result_url_redirects", "its URL redirects too often")
        }
        target = try result(location, from: target)
      } catch {
        let left = deadline - loop.turnNanoseconds
        guard let pause = retry.resultPause(after: error, attempt: attempt, timeLeft: left) else {
          throw error
        }
        await client.pause(pause, on: loop)
        attempt += 1
      }
    }
  }

  /// Where an answer that is no image leads; closes it.
  ///
  /// - Throws: what its status means when it leads nowhere.
  private static func location(
    _ response: ClientResponse, now: Int64
  ) throws(UpstreamFailure) -> String {
    let status = response.status
    let location = response.field(.location).map { String(decoding: $0, as: UTF8.self) }
    let headers = UpstreamHeaders(response, now: now)
    response.close()
    if [301, 302, 303, 307, 308].contains(status), let location { return location }
    let code = status == 404 || status == 410 ? "result_url_not_found" : "result_url_failed"
    var failure = UpstreamFailure.resultUnavailable(
      code, "its URL answered with status \(status)")
    // 404: stores that answer before the image is everywhere.
    failure.isTransient = [404, 408, 425, 429].contains(status) || (500..<600).contains(status)
    failure.retryAfterNanoseconds = headers.retryAfterNanoseconds
    throw failure
  }

  /// Each step is judged: the origin of the upstream, and no user information.
  private func result(
    _ text: String, from origin: ClientURL
  ) throws(UpstreamFailure) -> ClientURL {
    guard let target = ResultURL.resolve(text, against: origin), !target.parts.hasUserInfo,
      target.origin == base.origin
    else {
      throw UpstreamFailure(
        .foreignURL,
        "The upstream's result is a URL on another origin than its own: not fetched yet.")
    }
    return target
  }

  private func get(
    _ target: ClientURL, until deadline: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> ClientResponse {
    var request = ClientRequest(.get, target)
    request.responseLimit = Self.answerLimit
    // Bytes that another answer left behind must not be taken for this image.
    request.freshConnection = true
    request.timeout = deadline - loop.turnNanoseconds
    request.fields = [.init("Accept", "image/*"), .init("User-Agent", userAgent)]
    do throws(ClientFailure) {
      guard request.timeout > 0 else { throw .timedOut(.connecting, afterSending: false) }
      return try await client.call(request, on: loop)
    } catch { throw .resultUnavailable(failure: error) }
  }
}
