// What a configuration asks for and does not get, and what it probably does not mean. Both are told
// by `--check-config` and at a start alike.

extension Settings {
  /// What this version does not carry out, one sentence each: it must not be believed in, so a
  /// start is refused.
  public var notOffered: [String] {
    var sentences: [String] = []
    for policy in collection.policies where !policy.isOffered {
      sentences.append("gc.policies: \(quoted(policy.name)) is of a kind that is not offered yet.")
    }
    if !adminListen.isEmpty {
      sentences.append("admin_listen: listeners for the console alone are not offered yet.")
    }
    for model in models where model.cache != nil {
      sentences.append("models: the \"cache\" of \(quoted(model.id)) is not offered yet.")
    }
    if !fetch.allow.isEmpty {
      sentences.append("fetch.allow: URLs of other servers are not fetched yet; leave it empty.")
    }
    return sentences
  }

  /// What is allowed and probably a mistake, one sentence each.
  public var warnings: [String] {
    var sentences: [String] = []
    for network in trustedProxies where network.isWide {
      sentences.append(
        "trusted_proxies: \(network) is more than your proxies: whoever is in it chooses the host "
          + "of the URLs that you hand out, and the address that the log tells.")
    }
    for upstream in upstreams where upstream.dialect.isRemote {
      guard let url = upstream.baseURL, !url.hasVersion else { continue }
      sentences.append(
        "upstreams: the base_url of \(quoted(upstream.name)) does not end in /v1, as OpenAI's API "
          + "and its copies do: \(url)")
    }
    if limits.imageBytes > limits.bodyBytes {
      sentences.append(
        "limits.image_bytes (\(Quantity.text(bytes: limits.imageBytes))) is more than "
          + "limits.body_bytes (\(Quantity.text(bytes: limits.bodyBytes))): no upload can be so "
          + "large.")
    }
    return sentences + collectionWarnings
  }

  private var collectionWarnings: [String] {
    let rules = collection.policies.map(\.rule)
    if rules.isEmpty {
      return ["gc.policies is empty: nothing is ever collected, and the disk fills up."]
    }
    let takesExpired = rules.contains { if case .expired = $0 { true } else { false } }
    return takesExpired
      ? [] : ["gc.policies has no \"expired\": images whose time is over stay on the disk."]
  }

  /// What the store's disk means for it: nothing, or one sentence.
  ///
  /// - Parameters:
  ///   - total: the bytes of the file system.
  ///   - free: those that the daemon may still write.
  public func warnings(disk total: Int64, free: Int64) -> [String] {
    let kept = storage.minFreeBytes
    guard free <= kept else { return [] }
    let figures =
      "\(Quantity.text(bytes: free)) free of \(Quantity.text(bytes: total)), and "
      + "storage.min_free_bytes keeps \(Quantity.text(bytes: kept))"
    return [
      kept >= total
        ? "The disk of \(quoted(storage.root)) is too small: \(figures) free; no image is taken."
        : "The disk of \(quoted(storage.root)) is full: \(figures) free; no image is taken until "
          + "there is more room."
    ]
  }
}

extension Settings.Policy {
  /// Whether this version carries it out.
  fileprivate var isOffered: Bool {
    switch rule {
    case .expired, .orphans, .records: true
    case .idle, .maxAge, .ownerSize, .totalSize: false
    }
  }
}

extension Network {
  /// Whether it is larger than any private network (RFC 1918, RFC 4193): strangers are in it.
  fileprivate var isWide: Bool { prefix < (address.isIPv4 ? 8 : 7) }
}

extension BaseURL {
  /// Whether a segment of the path is a version: `/v1`, `/openai/v1`, `/v1beta/openai`.
  fileprivate var hasVersion: Bool {
    path.split(separator: "/").contains { segment in
      segment.first == "v" && segment.dropFirst().first?.isNumber == true
    }
  }
}
