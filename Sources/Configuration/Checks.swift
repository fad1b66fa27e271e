// What no single value can show: values against each other.

extension SettingsLoader {
  func check() {
    checkListeners()
    checkUpstreamUses()
  }

  /// No address twice, and only loopback ones where nobody is asked for a key.
  private func checkListeners() {
    var seen: Set<ListenAddress> = []
    for (address, item) in places.listen + places.adminListen {
      if address.port != 0, !seen.insert(address).inserted {
        fail("\(quoted("\(address)")) is listened on twice", item)
      }
      if settings.auth.mode == .open, !address.address.isLoopback {
        fail(
          "\(quoted("\(address)")) is not a loopback address, and auth.mode \"open\" allows no "
            + "other: set auth.mode to \"keys\"", item)
      }
    }
  }

  private func fail(_ message: String, _ item: Item?) {
    if let item {
      item.fail(message)
    } else {
      review.report(message, flag: "--listen")
    }
  }

  /// Models refer to upstreams that are there.
  private func checkUpstreamUses() {
    guard places.areUpstreamsKnown else { return }
    let names = settings.upstreams.map(\.name)
    for (name, item) in places.upstreamUses where !names.contains(name) {
      item.fail("there is no upstream named \(quoted(name))" + item.suggestion(names))
    }
    guard !places.hasModels, let upstreams = places.upstreams else { return }
    let missing = settings.models.flatMap(\.upstreams).filter { !names.contains($0) }
    guard !missing.isEmpty else { return }
    upstreams.fail(
      "the built-in models need the upstream \(missing.map(quoted).joined(separator: ", ")): "
        + "list your own models in \"models\"")
  }
}
