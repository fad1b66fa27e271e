internal import Foundation

/// GET of more files than any server keeps open, each in turn: every request opens one.
struct ManyFiles {
  private let stage: Stage
  private static let size = 4 << 10
  /// 100,000 images.
  private static let crowd = Crowd(clients: 32, each: 3125)

  init(_ stage: Stage) { self.stage = stage }

  func measure(_ servers: Servers, _ turns: Turns, shims: [Shim]) throws {
    turns.report.note("  100,000 images are being hosted: half a minute.")
    // Whoever is asked first must not have them all in the order in which they were made.
    let hosted = try servers.daemon.host(Self.crowd, size: Self.size).shuffled()
    // What is not on the disk yet would go there during the first runs.
    _ = try stage.run(["sync", "-f", stage.folder.path])
    let all = try servers.contenders(hosted, size: Self.size)
    let wrk = try all.map { contender in
      let list = stage.folder.appending(path: "\(contender.name).list")
      try contender.paths.joined(separator: "\n").write(
        to: list, atomically: false, encoding: .utf8)
      return Wrk(list: list, shims: shims)
    }
    try turns.measure("\(Self.size.bytesText) of 100,000", all, wrk)
  }
}
