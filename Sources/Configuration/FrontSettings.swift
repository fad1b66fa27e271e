// The front's part of the configuration: upstreams and models.

extension Settings {
  /// The wire languages of upstreams. A new dialect is added here, and in Upstream; nowhere else.
  public enum Dialect: String, Sendable, CaseIterable {
    /// Draws images in the process; needs neither key nor network.
    case sample
    /// OpenAI's Images API, and whoever speaks it.
    case openai

    /// Where the upstream is when the configuration does not say; nil: it must say.
    var usualBaseURL: BaseURL? {
      switch self {
      case .sample: nil
      case .openai: BaseURL("https://api.openai.com/v1")
      }
    }

    /// Whether the upstream is called over the network.
    public var isRemote: Bool { self != .sample }
  }

  /// One image API.
  public struct Upstream: Sendable, Equatable {
    /// What happens to request parameters that the dialect does not know.
    public enum UnknownParameters: String, Sendable, CaseIterable {
      /// They are sent on.
      case forward
      /// They are left out.
      case drop
      /// They are a 400.
      case reject
    }

    /// The name that models refer to.
    public var name: String
    /// What it speaks.
    public var dialect: Dialect
    /// Where it is; nil for a dialect without a network.
    public var baseURL: BaseURL?
    /// Its key; `.none` sends no authorization.
    public var apiKey = ConfiguredSecret.none
    /// Calls at once.
    public var maxConcurrent = 64
    /// What happens to unknown parameters.
    public var unknownParameters = UnknownParameters.forward

    /// An upstream at its dialect's usual address.
    public init(name: String, dialect: Dialect) {
      self.name = name
      self.dialect = dialect
      baseURL = dialect.usualBaseURL
    }

    /// Why it can not be called (its models answer 503 `upstream_not_configured`); nil: it can.
    public var obstacle: String? {
      guard case .unset(let variable) = apiKey else { return nil }
      return "the variable \(variable) is not set"
    }

    static var builtIn: [Upstream] {
      var openai = Upstream(name: "openai", dialect: .openai)
      openai.apiKey = .unset(variable: "OPENAI_API_KEY")
      return [Upstream(name: "sample", dialect: .sample), openai]
    }
  }

  /// One model of the front.
  public struct Model: Sendable, Equatable {
    /// What requests call it; `*` stands for every other name.
    public var id: String
    /// The upstreams that are tried, in this order; never empty.
    public var upstreams: [String]
    /// What the upstream calls it; nil: the name of the request.
    public var upstreamModel: String?
    /// The time until the upstream's whole answer is here.
    public var timeout: Duration = .seconds(300)
    /// Bytes that are reserved per image before the upstream is called.
    public var expectedBytes: Int64 = 8 << 20
    /// The most images of one request: 1...10.
    public var maxN = 10
    /// The sizes that are accepted; nil: the upstream decides.
    public var sizes: [String]?
    /// Overrides `defaults.response_format`.
    public var responseFormat: ResponseFormat?
    /// Overrides `defaults.retention`.
    public var retention: Retention?
    /// How long equal requests are answered from the store; nil: never.
    public var cache: Duration?

    /// A model with the defaults.
    public init(id: String, upstreams: [String]) {
      self.id = id
      self.upstreams = upstreams
    }

    static var builtIn: [Model] {
      var gptImage = Model(id: "gpt-image-2", upstreams: ["openai"])
      gptImage.upstreamModel = "gpt-image-2"
      return [Model(id: "sample", upstreams: ["sample"]), gptImage]
    }
  }
}

extension Settings {
  /// Models of which no upstream can be called: their calls answer 503
  /// `upstream_not_configured`, and they are not listed.
  public var unusableModels: [Model] {
    let usable = upstreams.filter { $0.obstacle == nil }.map(\.name)
    return models.filter { model in !model.upstreams.contains { usable.contains($0) } }
  }
}
