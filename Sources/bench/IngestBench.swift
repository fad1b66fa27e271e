// POST of images: what a megabyte costs the server, and what it holds meanwhile.
internal import Foundation
internal import Kernel

/// `bench ingest`.
final class IngestBench: Bench {
  private let arguments: Arguments
  private let stage: Stage
  private let report: Report
  private static let sizes = [1536 << 10, 8 << 20]
  /// Images of one converted answer.
  private static let batch = 4
  /// A run ends here at the latest: the disk is not what is measured.
  private static let mostBytes = 128 << 20

  init(_ arguments: Arguments, _ stage: Stage, _ report: Report) throws {
    self.arguments = arguments
    self.stage = stage
    self.report = report
    if !stage.hasTwoCores { report.note("One core, or no taskset: figures of nothing but noise.") }
    if Tool.find("python3") == nil { report.note("python3 is not installed: no peer.") }
  }

  func measure() throws {
    for size in arguments.sizes ?? Self.sizes {
      try measureConversion(size)
      try measureUpload(size)
    }
    try measureGroups(64 << 10)
    try measureMemory(images: 10, size: 20 << 20)
  }

  // MARK: One at a time

  private func measureConversion(_ size: Int) throws {
    let answer = ImagesAnswer(size: size, images: Self.batch)
    let body = stage.folder.appending(path: "body.json")
    try answer.write(to: body)
    let python = Tool.find("python3") == nil ? nil : PythonPeer(stage, body: body)
    let pipeline = try Pipeline(folder: stage.folder)
    var inProcess: [Double] = []
    var peers: [PythonPeer.Run] = []
    var runs: [Run] = []
    let daemon = try Daemon(on: stage)
    defer { daemon.stop() }
    // The first run of everyone warms up.
    for index in 0...arguments.runs {
      let own = try run(daemon, answer.imageBytes) { client in
        try client.expect(
          200, "/v1/images/convert?response_format=url", "application/json", answer.next())
      }
      let peer = try python?.run(imageBytes: answer.imageBytes, seconds: arguments.seconds)
      let pure = try pipeline.run(
        answer.next(), imageBytes: answer.imageBytes, seconds: arguments.seconds)
      guard index > 0 else { continue }
      runs.append(own)
      inProcess.append(pure)
      if let peer { peers.append(peer) }
    }
    let name = "json+b64+hashlib"
    let rates = peers.isEmpty ? [] : [Measure.Peer(name: name, values: peers.map(\.rate))]
    let memory = peers.isEmpty ? [] : [Measure.Peer(name: name, values: peers.map(\.memory))]
    let subject = "\(Self.batch) × \(size.bytesText), JSON"
    report.add(
      Measure(
        subject: subject, quantity: "server MB per CPU second", own: runs.map(\.perCore),
        peers: rates))
    report.add(Measure(subject: subject, quantity: "MB/s, one at a time", own: runs.map(\.rate)))
    report.add(
      Measure(
        subject: subject, quantity: "memory above idle MB", own: runs.map(\.memory), peers: memory))
    report.add(
      Measure(
        subject: subject, quantity: "pipeline alone, MB per CPU s", own: inProcess, peers: rates,
        target: "≥ 900"))
  }

  private func measureUpload(_ size: Int) throws {
    var image = TestImage(size: size)
    let daemon = try Daemon(on: stage)
    defer { daemon.stop() }
    var runs: [Run] = []
    for index in 0...arguments.runs {
      let own = try run(daemon, size) { client in
        try client.expect(201, "/v1/assets", "image/png", [image.nextHead(), image.rest])
      }
      if index > 0 { runs.append(own) }
    }
    let subject = "\(size.bytesText), raw"
    report.add(
      Measure(subject: subject, quantity: "server MB per CPU second", own: runs.map(\.perCore)))
    report.add(Measure(subject: subject, quantity: "MB/s, one at a time", own: runs.map(\.rate)))
    report.add(Measure(subject: subject, quantity: "memory above idle MB", own: runs.map(\.memory)))
  }

  /// What one run gave; megabytes are 1,000,000 bytes of image.
  private struct Run {
    let perCore: Double
    let rate: Double
    let memory: Double
  }

  private func run(
    _ daemon: Daemon, _ bytes: Int, _ body: (LoopbackClient) throws -> Void
  ) throws -> Run {
    let client = try LoopbackClient(port: daemon.port)
    try stage.warmPages(bytes: 2 * Self.mostBytes)
    let idle = daemon.usage.residentBytes
    try daemon.usage.resetPeak()
    let spentBefore = try daemon.usage.processorNanoseconds()
    let start = SystemClock.monotonicNanoseconds
    let end = start + Int64(arguments.seconds) * 1_000_000_000
    var done = 0
    repeat {
      try body(client)
      done += bytes
    } while SystemClock.monotonicNanoseconds < end && done < Self.mostBytes
    let passed = SystemClock.monotonicNanoseconds - start
    let spent = try daemon.usage.processorNanoseconds() - spentBefore
    // Bytes per nanosecond × 1,000 are megabytes per second.
    return Run(
      perCore: Double(done) / Double(spent) * 1000, rate: Double(done) / Double(passed) * 1000,
      memory: Double(daemon.usage.peakBytes - idle) / 1e6)
  }

  // MARK: Many at once

  /// Group commit: what 32 clients get done in the time that one needs for one.
  private func measureGroups(_ size: Int) throws {
    let image = TestImage(size: size)
    let daemon = try Daemon(on: stage)
    defer { daemon.stop() }
    var alone: [Double] = []
    var together: [Double] = []
    for index in 0...arguments.runs {
      try stage.warmPages(bytes: Self.mostBytes)
      let one = try Crowd(clients: 1, each: 64).run(daemon.port, image).rate
      let many = try Crowd(clients: 32, each: 16).run(daemon.port, image).rate
      guard index > 0 else { continue }
      alone.append(one)
      together.append(many)
    }
    report.add(
      Measure(
        subject: "\(size.bytesText), raw", quantity: "images/s, 32 at once", own: together,
        peers: [Measure.Peer(name: "one at a time", values: alone)], target: "≥ 4"))
  }

  private func measureMemory(images: Int, size: Int) throws {
    let image = TestImage(size: size)
    let daemon = try Daemon(on: stage)
    defer { daemon.stop() }
    // The first ones make threads and buffers that stay.
    _ = try Crowd(clients: images, each: 1).run(daemon.port, TestImage(size: 64 << 10))
    var peaks: [Double] = []
    for _ in 0..<arguments.runs {
      let idle = daemon.usage.residentBytes
      try daemon.usage.resetPeak()
      _ = try Crowd(clients: images, each: 1).run(daemon.port, image)
      peaks.append(Double(daemon.usage.peakBytes - idle) / 1e6)
    }
    report.add(
      Measure(
        subject: "\(images) × \(size.bytesText)", quantity: "memory above idle MB", own: peaks,
        target: "≤ 64"))
  }
}
