import Kernel
import Testing

@testable import Store

/// What is too much for memory waits in a file.
@Suite struct SpoolTests {
  private func line(_ number: Int) -> [UInt8] {
    Array("line \(number) ".utf8) + [UInt8](repeating: 0x2E, count: 200) + [0x0A]
  }

  private func bytes(of content: Spool.Content) throws -> [UInt8] {
    guard let file = content.file else { return content.held }
    var all = [UInt8](repeating: 0, count: Int(content.fileBytes))
    var span = all.mutableSpan
    let count = try file.read(into: &span, at: 0)
    #expect(count == all.count)
    return all + content.held
  }

  @Test func littleNeedsNoFile() throws {
    let scratch = try ScratchStore()
    let spool = Spool(scratch.store)
    for number in 0..<100 { spool.append(line(number)) }
    let content = spool.finish()
    #expect(content.file == nil && content.left == 0)
    #expect(content.held == (0..<100).flatMap(line))
  }

  @Test func muchWaitsInAFileWithoutAName() throws {
    let scratch = try ScratchStore()
    let spool = Spool(scratch.store)
    var whole: [UInt8] = []
    for number in 0..<20_000 {
      spool.append(line(number))
      whole += line(number)
    }
    let content = spool.finish()
    #expect(content.left == 0 && content.held.count <= Spool.writeBytes)
    #expect(content.fileBytes > 2 << 20)
    #expect(try bytes(of: content) == whole)
    #expect(try scratch.incomingFiles().isEmpty)
    #expect(scratch.store.space.reserved >= content.fileBytes)
    withExtendedLifetime(spool) {}
  }

  /// The store is full: the first lines are there, the others are counted, and memory has an end.
  @Test func whatHasNoRoomIsCounted() throws {
    let scratch = try ScratchStore(maxBytes: 2 << 20)
    let spool = Spool(scratch.store)
    var whole: [UInt8] = []
    for number in 0..<40_000 {
      spool.append(line(number))
      whole += line(number)
    }
    let content = spool.finish()
    let kept = try bytes(of: content)
    #expect(content.held.count <= Spool.mostHeld && content.fileBytes <= 2 << 20)
    #expect(content.left > 0 && kept.count > Spool.mostHeld / 2)
    #expect(kept.split(separator: 0x0A).count + content.left == 40_000)
    #expect(whole.starts(with: kept))
  }

  /// What had no room is tried again, however much came in between: a collection makes room.
  @Test func roomThatComesIsUsed() throws {
    let scratch = try ScratchStore(maxBytes: 64 << 20)
    let spool = Spool(scratch.store)
    do {
      let all = try scratch.store.reserve(64 << 20)
      for number in 0..<60_000 { spool.append(line(number)) }
      _ = consume all
    }
    for number in 60_000..<80_000 { spool.append(line(number)) }
    let content = spool.finish()
    #expect(content.left > 0 && content.fileBytes > Int64(Spool.mostHeld))
    #expect(
      try bytes(of: content).split(separator: 0x0A).last.map(Array.init)
        == Array(line(79_999).dropLast()))
  }
}
