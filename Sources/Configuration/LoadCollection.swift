// Collection and its policies.

extension SettingsLoader {
  mutating func readCollection(_ top: inout Section) {
    top.section("gc") { section in
      section.read("interval", into: &settings.collection.interval) {
        $0.time(atLeast: .seconds(1))
      }
      section.read("grace", into: &settings.collection.grace) { $0.time() }
      section.read("policies", into: &settings.collection.policies) { $0.policies() }
    }
  }
}

extension Item {
  fileprivate func policies() -> [Settings.Policy]? {
    var names: Set<String> = []
    return list { item in
      let policy = item.policy()
      if let policy, !names.insert(policy.name).inserted {
        item.fail(
          "two policies are named \(quoted(policy.name)): give one of them another \"name\"")
      }
      return policy
    }
  }

  private func policy() -> Settings.Policy? {
    var policy: Settings.Policy?
    self.section { section in
      guard let kind = section.require("kind", { $0.choice(Settings.Policy.Kind.self) }) else {
        return section.ignoreOtherKeys()
      }
      var name: String?
      section.readNullable("name", into: &name) { $0.name() }
      policy = section.rule(kind).map { Settings.Policy($0, name: name) }
    }
    return policy
  }

}

extension Section {
  fileprivate mutating func rule(_ kind: Settings.Policy.Kind) -> Settings.Policy.Rule? {
    switch kind {
    case .expired: return .expired
    case .orphans:
      var grace: Duration = .seconds(3600)
      read("grace", into: &grace) { $0.time() }
      return .orphans(grace: grace)
    case .records:
      var after: Duration = .seconds(30 * 86_400)
      read("after", into: &after) { $0.time() }
      return .records(after: after)
    case .idle:
      let after = require("after") { $0.time(atLeast: .seconds(1)) }
      let selection = selection()
      return after.map { .idle(after: $0, selection) }
    case .maxAge:
      let limit = require("limit") { $0.time(atLeast: .seconds(1)) }
      let selection = selection()
      return limit.map { .maxAge(limit: $0, selection) }
    case .ownerSize:
      let marks = marks()
      let selection = selection()
      return marks.map { .ownerSize(high: $0.high, low: $0.low, selection) }
    case .totalSize:
      let marks = marks()
      let selection = selection()
      return marks.map { .totalSize(high: $0.high, low: $0.low, selection) }
    }
  }

  private mutating func marks() -> (high: Int64, low: Int64)? {
    let high = require("high") { $0.bytes() }
    var lowItem: Item?
    let low = require("low") { item in
      lowItem = item
      return item.bytes(atLeast: 0)
    }
    guard let high, let low, let lowItem else { return nil }
    guard low < high else {
      lowItem.fail("\(lowItem.shown) is not below \"high\", \(Quantity.text(bytes: high))")
      return nil
    }
    return (high, low)
  }

  private mutating func selection() -> Settings.Policy.Selection {
    var selection = Settings.Policy.Selection()
    read("retention", into: &selection.retentions) { item in
      item.oneOrMore { $0.choice(Settings.Retention.self) }
    }
    read("owner", into: &selection.owners) { item in item.oneOrMore { $0.label() } }
    read("model", into: &selection.models) { item in item.oneOrMore { $0.label() } }
    return selection
  }
}
