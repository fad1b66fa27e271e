// The composition: every part of the service is made here and handed to those that need it. Nothing
// is global, nothing registers itself.
//
//   settings ─► store ─► links ─► loops ─► HTTPServer ─► LoopService (one per loop)
public import Configuration
internal import HTTPServer
internal import Kernel
internal import Links
internal import Net
internal import Store
internal import Synchronization
internal import Wire

/// Why a service did not start: one sentence.
public struct StartFailure: Error, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A running service: the daemon's, or one that is embedded in a command.
public final class AssetService: Sendable {
  /// Where it listens, as base URLs with the real ports.
  public let addresses: [String]
  let context: ServiceContext
  private let server: HTTPServer
  let loops: [EventLoop]
  private let housekeeping: Task<Void, Never>
  private let tellsItsLife: Bool
  /// Whether nothing is waited for any more.
  private let isAbandoned = Atomic<Bool>(false)
  /// `nil` where nobody is served.
  private let keyringWatch: KeyringWatch?

  /// What a start may leave out.
  public struct Options: Sendable {
    /// How many loops there are.
    public var loops: Int
    /// Whether `settings.listen` is served, beside the admin socket.
    public var listens = true
    /// Whether policies and the scrub run by themselves.
    public var keepsHouse = true
    /// Whether start, drain and end are told as events of the log.
    public var tellsItsLife = false
    /// How long another process may have the store open still: a command that ends soon, or the
    /// service before this one.
    public var lockPatience = Duration.zero

    /// Hears that the store is waited for; for tests.
    var waits: @Sendable () -> Void = {}
    var limits = ServiceLimits()
    /// Whether reading a file may wait; `nil` asks the disk.
    var diskWaiting: DiskWaiting?
    /// `StoreOptions.stallLimit`; `nil` for the usual one.
    var stallLimit: Int64?

    /// One loop per core, everything on.
    public init() { loops = SystemInfo.coreCount }
  }

  /// Opens the store and begins to serve.
  ///
  /// - Throws: `StartFailure`, such as a store that is in use or an address that is taken.
  public static func start(
    _ settings: Settings, _ options: Options = Options()
  ) async throws(StartFailure) -> AssetService {
    try refuseWhatIsNotOffered(settings)
    if let trouble = StorePlace(settings.storage.root).trouble { throw StartFailure(trouble) }
    do {
      return try await AssetService(settings, options)
    } catch let failure as StartFailure {
      throw failure
    } catch {
      throw StartFailure("\(error)")
    }
  }

  private init(_ settings: Settings, _ options: Options) async throws {
    let log = try LogSink(settings.log)
    let context: ServiceContext
    do { context = try await Self.context(settings, log, options) } catch {
      log.close()
      throw error
    }
    self.context = context
    context.store.scrubGivesWay { [workers = context.workers, readers = context.coldReaders] in
      workers.pending + readers.pending > 0
    }
    tellsItsLife = options.tellsItsLife
    let loops = try (0..<options.loops).map { try EventLoop(index: $0) }
    self.loops = loops
    do {
      for loop in loops { try loop.start() }
      let parts = try LoopParts(context, loops: loops.count)
      server = try await HTTPServer(
        loops: loops, limits: ServerLimits(settings.limits, context.shares),
        coldReaders: context.coldReaders
      ) { loop in
        try LoopService(context, parts, on: loop)
      }
      try await server.listenLocally(at: Endpoint(.path(try context.store.adminSocketPath())))
      addresses = options.listens ? try await Self.listen(settings, server, context.bases) : []
      keyringWatch = options.listens ? try KeyringWatch(context) : nil
      try keyringWatch?.start()
    } catch {
      Self.end(loops, context)
      throw error
    }
    context.state.noteListening(at: addresses)
    context.state.noteServing(with: server)
    let keeper = Housekeeping(
      settings, store: context.store, workers: context.workers, log: log)
    housekeeping = Task { if options.keepsHouse { await keeper.run() } }
    if tellsItsLife { context.log.started(settings, at: addresses) }
  }

