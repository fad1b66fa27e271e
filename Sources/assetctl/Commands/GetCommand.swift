internal import Crypto
internal import Foundation
internal import Kernel
internal import Synchronization
internal import Wire

/// `assetctl get ID`
struct GetCommand: Command {
  static let form = CommandForm(
    "get", operands: "ID", summary: "Writes an asset's bytes to standard output or a file.",
    flags: [
      Flag("--output", "FILE", "where to write; -o for short. Never replaces a file"),
      Flag("--force", "replace the file"),
    ],
    details: "The bytes are checked against the asset's SHA-256.")

  private let id: String
  private let output: String?
  private let replaces: Bool

  init(_ arguments: Arguments) throws(UsageFailure) {
    id = try arguments.operand("ID")
    output = arguments["--output"].flatMap { $0 == "-" ? nil : $0 }
    replaces = arguments.has("--force")
    if replaces, output == nil { throw UsageFailure("--force needs --output.") }
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    if output == nil, errand.console.isTerminal {
      throw CommandFailure("An image is not for a terminal: say -o FILE.", .usage)
    }
    return try await errand.withStore { client in
      let asset = try await client.asset(id)
      let link = try await client.call(
        ServiceCall(.post, "/v1/assets/\(id.percentEncoded)/links", .json(["ttl": "1h"])))
      let target = try Self.target(of: try link.checked().json().text("url"))
      if let output {
        let place = FilePlace(output, following: false)
        try await save(asset, target, as: place, mode: errand.fileMode, client)
        if errand.json { errand.console.print("\(asset)") }
      } else {
        let console = errand.console
        let download = Download(asset) { bytes, _ in
          console.write(bytes)
          try console.check()
        }
        try await download.run(target, client)
      }
      return .done
    }
  }

  /// Path and query of a link; `public_url` may have a path of its own before it.
  private static func target(of url: String) throws(CommandFailure) -> String {
    guard let start = url.range(of: "/v1/temp-images/", options: .backwards) else {
      throw CommandFailure("The link is none: \(url)")
    }
    return String(url[start.lowerBound...])
  }

  /// The file has its name only when it is whole.
  private func save(
    _ asset: JSONValue, _ target: String, as place: FilePlace, mode: UInt32,
    _ client: ServiceClient
  ) async throws {
    let folder = try Directory.open(path: place.folder)
    let kind = try folder.status(of: place.name)?.kind
    if !replaces, kind != nil { throw taken(place) }
    // A pipe, a device or a link is something else to whoever made it than a file in its place.
    if let kind, kind != .regular {
      throw CommandFailure(
        "\(place.name) is no regular file and is not replaced; without -o the bytes go to standard "
          + "output, which may be anything.", .problems)
    }
    let draft = try DraftFile(in: folder, as: place.name, mode: mode)
    let download = Download(asset) { try draft.write($0, at: $1) }
    try await download.run(target, client)
    do throws(Errno) { try draft.finish(replacing: replaces) } catch {
      throw error.isAlreadyThere ? taken(place) : error as any Error
    }
  }

  private func taken(_ place: FilePlace) -> CommandFailure {
    CommandFailure("\(place.name) is there already; --force replaces it.", .problems)
  }
}

/// Bytes on their way, hashed as they pass.
private final class Download: Sendable {
  private struct State: ~Copyable {
    var hash = SHA256()
    var count: Int64 = 0
  }
  private let state = Mutex(State())
  private let asset: JSONValue
  private let write: @Sendable ([UInt8], Int64) throws -> Void

  init(_ asset: JSONValue, _ write: @escaping @Sendable ([UInt8], Int64) throws -> Void) {
    self.asset = asset
    self.write = write
  }

  func run(_ target: String, _ client: ServiceClient) async throws {
    let total = Int64(asset.number("bytes"))
    let reply = try await client.call(ServiceCall(.get, target, timeout: 3600)) { bytes in
      try self.take(bytes)
    }
    _ = try reply.checked()
    let digest = state.withLock { state in
      var hash = SHA256()
      swap(&hash, &state.hash)
      return hash.finalize()
    }
    guard digest.hex == asset.text("sha256"), state.withLock({ $0.count }) == total else {
      throw CommandFailure(
        "The bytes do not have the asset's SHA-256: the file in the store is damaged.", .problems)
    }
  }

  private func take(_ bytes: Span<UInt8>) throws {
    let offset = state.withLock { state in
      state.hash.update(bytes)
      defer { state.count += Int64(bytes.count) }
      return state.count
    }
    try write(bytes.indices.map { bytes[$0] }, offset)
  }
}
