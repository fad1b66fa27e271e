extension Settings {
  /// What is in force, for `--check-config` and the log of a start: one line per subject, and no
  /// secret.
  public var summary: String {
    var lines: [(String, String)] = [
      ("listen", listed(listen)),
      ("console and metrics", adminListen.isEmpty ? "on listen" : listed(adminListen)),
      ("delivery URLs on", publicURL?.description ?? "the API's own base"),
      ("access", accessSummary),
      ("storage", storageSummary),
      ("scrub", scrubSummary),
      ("default answer", defaultsSummary),
    ]
    for upstream in upstreams { lines.append(("upstream \(upstream.name)", upstream.summary)) }
    for model in models {
      lines.append(
        ("model \(model.id)", "upstream " + model.upstreams.joined(separator: ", then ")))
    }
    lines.append(("collection", "every \(Quantity.text(collection.interval))"))
    for policy in collection.policies { lines.append(("policy \(policy.name)", policy.summary)) }
    let width = lines.map(\.0.count).max() ?? 0
    return lines.map { name, text in
      name + String(repeating: " ", count: width + 2 - name.count) + text
    }.joined(separator: "\n")
  }

  private func listed(_ addresses: [ListenAddress]) -> String {
    addresses.map { "http://\($0)" }.joined(separator: ", ")
  }

  private var accessSummary: String {
    let mode = auth.mode == .open ? "open: no key is asked for" : "keys"
    return auth.bootstrapKey.secret == nil ? mode : mode + ", and a bootstrap key"
  }

  private var storageSummary: String {
    let most = storage.maxBytes.map { "at most " + Quantity.text(bytes: $0) } ?? "no size limit"
    return "\(storage.root), \(most), \(Quantity.text(bytes: storage.minFreeBytes)) kept free"
  }

  private var scrubSummary: String {
    storage.scrub.map {
      "every \(Quantity.text($0.interval)), \(Quantity.text(bytes: $0.rate)) a second at most"
    } ?? "off"
  }

  private var defaultsSummary: String {
    let life = defaults.retention == .temporary ? " for " + Quantity.text(defaults.ttl) : ""
    return "\(defaults.responseFormat.rawValue), \(defaults.retention.rawValue)\(life)"
  }
}

extension Settings.Upstream {
  fileprivate var summary: String {
    let place = baseURL.map { "\(dialect.rawValue) at \($0)" } ?? dialect.rawValue
    return obstacle.map { "\(place), not usable: \($0)" } ?? place
  }
}

extension Settings.Policy {
  fileprivate var summary: String {
    let what =
      switch rule {
      case .expired: "temporary assets past their time"
      case .idle(let after, _): "not fetched for \(Quantity.text(after))"
      case .maxAge(let limit, _): "older than \(Quantity.text(limit))"
      case .ownerSize(let high, let low, _):
        "an owner's above \(Quantity.text(bytes: high)), down to \(Quantity.text(bytes: low))"
      case .totalSize(let high, let low, _):
        "the store above \(Quantity.text(bytes: high)), down to \(Quantity.text(bytes: low))"
      case .orphans(let grace): "bytes without an asset after \(Quantity.text(grace))"
      case .records(let after): "records after \(Quantity.text(after))"
      }
    return selection.map { "\(what); \($0.summary)" } ?? what
  }
}

extension Settings.Policy.Selection {
  fileprivate var summary: String {
    var parts = [retentions.map(\.rawValue).joined(separator: " and ")]
    if !owners.isEmpty { parts.append("owner " + owners.joined(separator: ", ")) }
    if !models.isEmpty { parts.append("model " + models.joined(separator: ", ")) }
    return parts.joined(separator: "; ")
  }
}
