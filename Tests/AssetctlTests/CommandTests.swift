import AssetService
import Configuration
import Foundation
import Glibc
import Kernel
import Synchronization
import Testing
import Wire

@testable import assetctl

/// Every command, alone under the lock and beside a service that holds it.
struct CommandTests {
  @Test(arguments: [false, true])
  func anAssetsLife(besideADaemon: Bool) async throws {
    let bench = try Workbench()
    let daemon = besideADaemon ? try await bench.daemon() : nil
    try bench.write("a.png", image(1))
    let put = await bench.run(
      "put", bench.path("a.png"), "--ttl", "72h", "--owner", "bob", "--json")
    #expect(put.status == .done, "\(put.errors)")
    let asset = try #require(try put.lines().first)
    let id = asset.text("id")
    #expect(asset.text("owner") == "bob")
    #expect(asset.number("expires_at") - asset.number("created_at") == 72 * 3600)
    if let daemon {
      // The URL is the daemon's own, with its real port.
      let base = try #require(daemon.addresses.first)
      #expect(asset.text("url").hasPrefix(base + "/v1/temp-images/"))
    }
    #expect(
      try await bench.run("show", id, "--json").lines().first?.text("sha256")
        == asset.text("sha256"))
    #expect(
      try await bench.run("ls", "--json", "--owner", "bob").lines().map { $0.text("id") } == [id])
    #expect(await bench.run("ls", "--json", "--owner", "carla").output.isEmpty)
    #expect(try await bench.run("stats", "--json").lines().first?.number("assets") == 1)

    #expect(await bench.run("get", id).bytes == image(1))
    #expect(await bench.run("get", id, isTerminal: true).status == .usage)
    #expect(await bench.run("get", id, "-o", bench.path("b.png")).status == .done)
    #expect(try bench.read("b.png") == image(1))
    #expect(await bench.run("get", id, "-o", bench.path("b.png")).status == .problems)
    #expect(await bench.run("get", id, "-o", bench.path("b.png"), "--force").status == .done)

    #expect(try await bench.run("pin", id, "--json").lines().first?["pinned"]?.bool == true)
    #expect(try await bench.run("unpin", id, "--json").lines().first?["pinned"]?.bool == false)
    let link = try #require(try await bench.run("link", id, "--ttl", "1h", "--json").lines().first)
    #expect(link.text("url").contains("/v1/temp-images/"))

    let removed = await bench.run("rm", id, "img-0", "--json")
    #expect(removed.status == .problems)
    #expect(removed.errors == "assetctl: There is no asset img-0.\n")
    #expect(try removed.lines().map { $0.text("id") } == [id])
    #expect(await bench.run("show", id).status == .problems)
    await daemon?.stop(clientTime: .seconds(1))
  }

  @Test(arguments: [false, true])
  func aDryRunNamesExactlyWhatARunDeletes(besideADaemon: Bool) async throws {
    let bench = try Workbench()
    let daemon = besideADaemon ? try await bench.daemon() : nil
    var words = ["put"]
    for seed in 1...4 as ClosedRange<UInt8> {
      try bench.write("\(seed).png", image(seed))
      words.append(bench.path("\(seed).png"))
    }
    let config = ["--config", bench.path("c.json5"), "--json"]
    let ids = try await Outcome.of(words + ["--ttl", "1s"] + config).lines().map { $0.text("id") }
    // The same bytes of another owner, and one that stays.
    let shared = await bench.run(
      "put", bench.path("1.png"), "--owner", "b", "--ttl", "1h", "--json")
    #expect(shared.status == .done)
    #expect(await bench.run("pin", ids[3]).status == .done)
    let end = try await bench.run("show", ids[2], "--json").lines().first?.number("expires_at") ?? 0
    while Int(Date().timeIntervalSince1970) < end { try await Task.sleep(for: .milliseconds(20)) }

    let plan = try await bench.run("gc", "--dry-run", "--list", "--json").lines()
    let run = try await bench.run("gc", "--list", "--json").lines()
    let planned = plan.filter { $0["reason"] != nil }.map { $0.text("id") }
    #expect(Set(planned) == Set(ids[0...2]))
    #expect(run.filter { $0["reason"] != nil }.map { $0.text("id") } == planned)
    for (line, isDryRun) in [(plan, true), (run, false)] {
      let total = try #require(line.last)
      #expect(total["total"]?.bool == true)
      #expect(total.number("assets") == 3)
      #expect(total.number("blobs") == 2)
      #expect(total["seconds"]?.double != nil)
      let policies = line.filter { $0["dry_run"] != nil }
      #expect(policies.map { $0.text("policy") } == ["expired", "orphans", "records"])
      #expect(policies.allSatisfy { $0["dry_run"]?.bool == isDryRun && $0["takes"] == nil })
    }
    #expect(try await bench.run("stats", "--json").lines().first?.number("assets") == 2)
    let again = try await bench.run("gc", "--list", "--json").lines()
    #expect(again.last?.number("assets") == 0)
    #expect(await bench.run("show", ids[0]).status == .problems)
    await daemon?.stop(clientTime: .seconds(1))
  }

  @Test func explainsEachPolicy() async throws {
    let bench = try Workbench()
    try bench.write("a.png", image(1))
    let put = await bench.run("put", bench.path("a.png"), "--retention", "permanent", "--json")
    let id = try #require(try put.lines().first).text("id")
    let lines = try await bench.run("gc", "--explain", id, "--json").lines()
    #expect(lines.map { $0.text("policy") } == ["expired", "orphans", "records"])
    #expect(lines.allSatisfy { $0["collects"]?.bool == false })
    #expect(lines.first?.text("reason").contains("permanent") == true)
    #expect(await bench.run("gc", "--explain", "img-0").status == .problems)
    let unknown = await bench.run("gc", "--policy", "nothing")
    #expect(unknown.status == .usage)
    #expect(unknown.errors.contains("configured are expired, orphans, records"))
  }

  @Test func aKeyIsSeenOnce() async throws {
    let bench = try Workbench()
    let made = await bench.run(
      "keys", "create", "--name", "gw1", "--scope", "host,read", "--quota", "50GB",
      "--response-format", "b64_json", "--json")
    let key = try #require(try made.lines().first)
    #expect(key.text("key").hasPrefix("ak-"))
    // The next key of the same owner, before this one is revoked.
    #expect(await bench.run("keys", "create", "--name", "gw1").status == .done)
    let listed = try await bench.run("keys", "list", "--json").lines()
    #expect(listed.map { $0.text("name") } == ["gw1", "gw1"])
    #expect(listed.first?["key"] == nil)
    #expect(listed.first?.number("quota") == 50_000_000_000)
    #expect(listed.first?["scopes"] == ["host", "read"])
    #expect(listed.first?.text("response_format") == "b64_json")
    #expect(await bench.run("keys", "revoke", "gw1", "--id", "99").status == .problems)
    #expect(await bench.run("keys", "revoke", "gw1").status == .done)
    let again = await bench.run("keys", "revoke", "gw1")
    #expect(again.status == .problems && again.errors.contains("\"gw1\" is already revoked"))
    let none = await bench.run("keys", "revoke", "gw2")
    #expect(none.status == .problems && none.errors.contains("There is no key \"gw2\""))
    let reserved = await bench.run("keys", "create", "--name", "local")
    #expect(reserved.status != .done && reserved.errors.contains("reserved"))
  }

  /// The next key of an owner is as the last one, which ends by its id.
  @Test func aKeyFollowsAnother() async throws {
    let bench = try Workbench()
    let first = await bench.run("keys", "create", "--name", "gw1", "--scope", "metrics")
    #expect(first.status == .done && !first.errors.contains("revoke"))
    let second = await bench.run("keys", "create", "--name", "gw1", "--quota", "1kB")
    #expect(second.status == .done && second.output != first.output)
    #expect(second.errors.contains("assetctl keys revoke gw1 --id 1\n"))
    let table = await bench.run("keys", "list").output
    #expect(table.contains("metrics") && table.contains("used"))
    #expect(await bench.run("keys", "revoke", "gw1", "--id", "1").status == .done)
    let listed = try await bench.run("keys", "list", "--json").lines()
    #expect(listed.map { $0["revoked_at"]?.isNull } == [false, true])
    #expect(listed.map { $0["scopes"] } == [["metrics"], ["metrics"]])
    #expect(listed.map { $0["quota"]?.int } == [nil, 1000])
    let free = await bench.run("keys", "create", "--name", "gw1", "--quota", "none", "--json")
    #expect(try free.lines().first?["quota"]?.isNull == true)
  }

  @Test func pagesThroughAll() async throws {
    let bench = try Workbench()
    var words = ["put"]
    for seed in 1...5 as ClosedRange<UInt8> {
      try bench.write("\(seed).png", image(seed))
      words.append(bench.path("\(seed).png"))
    }
    let config = ["--config", bench.path("c.json5"), "--json"]
    let ids = try await Outcome.of(words + config).lines().map { $0.text("id") }
    #expect(
      try await bench.run("ls", "--all", "--json").lines().map { $0.text("id") }
        == ids.reversed())
    let page = await bench.run("ls", "--limit", "2")
    #expect(page.errors.contains("--after \(ids[3])"))
    let next = try await bench.run("ls", "--limit", "2", "--after", ids[3], "--json").lines()
    #expect(next.map { $0.text("id") } == [ids[2], ids[1]])
  }

  @Test func whatCanNotBeHostedIsNamed() async throws {
    let bench = try Workbench()
    try bench.write("page.png", Array("<html></html>".utf8))
    try bench.write("a.png", image(1))
    let both = await bench.run("put", bench.path("page.png"), bench.path("a.png"), "--json")
    #expect(both.status == .problems)
    #expect(both.errors.contains("page.png: The data is not a PNG"))
    #expect(try both.lines().count == 1)
    #expect(await bench.run("put", bench.path("none.png")).status == .usage)
  }

  /// What is left of an image that was paid for is taken when that is asked for, and named; a bad
  /// file is no bad command line.
  @Test func aTruncatedImageIsTakenWhenThatIsAskedFor() async throws {
    let bench = try Workbench()
    try bench.write("half.png", Array(image(1).dropLast(30)))
    let (half, owner) = (bench.path("half.png"), ["--owner", String(repeating: "a", count: 65)])
    let refused = await bench.run("put", half)
    #expect(refused.status == .problems)
    #expect(refused.errors.contains("half.png: The image ends before its end"))
    #expect(refused.errors.contains("--truncated"))
    for more in [[], ["--retention", "permanent"]] {
      let words = ["put", half, "--truncated", "--json", "--config", bench.path("c.json5")] + more
      let taken = await Outcome.of(words)
      #expect(taken.status == .done && taken.errors.contains("half.png: ends before its end"))
      let id = try #require(try taken.lines().first?.text("id"))
      #expect(await bench.run("get", id).bytes == Array(image(1).dropLast(30)))
    }
    let wrong = await Outcome.of(["put", half, "--config", bench.path("c.json5")] + owner)
    #expect(wrong.status == .usage, "\(wrong.errors)")
  }

  /// Thousands of files are not open at once.
  @Test func filesAreOpenedInTheirTurn() async throws {
    let bench = try Workbench()
    let files = (0..<40).map { "many-\($0).png" }
    for (seed, file) in files.enumerated() { try bench.write(file, image(UInt8(seed))) }
    let most = Atomic<Int>(0)
    let prefix = bench.path("many-")
    let console = Console(
      output: { _ in
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        let open = all.count { number in
          let path = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/fd/" + number)
          return path?.hasPrefix(prefix) == true
        }
        most.max(open, ordering: .relaxed)
      }, errors: { _ in }, isTerminal: false, showsProgress: false, hasColour: false)
    let words = ["put"] + files.map { bench.path($0) } + ["--config", bench.path("c.json5")]
    #expect(await Program.run(words, console) == .done)
    #expect(most.load(ordering: .relaxed) <= 2)
  }

  /// `assetctl ls --all | head`: pages are not read for a reader who has left.
  @Test func aListEndsWithItsReader() async throws {
    let bench = try Workbench()
    try bench.write("a.png", image(1))
    #expect(await bench.run("put", bench.path("a.png")).status == .done)
    let settings = try Settings.load(
      try ConfigurationFile(path: bench.path("c.json5")), environment: [:])
    let console = Console(
      output: { (_) throws(Errno) in throw Errno(.write, code: EPIPE) }, errors: { _ in },
      isTerminal: false, showsProgress: false, hasColour: false)
    let list = try ListCommand(try Arguments(["--all"], ListCommand.form))
    let errand = Errand(
      settings: settings, namesStorage: false, json: true, console: console, signals: nil,
      fileMode: 0o600)
    await #expect(throws: CommandFailure.self) { _ = try await list.run(errand) }
  }

  @Test func withoutAStoreNothingIsMade() async throws {
    let bench = try Workbench()
    for words in [["ls"], ["stats"], ["gc"], ["show", "img-0"], ["keys", "list"]] {
      let outcome = await Outcome.of(words + ["--config", bench.path("c.json5")])
      #expect(outcome.status == .failed)
      #expect(outcome.errors.contains("There is no store in"))
    }
    #expect(!FileManager.default.fileExists(atPath: bench.store))
  }

  @Test func theDemoShowsWhatItSees() async throws {
    let bench = try Workbench()
    let outcome = await Outcome.of(["demo", "--size", "64x64", "--storage", bench.store, "--json"])
    #expect(outcome.status == .done, "\(outcome.errors)")
    let steps = try outcome.lines()
    #expect(
      steps.map { $0.text("step") }
        == ["start", "generate", "fetch", "alter", "base64", "outlive", "collect"])
    #expect(steps[1].text("sha256") == steps[4].text("sha256"))
    #expect(steps[1].text("id") != steps[4].text("id"))
    #expect(steps.compactMap { $0["status"]?.int } == [200, 403, 410])
    #expect(steps[6]["items"]?.array?.map { $0.text("id") } == [steps[4].text("id")])
  }

  /// Commands that look at the same time do not take each other for a daemon, and keep none from
  /// starting.
  @Test func aLookAtTheLockIsShared() async throws {
    let bench = try Workbench()
    try bench.write("a.png", image(1))
    #expect(await bench.run("put", bench.path("a.png")).status == .done)
    var settings = Settings()
    settings.storage.root = bench.store
    let access = StoreAccess(settings, auditsOnErrors: false)
    let file = try Directory.open(path: bench.store).file("lock", .readWrite)
    // Another test's program may have a copy of the lock for a moment, between fork and exec.
    let end = ContinuousClock.now + .seconds(60)
    while try !file.tryLock(isShared: true), ContinuousClock.now < end { await Task.yield() }
    #expect(try file.tryLock(isShared: true) && access.isLockFree())
    while try !file.tryLock(), ContinuousClock.now < end { await Task.yield() }
    #expect(try file.tryLock())
    #expect(try !access.isLockFree())
  }
}
