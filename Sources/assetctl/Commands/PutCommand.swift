internal import Configuration
internal import Foundation
internal import Kernel
internal import Wire

/// `assetctl put FILE…`
struct PutCommand: Command {
  static let form = CommandForm(
    "put", operands: "FILE…", summary: "Hosts image files; - is standard input.",
    flags: [
      Flag("--retention", "KIND", "temporary or permanent (default: defaults.retention)"),
      Flag("--ttl", "TIME", "how long a temporary one lives: 72h, 30d"),
      Flag("--owner", "NAME", "whose it is (default: local)"),
      Flag("--truncated", "also images that end before their end; each is named"),
    ],
    details: """
      PNG, JPEG, WebP, GIF and AVIF are told by their bytes. The same file of the same owner is
      hosted once: putting it again gives the same id, and the later end. Files that can not be
      hosted are named, and the others are.
      """)

  private let files: [String]
  private let query: String
  private let takesTruncated: Bool

  init(_ arguments: Arguments) throws(UsageFailure) {
    files = try arguments.someOperands("FILE")
    takesTruncated = arguments.has("--truncated")
    guard files.count(where: { $0 == "-" }) < 2 else {
      throw UsageFailure("Standard input can be read once.")
    }
    var parts: [String] = []
    let retention = try arguments.choice("--retention", of: ["temporary", "permanent"])
    if let retention { parts.append("retention=\(retention)") }
    if let ttl = try arguments.seconds("--ttl") {
      guard retention != "permanent" else { throw UsageFailure("A permanent asset has no --ttl.") }
      guard ttl > 0 else { throw UsageFailure("--ttl must be at least a second.") }
      parts.append("ttl=\(ttl)")
    }
    if let owner = arguments["--owner"] { parts.append("owner=\(owner.percentEncoded)") }
    query = parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    // What can not be read is told before a store is made. Thousands of files are not held open
    // until their turn comes.
    var standardInput: [UInt8] = []
    for file in files {
      if file == "-" {
        standardInput = try Self.standardInput(errand.settings.limits.imageBytes)
      } else {
        _ = try Self.open(file)
      }
    }
    let input = standardInput
    return try await errand.withStore(making: true) { client in
      var status = ExitStatus.done
      for file in files {
        do {
          try await put(file, input, client, errand)
        } catch let failure as CommandFailure {
          errand.console.complain("\(file): \(failure.message)")
          status = max(status, failure.status)
        }
      }
      return status
    }
  }

  private func put(
    _ file: String, _ standardInput: [UInt8], _ client: ServiceClient, _ errand: Errand
  ) async throws {
    let body = try file == "-" ? ServiceCall.Body.bytes(standardInput) : Self.open(file)
    let target = "/admin/assets" + query
    var reply = try await client.call(ServiceCall(.post, target, body, timeout: Self.timeout))
    if takesTruncated, reply.error["code"]?.string == "truncated_image" {
      let all = target + (query.isEmpty ? "?" : "&") + "truncated=keep"
      reply = try await client.call(ServiceCall(.post, all, body, timeout: Self.timeout))
      if reply.isSuccess {
        errand.console.complain("\(file): ends before its end; it is hosted as it is.")
      }
    }
    guard reply.isSuccess else { throw Self.refusal(reply) }
    try show(reply, errand)
  }

  /// Seconds for one file.
  private static let timeout: Int64 = 3600

  /// A 400 that names no parameter is about the file, not about the command line.
  private static func refusal(_ reply: ServiceReply) -> CommandFailure {
    let failure = reply.failure
    guard failure.status == .usage, reply.error["param"]?.string == nil else { return failure }
    let isTruncated = reply.error["code"]?.string == "truncated_image"
    return CommandFailure(
      failure.message + (isTruncated ? " --truncated hosts it as it is." : ""), .problems)
  }

  private func show(_ reply: ServiceReply, _ errand: Errand) throws(CommandFailure) {
    let asset = try reply.json()
    if errand.json { return errand.console.print("\(asset)") }
    errand.console.print(
      "\(asset.text("id"))  \(Spoken.bytes(Int64(asset.number("bytes"))))  "
        + "\(asset.text("retention"))\(reply.status == 200 ? "  (was there)" : "")  "
        + asset.text("url"))
  }

  // MARK: The file

  private static func open(_ file: String) throws(CommandFailure) -> ServiceCall.Body {
    do throws(Errno) {
      let place = FilePlace(file, following: true)
      let opened = try Directory.open(path: place.folder).file(place.name, .read)
      let status = try opened.status()
      if status.kind == .regular { return .file(SharedFile(opened), bytes: status.bytes) }
    } catch {
      throw CommandFailure("\(file) can not be read: \(error).", .usage)
    }
    throw CommandFailure("\(file) is no file.", .usage)
  }

  private static func standardInput(_ limit: Int64) throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      while let chunk = try FileHandle.standardInput.read(upToCount: 1 << 20), !chunk.isEmpty {
        bytes += chunk
        guard bytes.count <= limit else {
          throw CommandFailure("Standard input has more than \(limit) bytes.", .problems)
        }
      }
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure("Standard input can not be read: \(error).")
    }
    return bytes
  }
}

/// A file's folder and its name in it.
struct FilePlace {
  let folder: String
  let name: String

  /// - Parameter following: whether symbolic links lead on to what they name.
  init(_ path: String, following: Bool) {
    var url = URL(fileURLWithPath: path)
    if following { url = url.resolvingSymlinksInPath() }
    folder = url.deletingLastPathComponent().path
    name = url.lastPathComponent
  }
}
