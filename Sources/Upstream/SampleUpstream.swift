// The upstream `sample`: needs no key and no network, draws its images itself, and answers as
// OpenAI does, so that everything behind it can be tried for nothing.
public import HTTPClient
internal import Wire

/// Draws its images in this process, on the caller's loop in steps of about a millisecond.
public final class SampleUpstream: Upstream {
  /// The sides that it draws, in pixels.
  public static let sides = 16...4096
  /// How many images one order may have.
  public static let images = 1...10

  /// It has no secret.
  public let scrubber = Scrubber()

  /// An upstream; it holds nothing.
  public init() {}

  /// Nothing is sent.
  public static func document(of order: UpstreamOrder) -> [UInt8]? { nil }

  /// Begins an answer. `invalidRequest` names the parameter that is wrong.
  public func generate(
    _ order: UpstreamOrder, while isWanted: () -> Bool, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    SampleAnswer(try SampleOrder(order.parameters), created: loop.turnWallSeconds)
  }

  /// There is nothing to fetch.
  public func fetch(
    _ url: String, until deadline: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer {
    throw UpstreamFailure(.foreignURL, "The sample upstream has no URLs.", isUnspent: true)
  }
}

/// The parameters of an order that matter to a drawing.
struct SampleOrder {
  let prompt: String
  let count: Int
  let width: Int
  let height: Int
  let quality: String

  init(_ parameters: JSONObject) throws(UpstreamFailure) {
    guard let prompt = parameters["prompt"]?.string, !prompt.isEmpty else {
      throw Self.wrong("prompt", "A prompt is needed.")
    }
    self.prompt = prompt
    let count = try Self.given(parameters["n"]).map { $0.int ?? 0 } ?? 1
    guard SampleUpstream.images ~= count else {
      throw Self.wrong("n", "The sample upstream draws 1 to 10 images.")
    }
    self.count = count
    (width, height) = try Self.size(parameters["size"])
    if let format = try Self.given(parameters["output_format"]), format != "png" {
      throw Self.wrong("output_format", "The sample upstream draws PNG only.")
    }
    let quality = try Self.given(parameters["quality"])?.string ?? "auto"
    self.quality = quality == "auto" ? "high" : quality.cut(toBytes: 20)
  }

  /// `WxH`, or `auto`; absent is `auto`.
  private static func size(_ value: JSONValue?) throws(UpstreamFailure) -> (Int, Int) {
    guard let value = try given(value), value != "auto" else { return (1024, 1024) }
    let parts = (value.string ?? "").utf8.split(
      separator: UInt8(ascii: "x"), omittingEmptySubsequences: false)
    if parts.count == 2, let width = side(parts[0]), let height = side(parts[1]) {
      return (width, height)
    }
    throw wrong(
      "size", "size must be \"auto\" or WIDTHxHEIGHT, each side from 16 to 4096 pixels.")
  }

  private static func side(_ digits: Substring.UTF8View) -> Int? {
    guard (1...4).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    let side = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    return SampleUpstream.sides ~= side ? side : nil
  }

  /// Null is as good as absent.
  private static func given(_ value: JSONValue?) throws(UpstreamFailure) -> JSONValue? {
    value?.isNull == true ? nil : value
  }

  private static func wrong(_ param: String, _ message: String) -> UpstreamFailure {
    var failure = UpstreamFailure(
      .invalidRequest, message, code: "invalid_value", param: param, isUnspent: true)
    failure.type = "invalid_request_error"
    return failure
  }
}
