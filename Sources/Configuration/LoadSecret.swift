// Secrets: `name`, `name_env` or `name_file`, one of them.

extension SettingsLoader {
  /// Reads a secret and says where it stands.
  func secret(_ name: String, in section: inout Section) -> (ConfiguredSecret, Item?) {
    let given = [name, name + "_env", name + "_file"].map { key in
      section.take(key).flatMap { $0.isNull ? nil : $0 }
    }
    let items = given.compactMap { $0 }
    guard items.count <= 1 else {
      items[1].fail("\(name), \(name)_env and \(name)_file exclude each other: give one")
      return (.none, items[0])
    }
    guard let item = items.first else { return (.none, nil) }
    guard case .string(let text) = item.node.value else {
      item.fail("this is not a string")
      return (.none, item)
    }
    let secret =
      if given[0] != nil {
        literal(text, name: name, item)
      } else if given[1] != nil {
        variable(text, item)
      } else {
        content(text, item)
      }
    return (secret ?? .none, item)
  }

  private func literal(_ text: String, name: String, _ item: Item) -> ConfiguredSecret? {
    if file.isShared {
      item.fail(
        "a secret in a file that group or others may read: chmod 600 \(file.name), or use "
          + "\(name)_env or \(name)_file")
    }
    return known(text, "this secret", item)
  }

  /// What is no name (POSIX.1-2017 §8.1) may be the secret itself, and is not shown.
  private func variable(_ name: String, _ item: Item) -> ConfiguredSecret? {
    let isName =
      name.utf8.first?.isDigit == false
      && name.utf8.allSatisfy {
        $0.isDigit || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == UInt8(ascii: "_")
      }
    guard isName else {
      item.fail(
        "this is not the name of a variable (letters, digits and \"_\", not beginning with a "
          + "digit); what stands here is not shown, since it may be the secret itself")
      return nil
    }
    guard let value = environment[name], !value.isEmpty else { return .unset(variable: name) }
    return known(value, "the value of the variable \(name)", item)
  }

  private func content(_ path: String, _ item: Item) -> ConfiguredSecret? {
    guard isPath(path) else {
      item.fail("this is not a path")
      return nil
    }
    switch readSmallFile(path, atMost: 64 << 10) {
    // What is no path to be seen may be the secret itself.
    case .failure(let reason) where !path.contains("/"):
      item.fail("of the file that is named here (its name is not shown): \(reason.message)")
      return nil
    case .failure(let reason):
      item.fail("\(quoted(path)) \(reason.message)")
      return nil
    case .success(let file):
      guard !file.isShared else {
        item.fail("\(quoted(path)) may be read by group or others: chmod 600 it")
        return nil
      }
      return known(String(decoding: file.bytes, as: UTF8.self), "the content of \(path)", item)
    }
  }

  private func known(_ text: String, _ subject: String, _ item: Item) -> ConfiguredSecret? {
    if let secret = Secret(text) { return .known(secret) }
    item.fail("\(subject) \(Secret.rule)")
    return nil
  }

  /// Looks for the keys of the built-in upstreams, where the file does not list its own.
  mutating func findBuiltInKeys() {
    guard places.upstreams == nil else { return }
    for index in settings.upstreams.indices {
      guard case .unset(let variable) = settings.upstreams[index].apiKey,
        let value = environment[variable], !value.isEmpty
      else { continue }
      if let secret = Secret(value) {
        settings.upstreams[index].apiKey = .known(secret)
      } else {
        review.report(
          "the value of the variable \(variable) \(Secret.rule)",
          path: "upstreams[\(index)].api_key_env", offset: nil)
      }
    }
  }
}
