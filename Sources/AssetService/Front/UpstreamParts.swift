// The configured upstreams, made for one loop. A new dialect is added here, in Upstream, and in
// Settings.Dialect; nowhere else.
internal import Configuration
internal import HTTPClient
internal import Net
internal import Upstream
internal import Wire

extension LoopParts {
  /// The upstreams that can be called, by name.
  ///
  /// - Throws: what the client throws that it can not be made.
  func makeUpstreams(on loop: isolated EventLoop) throws -> [String: any Upstream] {
    var made: [String: any Upstream] = [:]
    let usable = settings.upstreams.filter { $0.obstacle == nil }
    guard !usable.isEmpty else { return made }
    let client = try HTTPClient(lookups: lookups, trust: trust, on: loop)
    for upstream in usable { made[upstream.name] = try make(upstream, client) }
    return made
  }

  private func make(
    _ upstream: Settings.Upstream, _ client: HTTPClient
  ) throws -> any Upstream {
    switch upstream.dialect {
    case .sample: return SampleUpstream()
    case .openai:
      guard let base = upstream.baseURL?.description else {
        throw StartFailure("The upstream \"\(upstream.name)\" has no base_url.")
      }
      return OpenAIUpstream(
        base: try ClientURL(Array(base.utf8)), key: upstream.apiKey.secret?.value,
        version: AssetService.version, client: client)
    }
  }
}