  private static func context(
    _ settings: Settings, _ log: LogSink, _ options: Options
  ) async throws -> ServiceContext {
    var storeOptions = StoreOptions(settings)
    storeOptions.migrating = { from, to in
      log.event(
        .info, "the catalogue is brought to a newer schema",
        .init(name: "from", value: .number(JSONNumber(from))),
        .init(name: "to", value: .number(JSONNumber(to))))
    }
    storeOptions.diskWaiting = options.diskWaiting
    if let limit = options.stallLimit { storeOptions.stallLimit = limit }
    storeOptions.report = { log.tell($0) }
    if !options.keepsHouse { storeOptions.scrub = nil }
    let store = try await open(storeOptions, options, log)
    let ring: KeyRing
    let bytes = try store.readKeyring()
    do throws(KeyRingFailure) { ring = try KeyRing(json: bytes.span) } catch {
      throw StartFailure("The key ring of \(settings.storage.root) can not be used: \(error).")
    }
    let state = ServiceState()
    let limits = options.limits
    return ServiceContext(
      settings: settings, store: store, limits: limits,
      shares: DescriptorShares(of: SystemInfo.descriptorLimit, loops: options.loops),
      workers: try Workers(
        threads: 2 * SystemInfo.coreCount + 4, queueLimit: limits.workerQueue),
      // A connection waits for one reading at a time: there is room for all.
      coldReaders: try ColdReaders(
        threads: limits.coldReaders, queueLimit: settings.limits.connections,
        untoldIsCold: store.diskWaiting != .never),
      lookups: try HostLookups(threads: limits.lookups, queueLimit: limits.lookupQueue),
      budgets: CallBudgets(limits), linkKeys: LinkKeys(LinkVerifier(ring)),
      bases: BaseSettings(settings, state), log: log, state: state,
      gates: UpstreamGates(log: log))
  }

  /// A store that is in use was not changed by the attempt: it is tried again.
  private static func open(
    _ storeOptions: StoreOptions, _ options: Options, _ log: LogSink
  ) async throws -> Store {
    let end = ContinuousClock.now + options.lockPatience
    var isTold = false
    while true {
      do {
        return try Store(storeOptions)
      } catch {
        guard error.kind == .locked, ContinuousClock.now < end else { throw error }
      }
      if !isTold {
        options.waits()
        if options.tellsItsLife {
          log.event(
            .info, "another process has the store open: waiting for it",
            .init(name: "seconds", value: .number(JSONNumber(options.lockPatience.wholeSeconds))))
        }
      }
      isTold = true
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private static func listen(
    _ settings: Settings, _ server: HTTPServer, _ bases: BaseSettings
  ) async throws -> [String] {
    var addresses: [String] = []
    for address in settings.listen {
      guard let endpoint = Endpoint(address.description) else {
        throw StartFailure("\(address) is not an address to listen on.")
      }
      do {
        let real = try await server.listen(at: endpoint) { $0.isLoopback || bases.trusts($0) }
        addresses.append("http://\(real)")
      } catch let error as Errno where error.isAddressInUse {
        throw StartFailure("\(address) is in use by another program.")
      } catch let error as Errno {
        throw StartFailure("Listening on \(address) failed: \(error).")
      }
    }
    return addresses
  }

  /// What is configured and not carried out must not be believed in.
  private static func refuseWhatIsNotOffered(_ settings: Settings) throws(StartFailure) {
    let sentences = settings.notOffered
    if !sentences.isEmpty { throw StartFailure(sentences.joined(separator: "\n")) }
  }

  /// The version of this program.
  public static let version = "0.1.0"

  /// Makes a `stop` that is under way wait for no call any more; the log names each paid one.
  public func abandonCalls() async {
    isAbandoned.store(true, ordering: .relaxed)
    for purchase in context.purchases.all {
      context.log.event(.error, "a paid call was abandoned", purchase.members)
    }
    server.abandon()
  }

  /// The folder of the store.
  public var storageRoot: String { context.store.root }

  /// Says that a SIGHUP came and what came of it.
  public func noteHangUp() {
    context.log.event(
      .warning,
      "SIGHUP: the key ring is read again by itself; restart to change the configuration")
  }

  /// Stops accepting, gives clients `clientTime` to take their answers, lets paid calls end, and
  /// closes the store.
  public func stop(clientTime: Duration) async {
    context.state.beginDraining()
    if tellsItsLife {
      context.log.event(
        .info, "draining",
        .init(
          name: "seconds", value: .number(JSONNumber(clientTime.components.seconds))),
        .init(name: "connections", value: .number(JSONNumber(context.state.connections))))
    }
    context.gates.beginDraining()
    housekeeping.cancel()
    context.store.stopCollecting()
    context.store.stopScrubbing()
    await server.drain(clientTime: clientTime)
    keyringWatch?.stop()
    await flush()
    if tellsItsLife { context.log.event(.info, "ended") }
    Self.end(loops, context)
  }

  /// What was fetched last matters to policies; without a catalogue there is nothing to write to.
  private func flush() async {
    guard !isAbandoned.load(ordering: .relaxed) else { return }
    do {
      try await context.store.flushKeyUses()
      try await context.store.flushLastAccesses { [self] in
        !isAbandoned.load(ordering: .relaxed)
      }
    } catch {
      context.log.event(
        .warning, "last fetches were not written",
        .init(name: "error", value: .string("\(error)")))
    }
  }

  /// Lets go of everything; the log last.
  private static func end(_ loops: [EventLoop], _ context: ServiceContext) {
    for loop in loops { loop.stop() }
    context.stopWorkers()
    context.store.removeAdminSocket()
    context.store.close()
    context.log.close()
  }
}
