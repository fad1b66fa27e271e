import Foundation
import Glibc
import Kernel
import Testing

@testable import assetctl

/// A file that is replaced is always there: the old one, or the whole new one.
@Suite struct DraftFileTests {
  private static let old = Array("old".utf8)
  private static let new = Array("new and whole".utf8)

  private func draft(_ bench: Workbench, mode: UInt32 = 0o640) throws -> DraftFile {
    let draft = try DraftFile(
      in: Directory.open(path: bench.folder), as: "a.png", mode: mode)
    try draft.write(Array(Self.new.prefix(4)), at: 0)
    try draft.write(Array(Self.new.dropFirst(4)), at: 4)
    return draft
  }

  private func names(_ bench: Workbench) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: bench.folder)
      .filter { $0.contains("a.png") }
  }

  @Test func whatIsReplacedIsReplacedAtOnce() throws {
    let bench = try Workbench()
    try bench.write("a.png", Self.old)
    let draft = try draft(bench)
    #expect(try bench.read("a.png") == Self.old)
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    defer { _ = SystemCallTrace.stop(thread: thread) }
    try draft.finish(replacing: true)
    let calls = SystemCallTrace.stop(thread: thread)
    #expect(calls == [.fsync, .close, .rename, .fsync])
    #expect(try bench.read("a.png") == Self.new)
    let mode = try FileManager.default.attributesOfItem(atPath: bench.path("a.png"))
    #expect(mode[.posixPermissions] as? Int == 0o640)
    #expect(try names(bench) == ["a.png"])
  }

  /// Whatever fails, the old file is there, and nothing else.
  @Test(arguments: [SystemCall.fsync, .close, .rename])
  func whatFailsLeavesTheOldOne(call: SystemCall) throws {
    let bench = try Workbench()
    try bench.write("a.png", Self.old)
    do {
      let draft = try draft(bench)
      let thread = KernelThread.currentID
      SystemCallTrace.start(thread: thread)
      defer { _ = SystemCallTrace.stop(thread: thread) }
      SystemCallTrace.fail(call, nth: 1, code: EIO, thread: thread)
      #expect(throws: Errno(call, code: EIO)) { try draft.finish(replacing: true) }
    }
    #expect(try bench.read("a.png") == Self.old)
    #expect(try names(bench) == ["a.png"])
  }

  @Test func whatIsThereIsNotReplacedUnasked() throws {
    let bench = try Workbench()
    let draft = try draft(bench)
    try bench.write("a.png", Self.old)
    #expect(throws: Errno(.rename, code: EEXIST)) { try draft.finish(replacing: false) }
    #expect(try bench.read("a.png") == Self.old)
  }

  @Test func whatIsGivenUpGoes() throws {
    let bench = try Workbench()
    do { _ = try draft(bench) }
    #expect(try names(bench).isEmpty)
  }
}
