// The one way to a store: HTTP over its admin socket.
//
//   socket answers ──────────────────────────────► that service: the daemon, or another assetctl
//   no socket, lock free ──► a service of our own ─► its socket; it ends with the command
//   no socket, lock held ──► wait a little (it starts or ends) ──► "in use, and does not answer"
internal import AssetService
internal import Configuration
internal import HTTPClient
internal import Kernel
internal import Wire

extension Errand {
  /// Runs `body` with a client of the store's service.
  ///
  /// - Parameter making: whether a store is made when there is none.
  func withStore<R>(
    making: Bool = false, _ body: (ServiceClient) async throws -> R
  ) async throws -> R {
    if let trouble = StorePlace(settings.storage.root).trouble { throw CommandFailure(trouble) }
    let access = StoreAccess(settings, auditsOnErrors: !console.showsProgress)
    guard making || access.isThere else {
      throw CommandFailure(
        "There is no store in \"\(settings.storage.root)\"; assetd makes one when it starts, and "
          + "--storage names another.")
    }
    return try await access.use(body)
  }
}

/// Finds or starts the service of a store.
struct StoreAccess {
  private let settings: Settings
  private let root: String
  /// How long a store may be starting or ending, in nanoseconds.
  private static let patience: Int64 = 5_000_000_000
  /// How long another command's look at the lock may last: it may be put off between two calls.
  private static let lockPatience = Duration.seconds(1)
  /// Seconds that a service may take to say who it is.
  private static let answerTime: Int64 = 10

  /// - Parameter auditsOnErrors: whether deletions are logged to standard error, as the daemon
  /// does.
  init(_ settings: Settings, auditsOnErrors: Bool) {
    var settings = settings
    settings.log.access = .off
    if !auditsOnErrors { settings.log.level = max(settings.log.level, .warning) }
    self.settings = settings
    root = settings.storage.root
  }

  /// Whether a store was made here.
  var isThere: Bool {
    guard let folder = try? Directory.open(path: root) else { return false }
    // What was a store and lost its catalogue is not made anew: the start says so.
    return ["catalog.sqlite", "keyring.json", "blobs"].contains { name in
      ((try? folder.status(of: name)) ?? nil) != nil
    }
  }

  func use<R>(_ body: (ServiceClient) async throws -> R) async throws -> R {
    let deadline = SystemClock.monotonicNanoseconds + Self.patience
    while true {
      if let folder = try? Folder(root), let client = try await Self.connect(folder) {
        return try await Self.run(body, client)
      }
      if try isLockFree(), let service = try await startAlone() {
        return try await run(body, on: service)
      }
      guard SystemClock.monotonicNanoseconds < deadline else { throw Self.silent(root) }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private static func silent(_ root: String) -> CommandFailure {
    CommandFailure(
      "The store in \"\(root)\" is in use by another process, which does not answer on its "
        + "admin socket; see what holds \"\(root)/lock\" (lslocks, fuser).")
  }

  // MARK: A running service

  /// A client of the service on the folder's socket; `nil` when nobody listens there.
  private static func connect(_ folder: Folder) async throws -> ServiceClient? {
    guard folder.hasSocket else { return nil }
    // The path of a socket is at most 107 bytes (unix(7)): it goes through the open folder.
    let path = folder.socketPath
    var client = try await ServiceClient(.socket(path: path, host: "localhost"), keeping: folder)
    do {
      let about = try await client.call(ServiceCall(.get, "/admin/about", timeout: answerTime))
      let host = try about.checked().json()["host"]?.string ?? "localhost"
      // Nobody listens on port 0: a store without a daemon, whose configuration asks for any port.
      let named = host.hasSuffix(":0") ? String(host.dropLast(2)) : host
      client.place = .socket(path: path, host: named)
      return client
    } catch {
      await client.close()
      guard let failure = error as? ClientFailure else { throw error }
      switch failure {
      case .timedOut: throw silent(folder.path)
      // It is starting, or ends just now.
      case .unreachable, .lost: return nil
      default:
        throw CommandFailure("The service of \"\(folder.path)\" does not answer: \(failure).")
      }
    }
  }

  private static func run<R>(
    _ body: (ServiceClient) async throws -> R, _ client: ServiceClient
  ) async throws -> R {
    do {
      let result = try await body(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }

  // MARK: A service of our own

  /// Whether nobody has the store open now. The lock is shared for that moment: others who look do
  /// not take each other for a daemon, and a service that starts waits for longer.
  func isLockFree() throws(CommandFailure) -> Bool {
    do throws(Errno) {
      let folder = try Directory.open(path: root)
      guard try folder.status(of: "lock") != nil else { return true }
      return try folder.file("lock", .readWrite).tryLock(isShared: true)
    } catch {
      if error.isNotFound { return true }
      throw CommandFailure("The store in \"\(root)\" can not be opened: \(error).")
    }
  }

  /// `nil` when someone else was faster.
  private func startAlone() async throws -> AssetService? {
    var options = AssetService.Options()
    options.loops = 1
    options.listens = false
    options.keepsHouse = false
    // Another command that looks whether the lock is free has it for a moment.
    options.lockPatience = Self.lockPatience
    do {
      return try await AssetService.start(settings, options)
    } catch {
      if try !isLockFree() { return nil }
      throw error
    }
  }

  private func run<R>(
    _ body: (ServiceClient) async throws -> R, on service: AssetService
  ) async throws -> R {
    do {
      guard var client = try await Self.connect(try Folder(root)) else {
        throw CommandFailure("The admin socket of \"\(root)\" vanished.")
      }
      client.isAlone = true
      let result = try await Self.run(body, client)
      await service.stop(clientTime: .seconds(5))
      return result
    } catch {
      await service.stop(clientTime: .seconds(1))
      throw error
    }
  }
}

/// A store's folder, held open.
final class Folder: Sendable {
  let path: String
  private let directory: Directory

  init(_ path: String) throws(Errno) {
    self.path = path
    directory = try Directory.open(path: path)
  }

  private static let socket = "admin.sock"

  /// Whether there is a socket; nobody may listen on it any more.
  var hasSocket: Bool { ((try? directory.status(of: Self.socket)) ?? nil)?.kind == .other }

  /// Good as long as this object lives.
  var socketPath: String { "/proc/self/fd/\(directory.descriptor.number)/\(Self.socket)" }
}
