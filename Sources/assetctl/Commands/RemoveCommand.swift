internal import Wire

/// `assetctl rm ID…`
struct RemoveCommand: Command {
  static let form = CommandForm(
    "rm", operands: "ID…", summary: "Removes assets; their URLs answer 410 at once.")

  private let ids: [String]

  init(_ arguments: Arguments) throws(UsageFailure) { ids = try arguments.someOperands("ID") }

  func run(_ errand: Errand) async throws -> ExitStatus {
    try await errand.withStore { client in
      try await client.each(of: ids, errand) { id in
        _ = try await client.call(ServiceCall(.delete, "/v1/assets/\(id.percentEncoded)"))
          .about(id)
        return (["id": .string(id), "deleted": true], "removed \(id)")
      }
    }
  }
}

extension ServiceClient {
  /// Does one thing to many assets; what fails for one does not keep the others from it.
  func each(
    of ids: [String], _ errand: Errand,
    _ body: (String) async throws -> (json: JSONValue, line: String)
  ) async throws -> ExitStatus {
    var status = ExitStatus.done
    for id in ids {
      do {
        let outcome = try await body(id)
        errand.console.print(errand.json ? "\(outcome.json)" : outcome.line)
      } catch let failure as CommandFailure {
        errand.console.complain(failure.message)
        status = max(status, failure.status)
      }
    }
    return status
  }
}
