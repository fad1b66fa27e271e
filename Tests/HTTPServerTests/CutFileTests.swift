import Foundation
import HTTPServer
import Kernel
import Net
import Synchronization
import Testing

/// A file that is cut while it is being sent: its length can not be kept, so the connection ends,
/// soon, and whoever answers for the file hears of it.
struct CutFileTests {
  private final class Keeper: FileKeeper {
    private let heard = Mutex<[SharedFile.Fault]>([])
    var faults: [SharedFile.Fault] { heard.withLock { $0 } }
    func readBegan() -> Int { 0 }
    func readEnded(_ read: Int) {}
    func missed(_ fault: SharedFile.Fault) { heard.withLock { $0.append(fault) } }
  }

  private func file(_ bytes: Int, announced: Int64, _ keeper: Keeper) throws -> SharedFile {
    let folder = try Directory.open(path: NSTemporaryDirectory())
    let name = "assetd-cut-\(UUID().uuidString)"
    let made = try folder.file(name, .createNew)
    try folder.remove(name)
    try made.truncate(to: Int64(bytes))
    return SharedFile(made, bytes: announced, keeper: keeper)
  }

  /// The socket has room for more than there is, so no news of it will come.
  @Test(arguments: [(0, 100), (60_000, 100_000), (100_000, 400_000), (5 << 20, 8 << 20)])
  func theConnectionEnds(_ bytes: Int, _ announced: Int) async throws {
    let keeper = Keeper()
    var limits = ServerLimits()
    // Nobody is too slow here.
    limits.paceInterval = .max / 4
    let server = try await TestServer(
      limits: limits, file: try file(bytes, announced: Int64(announced), keeper),
      fileBytes: Int64(announced))
    let client = try server.client()
    try client.send(get("/file"))
    #expect(try client.readHead().value("Content-Length") == "\(announced)")
    _ = try client.readToEnd()
    #expect(client.received.count == bytes)
    #expect(keeper.faults == [.ended(at: Int64(bytes))])
    try await server.probe.until("not reported") { server.probe.all.count == 1 }
    #expect(server.probe.all.first?.outcome.isAborted == true)
    try await server.end()
  }

  @Test(arguments: [(5, true), (32, false)])
  func aFailureIsToldApartFromTheSockets(_ code: Int32, isHeard: Bool) async throws {
    let keeper = Keeper()
    let server = try await TestServer(
      file: try file(60_000, announced: 60_000, keeper), fileBytes: 60_000)
    let client = try server.client()
    _ = try client.ask(get("/a"))
    let thread = await server.thread
    SystemCallTrace.start(thread: thread)
    SystemCallTrace.fail(.sendfile, nth: 1, code: code, thread: thread)
    try client.send(get("/file"))
    _ = try client.readHead()
    _ = try client.readToEnd()
    _ = SystemCallTrace.stop(thread: thread)
    #expect(keeper.faults == (isHeard ? [.failed(Errno(.sendfile, code: code))] : []))
    try await server.end()
  }
}
