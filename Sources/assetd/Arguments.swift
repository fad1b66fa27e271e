internal import Configuration

/// What the command line of `assetd` says.
struct Arguments {
  /// What to do.
  enum Action {
    case serve, checkConfiguration, help, version
  }
  var action = Action.serve
  var configuration: String?
  var overrides = ConfigurationOverrides()

  /// - Throws: `UsageFailure` that names the argument.
  init(_ words: [String]) throws(UsageFailure) {
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if parts.count == 2, ["--help", "--version", "--check-config"].contains(name) {
        throw UsageFailure("\(name) takes no value.")
      }
      switch name {
      case "--help", "-h": action = .help
      case "--version": action = .version
      case "--check-config": action = .checkConfiguration
      case "--config", "--listen", "--storage":
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw UsageFailure("\(name) needs a value.")
        }
        // A flag that was left without its value must not swallow the next flag.
        guard parts.count == 2 || !value.hasPrefix("--"), !value.isEmpty else {
          throw UsageFailure("\(name) needs a value.")
        }
        set(name, value)
      default:
        throw UsageFailure("\"\(word)\" is not known; try assetd --help.")
      }
    }
  }

  private mutating func set(_ name: String, _ value: String) {
    switch name {
    case "--config": configuration = value
    case "--listen": overrides.listen.append(value)
    default: overrides.storageRoot = value
    }
  }

  static let help = """
    Usage: assetd [--config FILE] [--storage DIR] [--listen ADDRESS]… [--check-config]

    Hosts the images of AI gateways: generates through the OpenAI Images API, stores by content,
    serves permanent and signed expiring URLs.

      --config FILE     the configuration; without it Config/assetd.json5 when there is one,
                        else the built-in defaults
      --storage DIR     the store, over storage.root
      --listen ADDRESS  where to listen, over listen: 127.0.0.1:8080, [::1]:0; may be repeated
      --check-config    read and check the configuration, say what it means, and end
      --version         the version
      --help            this text

    Exit status: 0 ended by SIGTERM or SIGINT, or the configuration is good; 2 wrong arguments or
    configuration; 3 could not run (a store in use, an address taken, …).

    """
}

/// A wrong command line: one sentence.
struct UsageFailure: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
