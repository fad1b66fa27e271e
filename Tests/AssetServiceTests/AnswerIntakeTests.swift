import Store
import Testing
import Wire

@testable import AssetService

/// What an intake makes of answers, beside what the calls that use it say.
@Suite struct AnswerIntakeTests {
  private static let image = TestImages.png(padding: 500)
  private static let good = "{\"b64_json\":\"\(TestImages.base64(image))\"}"

  /// What became of the items, as words.
  private func words(_ intake: AnswerIntake) -> [String] {
    intake.taken.map { item in
      switch item {
      case .plain: "plain"
      case .settled: "settled"
      case .unstored(let failure, _): "unstored \(failure.code ?? "")"
      case .failed(let failure): "failed \(failure.code ?? "")"
      }
    }
  }

  private func text(_ intake: AnswerIntake) -> String {
    String(decoding: intake.skeleton.bytes, as: UTF8.self)
  }

  // MARK: Answers that break off

  @Test func whatCameWholeStaysWhenTheConnectionIsLost() async throws {
    let scratch = try ScratchIntake()
    let whole = "{\"created\":7,\"data\":[\(Self.good),{\"b64_json\":\"iVBOR"
    for count in [0, 9, 40, whole.utf8.count - 2, whole.utf8.count] {
      let came = Array(whole.utf8.prefix(count))
      let intake = scratch.paid()
      let source = ScriptedSource([.bytes(came), .failure(ScriptedSource.Lost())])
      let failure = await intake.takePaid(source)
      #expect(failure is ScriptedSource.Lost)
      guard count >= whole.utf8.count - 2 else {
        #expect(words(intake) == [])
        continue
      }
      #expect(words(intake) == ["settled"])
      #expect(text(intake) == "{\"created\":7,\"data\":[{\"b64_json\":\"\"}]}")
    }
  }

