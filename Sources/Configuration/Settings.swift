/// The whole configuration, checked: what `Config/assetd.json5` says, over the built-in defaults.
///
/// The defaults are the initial values of these properties and stand nowhere else; `Settings()` is
/// what an empty file gives when no variable is set.
public struct Settings: Sendable, Equatable {
  /// Where the API, the delivery and (without `adminListen`) the console are served; never empty.
  public var listen = [ListenAddress(IPAddress(127, 0, 0, 1), port: 8080)]
  /// Where metrics and console are served instead; empty: on `listen`.
  public var adminListen: [ListenAddress] = []
  /// What delivery URLs are built on; nil: the API's own base.
  public var publicURL: BaseURL?
  /// The peers whose `Forwarded` and `X-Forwarded-*` are believed.
  public var trustedProxies: [Network] = []
  /// The origins that may call the API from a browser, as browsers spell them; `*`: every one.
  public var corsOrigins: [String] = []
  /// The most that `max-age` of a delivery may say; nil: no cap.
  public var cacheMaxAge: Duration?
  /// The header that carries an asset's id to the CDN for purging; nil: none.
  public var cdnTagHeader: String?
  /// `storage`
  public var storage = Storage()
  /// `auth`
  public var auth = Auth()
  /// `defaults`
  public var defaults = Defaults()
  /// The image APIs behind the front, in the file's order, names unique.
  public var upstreams = Upstream.builtIn
  /// The models of the front, ids unique; the first is the default model.
  public var models = Model.builtIn
  /// `gc`
  public var collection = Collection()
  /// `fetch`
  public var fetch = Fetch()
  /// `limits`
  public var limits = Limits()
  /// `privacy`
  public var privacy = Privacy()
  /// `log`
  public var log = Log()

  /// The built-in defaults, without any variable of the environment.
  public init() {}
}

extension Settings {
  /// Where the store is and how much of the disk it may have.
  public struct Storage: Sendable, Equatable {
    /// The store's folder, relative to the working directory.
    public var root = "Storage"
    /// The most bytes the store may take on disk; nil: what the disk has.
    public var maxBytes: Int64?
    /// Bytes of the disk that are always left free.
    public var minFreeBytes: Int64 = 1 << 30
    /// The key ring's file; nil: `keyring.json` in the store's folder.
    public var keyringFile: String?
    /// How stored files are looked at again; nil: not at all.
    public var scrub: Scrub? = Scrub()

    /// The defaults.
    public init() {}
  }

  /// How often every stored file is read and compared with its digest, and how fast.
  public struct Scrub: Sendable, Equatable {
    /// From the beginning of one pass to that of the next.
    public var interval: Duration = .seconds(30 * 86_400)
    /// Bytes a second at most.
    public var rate: Int64 = 8 << 20

    /// The defaults.
    public init() {}
  }

  /// Who may call the API.
  public struct Auth: Sendable, Equatable {
    /// Whether keys are asked for.
    public enum Mode: String, Sendable, CaseIterable {
      /// No keys; only on loopback addresses.
      case open
      /// Every call of the API needs a key.
      case keys
    }

    /// Whether keys are asked for.
    public var mode = Mode.open
    /// An admin key that need not be in the store.
    public var bootstrapKey = ConfiguredSecret.none

    /// The defaults.
    public init() {}
  }

  /// How long assets live.
  public enum Retention: String, Sendable, CaseIterable {
    /// Until a time.
    case temporary
    /// Until it is deleted.
    case permanent
  }

  /// How a generation's images are answered.
  public enum ResponseFormat: String, Sendable, CaseIterable {
    /// A link.
    case url
    /// The bytes as base64.
    case base64JSON = "b64_json"
  }

  /// How base64 is written in answers.
  public enum Base64Form: String, Sendable, CaseIterable {
    /// Base64 alone.
    case raw
    /// `data:image/png;base64,` and base64.
    case dataURL = "data_url"
  }

  /// What a request gets that does not say (nor its key, nor its model).
  public struct Defaults: Sendable, Equatable {
    /// How images are answered.
    public var responseFormat = ResponseFormat.url
    /// How long assets live.
    public var retention = Retention.temporary
    /// The life of a temporary asset and its link.
    public var ttl: Duration = .seconds(24 * 3600)
    /// How base64 is written.
    public var base64 = Base64Form.raw

    /// The defaults.
    public init() {}
  }

  /// The guard of fetched URLs.
  public struct Fetch: Sendable, Equatable {
    /// Exceptions to the address guard.
    public var allow: [FetchRule] = []
    /// The most bytes of one fetched body.
    public var maxBytes: Int64 = 64 << 20
    /// The most redirects that are followed, each checked again.
    public var maxRedirects = 3
    /// The time from the first packet to the last byte.
    public var timeout: Duration = .seconds(60)

    /// The defaults.
    public init() {}
  }

  /// What one request, one peer and the process may take.
  public struct Limits: Sendable, Equatable {
    /// The most bytes of a request's body.
    public var bodyBytes: Int64 = 1 << 30
    /// The most bytes of one image.
    public var imageBytes: Int64 = 64 << 20
    /// The most pixels that an image's header may claim.
    public var imagePixels = 100_000_000
    /// Connections at once.
    public var connections = 16_384
    /// Connections at once from one address; loopback and trusted proxies are exempt.
    public var connectionsPerAddress = 256
    /// The time a request's head may take.
    public var headerTimeout: Duration = .seconds(10)
    /// The time a kept connection may wait for its next request.
    public var idleTimeout: Duration = .seconds(75)
    /// The time that clients get to take their answers when the daemon ends. Paid calls of
    /// upstreams go on beyond it.
    public var drainTimeout: Duration = .seconds(30)

    /// The defaults.
    public init() {}
  }

  /// What is kept about people.
  public struct Privacy: Sendable, Equatable {
    /// Whether prompts are stored with generations.
    public var storePrompts = false

    /// The defaults.
    public init() {}
  }

  /// What is logged, and where.
  public struct Log: Sendable, Equatable {
    /// Where the access log goes.
    public enum Access: String, Sendable, CaseIterable {
      /// Standard error.
      case stderr
      /// Standard output.
      case stdout
      /// Nowhere.
      case off
    }

    /// How a line is written.
    public enum Format: String, Sendable, CaseIterable {
      /// One JSON object per line.
      case json
    }

    /// What the daemon says about itself: this and what is graver.
    public enum Level: String, Sendable, CaseIterable, Comparable {
      /// Everything.
      case debug
      /// What happens.
      case info
      /// What an operator should look at.
      case warning
      /// What failed.
      case error

      /// By gravity.
      public static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }

      private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Where the access log goes.
    public var access = Access.stderr
    /// How a line is written.
    public var format = Format.json
    /// The least grave thing that is said.
    public var level = Level.info

    /// The defaults.
    public init() {}
  }
}
