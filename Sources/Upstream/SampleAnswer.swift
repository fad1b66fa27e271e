internal import Wire

/// An Images API answer that is written while its images are drawn.
///
///     start ──▶ image 0 ──▶ image 1 … ──▶ end
final class SampleAnswer: UpstreamAnswer {
  /// Text that is handed out at once, in bytes.
  private static let pieceBytes = 32 << 10

  let requestID: String? = nil
  let status = 200
  let attempts = 1
  private let order: SampleOrder
  private let created: Int64
  private var image: SampleImage?
  private var base64 = Base64Encoder()
  /// How many images are begun.
  private var begun = 0
  private var isOver = false

  init(_ order: SampleOrder, created: Int64) {
    self.order = order
    self.created = created
  }

  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
    guard !isOver else { return false }
    var text: [UInt8] = []
    if begun == 0 { text += Array("{\"created\":\(created),\"data\":[".utf8) }
    while text.count < Self.pieceBytes, !isOver {
      draw(into: &text)
      // A step takes about a millisecond: the loop's other work has its turn.
      await Task.yield()
    }
    try consume(text.span)
    return true
  }

  /// Its end follows at once.
  func expectEnd() {}

  func close() {
    isOver = true
    image = nil
  }

  /// Draws one step, or goes on to the next image or to the end.
  private func draw(into text: inout [UInt8]) {
    if var drawing = image.take() {
      var png: [UInt8] = []
      let hasMore = drawing.next(into: &png)
      encode(png, isLast: !hasMore, into: &text)
      if hasMore { image = drawing } else { text += Array("\"}".utf8) }
    } else if begun < order.count {
      text += Array((begun == 0 ? "{\"b64_json\":\"" : ",{\"b64_json\":\"").utf8)
      base64 = Base64Encoder()
      image = SampleImage(
        prompt: order.prompt, index: begun, width: order.width, height: order.height)
      begun += 1
    } else {
      text += Array(("]," + String(ending.dropFirst())).utf8)
      isOver = true
    }
  }

  /// The members behind `data`.
  private var ending: String {
    let none: JSONValue = ["image_tokens": 0, "text_tokens": 0]
    let rest: JSONValue = [
      "background": "opaque", "output_format": "png", "quality": .string(order.quality),
      "size": "\(order.width)x\(order.height)",
      "usage": [
        "input_tokens": 0, "input_tokens_details": none, "output_tokens": 0,
        "output_tokens_details": none, "total_tokens": 0,
      ],
    ]
    return rest.description
  }

  private func encode(_ png: [UInt8], isLast: Bool, into text: inout [UInt8]) {
    var output = [UInt8](repeating: 0, count: (png.count + 4) / 3 * 4 + 4)
    var start = 0
    var end = 0
    var span = output.mutableSpan
    // There is room for all: neither call stops early.
    _ = base64.encode(png.span, from: &start, into: &span, at: &end)
    if isLast { _ = base64.finish(into: &span, at: &end) }
    text += output[..<end]
  }
}