  @Test(arguments: [
    ("", "\"data\":[GOOD,GOOD],\"usage\":nothing}", ["settled", "settled"]),
    (
      "\"created\":7,", "\"data\":[GOOD,\"x\",{\"url\":\"u\",\"a\":1",
      ["settled", "plain", "plain"]
    ),
    ("", "\"data\":[{\"b64_json\":\"@@\"},GOOD", ["failed invalid_base64", "settled"]),
  ])
  func whatCameWholeStaysWhenTheRestIsNoJSON(
    head: String, rest: String, expected: [String]
  ) async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let answer = "{\(head)\(rest.replacing("GOOD", with: Self.good))"
    let failure = await intake.takePaid(ScriptedSource(answer))
    #expect(failure is ScanFailure)
    #expect(words(intake) == expected)
    let document = try JSONValue.parse(intake.skeleton.bytes.span)
    #expect(document["data"]?.array?.count == expected.count)
  }

  @Test func aWholeAnswerIsLeftAsItIs() async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let failure = await intake.takePaid(ScriptedSource("{\"data\":[\(Self.good)] } "))
    #expect(failure == nil)
    #expect(words(intake) == ["settled"])
    #expect(text(intake) == "{\"data\":[{\"b64_json\":\"\"}] } ")
  }

  // MARK: What upstreams send

  @Test func oneBadByteCostsOneCharacter() async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let answer = Array("\u{FEFF}{\"data\":[{\"revised_prompt\":\"a ".utf8) + [0xE9]
    let rest = Array(" b\",\(Self.good.dropFirst())]}".utf8)
    #expect(await intake.takePaid(ScriptedSource([.bytes(answer), .bytes(rest)])) == nil)
    #expect(words(intake) == ["settled"])
    let document = try JSONValue.parse(intake.skeleton.bytes.span)
    #expect(document["data"]?[0]?["revised_prompt"]?.string == "a \u{FFFD} b")
  }

  @Test func ofAnImageThatComesTwiceTheLastIsStored() async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let second = TestImages.base64(TestImages.png(seed: 9, padding: 700))
    let answer = "{\"data\":[\(Self.good.dropLast()),\"b64_json\":\"\(second)\"}]}"
    #expect(await intake.takePaid(ScriptedSource(answer)) == nil)
    guard case .settled(let work) = intake.taken.first else {
      Issue.record("not stored")
      return
    }
    #expect(try work.blob.digest == TestImages.digest(TestImages.png(seed: 9, padding: 700)))
  }

  @Test func anEndlessTextEndsSoonAfterTheLimit() async throws {
    let scratch = try ScratchIntake(imageBytes: 256 << 10)
    let intake = scratch.paid()
    // A whole number of quanta: more may follow.
    let beginning = TestImages.base64(TestImages.png(padding: 498))
    let begin = "{\"data\":[\(Self.good),{\"b64_json\":\"\(beginning)"
    let text = [UInt8](repeating: UInt8(ascii: "A"), count: 64 << 10)
    let source = EndlessSource([.bytes(Array(begin.utf8))], then: text)
    let failure = await intake.takePaid(source)
    #expect((failure as? Failure)?.code == "image_too_large")
    #expect(words(intake).first == "settled")
    // A rescue of 1 MiB, the overrun, and what the base64 makes of both.
    #expect(source.given < 4 << 20)
  }

  @Test func aTextThatIsALittleTooLongTakesNoOtherAlong() async throws {
    let scratch = try ScratchIntake(imageBytes: 64 << 10)
    let intake = scratch.paid(rescueLimit: 64 << 10)
    let long = TestImages.base64(TestImages.png(padding: 200 << 10))
    let answer = "{\"data\":[{\"b64_json\":\"\(long)\"},\(Self.good)]}"
    #expect(await intake.takePaid(ScriptedSource(answer)) == nil)
    #expect(words(intake) == ["failed image_too_large", "settled"])
  }

  // MARK: Two texts in one item

  /// Some send an image as base64 and as a data URL: the second is passed over, however long it is.
  @Test(arguments: [true, false])
  func anImageThatComesInTwoMembersTakesNoOtherAlong(isURLFirst: Bool) async throws {
    let scratch = try ScratchIntake(imageBytes: 4 << 20)
    let intake = scratch.paid()
    let text = TestImages.base64(TestImages.png(padding: 2 << 20))
    let members = ["\"b64_json\":\"\(text)\"", "\"url\":\"data:image/png;base64,\(text)\""]
    let entry = (isURLFirst ? members.reversed() : members).joined(separator: ",")
    let answer = "{\"data\":[{\(entry)},{\(entry)}]}"
    #expect(await intake.takePaid(ScriptedSource(answer, piece: 64 << 10)) == nil)
    #expect(words(intake) == ["settled", "settled"])
  }

  /// It has the length that an image may have, and no more.
  @Test func aSecondTextThatIsEndlessEnds() async throws {
    let scratch = try ScratchIntake(imageBytes: 256 << 10)
    let intake = scratch.paid()
    let begin = "{\"data\":[\(Self.good),\(Self.good.dropLast()),\"url\":\"data:;base64,"
    let text = [UInt8](repeating: UInt8(ascii: "A"), count: 64 << 10)
    let source = EndlessSource([.bytes(Array(begin.utf8))], then: text)
    #expect(await intake.takePaid(source) is ScanFailure)
    #expect(words(intake) == ["settled", "settled"])
    #expect(source.given < 4 << 20)
  }

  /// The first text of an item turned out to be no image when much of it had come.
  @Test func whatIsBesideABrokenImageIsTaken() async throws {
    let scratch = try ScratchIntake(imageBytes: 1 << 20)
    let broken = "\"b64_json\":\"\(TestImages.base64(TestImages.png(padding: 120_000)))!\""
    let data = "\"url\":\"data:image/png;base64,\(TestImages.base64(Self.image))\""
    let intake = scratch.paid()
    let answer = "{\"data\":[{\(broken),\(data)},\(Self.good)]}"
    #expect(await intake.takePaid(ScriptedSource(answer, piece: 4096)) == nil)
    #expect(words(intake) == ["settled", "settled"])
    let other = scratch.paid()
    let atURL = "{\"data\":[{\(broken),\"url\":\"/a.png\"}]}"
    #expect(await other.takePaid(ScriptedSource(atURL, piece: 4096)) == nil)
    #expect(words(other) == ["failed invalid_base64"])
    #expect(other.skeleton.items.first?.url == "/a.png")
  }

  /// The rest of the answer leaves no room for a text that is no image: the images behind it count
  /// for more.
  @Test(arguments: [0, 10, 30, 70])
  func aTextThatDoesNotFitTakesNoOtherAlong(room: Int) async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let page = "PGh0bWw+PGJvZHk+Tm90IGZvdW5kLCBhdCBhbGwuPC9ib2R5PjwvaHRtbD4="
    func answer(_ padding: String) -> String {
      "{\"x\":\"\(padding)\",\"data\":[{\"b64_json\":\"\(page)\"},\(Self.good)]}"
    }
    let beside = answer("").utf8.count - page.utf8.count - Self.good.utf8.count + 15
    let text = answer(String(repeating: "x", count: (1 << 20) - beside - room))
    #expect(await intake.takePaid(ScriptedSource(text)) == nil)
    #expect(words(intake) == ["failed no_image_returned", "settled"])
    let document = try JSONValue.parse(intake.skeleton.bytes.span)
    #expect(document["data"]?[0]?["b64_json"]?.string == (room < page.utf8.count ? "" : page))
    #expect(document["data"]?.array?.count == 2)
  }

  // MARK: A turn is bounded

  /// However many steps a piece takes, others get their turn each time that a millisecond is over.
  @Test(arguments: ["\\u0041", "\\/", "A\\u0041AAA", " ", "AAAA"])
  func aPieceGivesWay(unit: String) async throws {
    let scratch = try ScratchIntake(imageBytes: 16 << 20)
    var looks: Int64 = 0
    let turn = WorkTurn {
      looks += 1
      return looks * WorkTurn.nanoseconds
    }
    let intake = AnswerIntake(.paid, maxItems: 1, turn: turn) {
      try await scratch.deposit()
    }
    let text = String(repeating: unit, count: (2 << 20) / unit.utf8.count)
    let image = TestImages.base64(TestImages.png(padding: 48))
    let answer = "{\"data\":[{\"b64_json\":\"\(image)\(text)\"}]}"
    let pieces = stride(from: 0, to: answer.utf8.count, by: 64 << 10).map { start in
      Given.bytes(Array(Array(answer.utf8)[start..<min(start + 64 << 10, answer.utf8.count)]))
    }
    _ = await intake.takePaid(ScriptedSource(pieces))
    // Every look is a turn by this clock: it is looked after each step, and a step is some text.
    #expect(turn.count >= pieces.count, "\(turn.count) of \(pieces.count)")
    #expect(turn.count <= pieces.count * 32, "\(turn.count) steps")
  }

  /// So does the deposit within one piece, which may be all spaces.
  @Test func aDepositGivesWay() async throws {
    let scratch = try ScratchIntake(imageBytes: 16 << 20)
    var looks: Int64 = 0
    let turn = WorkTurn {
      looks += 1
      return looks * WorkTurn.nanoseconds
    }
    let deposit = try await Deposit.begin(
      in: scratch.store, on: scratch.workers, within: .new(64 << 10), rescueLimit: 16 << 20,
      turn: turn)
    var text = ByteBuffer(capacity: 1 << 20)
    let image = Array(TestImages.base64(TestImages.png(padding: 48)).utf8)
    text.append(image.span)
    let rest = [UInt8](repeating: UInt8(ascii: "A"), count: (1 << 20) - image.count)
    text.reserve(rest.count)
    text.append(rest.span)
    _ = try await deposit.write(base64: text, from: 0)
    // 768 KiB come out, in steps of 48 KiB at most.
    #expect(turn.count >= 15, "\(turn.count)")
  }

  // MARK: Its end

  @Test func theSourceHearsThatTheDocumentHasEnded() async throws {
    let scratch = try ScratchIntake()
    for (answer, endings) in [
      (["{\"data\":[\(Self.good)]}"], 1), (["{\"data\":[\(Self.good)]", "} ", "  ", " "], 1),
      (["{\"data\":[\(Self.good)]"], 0),
    ] {
      let source = ScriptedSource(answer.map { .bytes(Array($0.utf8)) })
      _ = await scratch.paid().takePaid(source)
      #expect(source.endings == endings, "\(answer.count)")
    }
  }

  // MARK: What is no image

  @Test(arguments: [
    "null", "None", "data:image/png;base64,", "QUJD", "",
    "PGh0bWw+PGJvZHk+Tm90IGZvdW5kLCBhdCBhbGwuPC9ib2R5PjwvaHRtbD4=",
  ])
  func textIsNoImage(text: String) async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let answer = "{\"data\":[{\"b64_json\":\"\(text)\"},\(Self.good)]}"
    #expect(await intake.takePaid(ScriptedSource(answer)) == nil)
    #expect(words(intake) == [text.isEmpty ? "plain" : "failed no_image_returned", "settled"])
    #expect(self.text(intake).contains("\"b64_json\":\"\(text)\""), "it is where it was")
  }

  /// Items whose image is not where base64 should be, but beside it.
  @Test(arguments: ["None", "null", "false", "-", "not base64"])
  func theImageBesideItIsTaken(text: String) async throws {
    let scratch = try ScratchIntake()
    let none = "\"b64_json\":\"\(text)\""
    for members in ["\(none),\"url\":\"/a.png\"", "\"url\":\"/a.png\",\(none)"] {
      let intake = scratch.paid()
      #expect(await intake.takePaid(ScriptedSource("{\"data\":[{\(members)}]}")) == nil)
      #expect(intake.skeleton.items.first?.url == "/a.png")
      #expect(intake.taken.first?.mayBeAtItsURL == true)
    }
    let intake = scratch.paid()
    let data = "data:image/png;base64," + TestImages.base64(Self.image)
    let answer = "{\"data\":[{\(none),\"url\":\"\(data)\"}]}"
    #expect(await intake.takePaid(ScriptedSource(answer)) == nil)
    #expect(words(intake) == ["settled"])
  }

  @Test func anImageThatIsNotHostedIsKept() async throws {
    let scratch = try ScratchIntake()
    let intake = scratch.paid()
    let svg = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><a/></svg>".utf8)
    let answer = "{\"data\":[{\"b64_json\":\"\(TestImages.base64(svg))\"}]}"
    #expect(await intake.takePaid(ScriptedSource(answer)) == nil)
    #expect(words(intake) == ["unstored unsupported_image"])
  }
}
