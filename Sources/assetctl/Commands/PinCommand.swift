internal import Wire

/// `assetctl pin ID…`
struct PinCommand: Command {
  static let form = CommandForm(
    "pin", operands: "ID…", summary: "Keeps assets from every collection.")

  private let pin: Pin

  init(_ arguments: Arguments) throws(UsageFailure) { pin = try Pin(arguments, isPinned: true) }

  func run(_ errand: Errand) async throws -> ExitStatus { try await pin.run(errand) }
}

/// `assetctl unpin ID…`
struct UnpinCommand: Command {
  static let form = CommandForm(
    "unpin", operands: "ID…", summary: "Lets the policies collect pinned assets again.")

  private let pin: Pin

  init(_ arguments: Arguments) throws(UsageFailure) { pin = try Pin(arguments, isPinned: false) }

  func run(_ errand: Errand) async throws -> ExitStatus { try await pin.run(errand) }
}

/// What both do.
private struct Pin: Sendable {
  let ids: [String]
  let isPinned: Bool

  init(_ arguments: Arguments, isPinned: Bool) throws(UsageFailure) {
    ids = try arguments.someOperands("ID")
    self.isPinned = isPinned
  }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      try await client.each(of: ids, errand) { id in
        let call = ServiceCall(
          .patch, "/v1/assets/\(id.percentEncoded)", .json(["pinned": .bool(isPinned)]))
        let asset = try await client.call(call).about(id).json()
        return (asset, "\(isPinned ? "pinned" : "unpinned") \(id)")
      }
    }
  }
}
