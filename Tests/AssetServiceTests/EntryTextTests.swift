import Store
import Testing
import Wire

@testable import AssetService

/// What an intake keeps of texts: enough to write each of them again, and no more.
@Suite struct EntryTextTests {
  private static let image = TestImages.png(seed: 5, padding: 90_000)

  /// An intake of a conversion, and the memory of its texts.
  private func take(
    _ answer: [UInt8], pieces size: Int, _ scratch: ScratchIntake, memory: RescueMemory
  ) async throws -> AnswerIntake {
    let keeping = TextKeeping(
      store: scratch.store, workers: scratch.workers,
      allowance: RescueAllowance(memory: memory, limit: 50_000))
    let intake = AnswerIntake(.conversion(keeping), maxItems: 16) {
      try await scratch.deposit(rescueLimit: 0)
    }
    let pieces = stride(from: 0, to: answer.count, by: size).map { start in
      Given.bytes(Array(answer[start..<min(start + size, answer.count)]))
    }
    try await intake.take(ScriptedSource(pieces))
    return intake
  }

  private func text(_ original: OriginalText) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while Int64(bytes.count) < original.bytes, let work = original.work {
      let offset = Int64(bytes.count)
      bytes += try [UInt8](reading: Int(original.bytes - offset)) { (span) throws in
        try work.readBack(at: offset, into: &span)
      }
    }
    var text = original.lead + Array(TestImages.base64(bytes).utf8)
    while Int64(text.count) < original.characters {
      let offset = Int64(text.count) - original.characters + original.tail.count
      text += try await original.tail.read(at: offset, count: 10_000)
    }
    return text
  }

  /// What is between the quotes of a member.
  private func written(_ member: [UInt8]) -> ArraySlice<UInt8> {
    let quotes = member.indices.filter { member[$0] == UInt8(ascii: "\"") }
    return member[(quotes[2] + 1)..<(member.count - 1)]
  }

  /// Hosted, too large, and no image; however the body is split.
  @Test(arguments: Spelling.allCases, [1 << 20, 40_000])
  func eachTextCanBeWrittenAgain(spelling: Spelling, imageBytes: Int64) async throws {
    let scratch = try ScratchIntake(imageBytes: imageBytes)
    let memory = RescueMemory()
    let images = [
      (Self.image[...], 64 << 10), (Self.image[...], 997), (Self.image.dropLast(1), 48 << 10),
      (Self.image.dropLast(2), 4099), (Self.image.dropFirst(57), 1 << 20),
    ]
    for (image, size) in images {
      let member = spelling.member(TestImages.base64(Array(image)))
      let answer = Array("{\"data\":[{".utf8) + member + Array("}]}".utf8)
      let intake = try await take(answer, pieces: size, scratch, memory: memory)
      let original = try #require(intake.originals(0).first)
      #expect(original.loss == nil)
      #expect(try await text(original).elementsEqual(written(member)), "\(image.count) by \(size)")
      #expect(memory.bytes <= 50_000)
    }
    #expect(memory.bytes == 0)
  }

  /// All texts of an entry go back; one that takes another's place is the one that counts.
  @Test func anEntryMayHaveSeveralTexts() async throws {
    let scratch = try ScratchIntake(imageBytes: 40_000)
    let memory = RescueMemory()
    let large = Spelling.plain.member(TestImages.base64(Self.image))
    let url = Spelling.dataURL.member(TestImages.base64(Array(Self.image.dropFirst(57))))
    let small = Spelling.lines.member(TestImages.base64(TestImages.png(padding: 30_001)))
    let rows: [(members: [[UInt8]], kept: [Int], isStored: Bool)] = [
      ([large, url], [0, 1], false), ([large, small], [0, 1], true), ([small, small], [1], true),
      ([large, small, small], [0, 2], true), ([small, large], [1], false),
    ]
    for row in rows {
      let entry = Array(row.members.joined(separator: [UInt8(ascii: ",")]))
      let answer = Array("{\"data\":[{".utf8) + entry + Array("}]}".utf8)
      let intake = try await take(answer, pieces: 5000, scratch, memory: memory)
      let originals = intake.originals(0)
      #expect(originals.count == row.kept.count)
      for (original, index) in zip(originals, row.kept) {
        #expect(try await text(original).elementsEqual(written(row.members[index])))
      }
      let isStored = if case .settled? = intake.taken.first { true } else { false }
      #expect(isStored == row.isStored)
      let images = intake.skeleton.items[0].object?.members.filter { $0.value == .image }
      #expect(images?.count == originals.count)
    }
  }

  /// Of a good image in the usual spelling nothing is kept but its last characters.
  @Test func nothingIsKeptOfWhatAnEncoderMakes() async throws {
    let scratch = try ScratchIntake()
    let memory = RescueMemory()
    for count in 0..<3 {
      let image = Array(Self.image.dropLast(count))
      let member = Spelling.plain.member(TestImages.base64(image))
      let answer = Array("{\"data\":[{".utf8) + member + Array("}]}".utf8)
      let intake = try await take(answer, pieces: 1000, scratch, memory: memory)
      let original = try #require(intake.originals(0).first)
      #expect(original.bytes == Int64(image.count / 3 * 3))
      #expect(original.tail.count == (image.count % 3 == 0 ? 0 : 4))
      #expect(memory.bytes == 0)
    }
  }

  /// A good image is hosted although its text could not be kept: nothing has to go back.
  @Test func aLostTextIsNoLossOfAnImage() async throws {
    let (scratch, full) = (try ScratchIntake(), try ScratchIntake(maxBytes: 4096))
    let keeping = TextKeeping(
      store: full.store, workers: scratch.workers,
      allowance: RescueAllowance(memory: RescueMemory(), limit: 0))
    let intake = AnswerIntake(.conversion(keeping), maxItems: 16) {
      try await scratch.deposit(rescueLimit: 0)
    }
    let member = Spelling.lines.member(TestImages.base64(Self.image))
    try await intake.take(
      ScriptedSource([.bytes(Array("{\"data\":[{".utf8) + member + Array("}]}".utf8))]))
    guard case .settled(let work) = intake.taken.first else {
      Issue.record("not stored")
      return
    }
    #expect(try work.blob.digest == TestImages.digest(Self.image))
    #expect(intake.originals(0).first?.loss?.status == 507)
  }

  @Test(arguments: [
    ("", 0), ("AZaz09+/", 8), ("AB=", 2), ("A-", 1), ("_B", 0), ("A B", 1), ("A\n", 1),
    ("A\\/", 1), ("%2B", 0), (String(repeating: "A", count: 5000), 5000),
    (String(repeating: "A", count: 5000) + "-A", 5000),
  ])
  func whatAnEncoderMakes(text: String, end: Int) {
    let bytes = Array(text.utf8)
    #expect(Base64.plainEnd(of: bytes.span) == end)
  }

  // MARK: Kept texts

  @Test func aKeptTextIsInMemoryAndThenInAFile() async throws {
    let scratch = try ScratchIntake(imageBytes: 100)
    let memory = RescueMemory()
    let place = TextKeeping(
      store: scratch.store, workers: scratch.workers,
      allowance: RescueAllowance(memory: memory, limit: 3 << 20))
    do {
      let kept = KeptText(place)
      var whole: [UInt8] = []
      for number in 0..<300 {
        let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 37 * number)
        await kept.append(piece)
        whole += piece
      }
      await kept.end()
      #expect(kept.loss == nil && kept.count == Int64(whole.count))
      #expect(memory.bytes > 900_000 && memory.bytes <= Int64(KeptText.memoryLimit))
      #expect(scratch.store.space.reserved >= Int64(whole.count - KeptText.memoryLimit))
      for count in [1000, 300_000] {
        var read: [UInt8] = []
        while read.count < whole.count {
          let piece = try await kept.read(at: Int64(read.count), count: count)
          try #require(!piece.isEmpty)
          read += piece
        }
        #expect(read == whole)
      }
    }
    #expect(memory.bytes == 0)
    try await until("its space is free again") { scratch.store.space.reserved == 0 }
  }
}
