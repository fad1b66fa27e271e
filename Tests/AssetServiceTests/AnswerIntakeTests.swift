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
