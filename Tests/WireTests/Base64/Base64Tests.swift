import Foundation
import Testing
import Wire

/// A macro's operand may not hold a Span.
private func decode(_ text: [UInt8]) -> [UInt8]? { Base64.decode(text.span) }
private func encode(_ bytes: [UInt8]) -> String { Base64.encode(bytes.span) }

/// Decodes piece by piece through an output of `room` bytes that is emptied when full.
private func decode(pieces: [[UInt8]], room: Int) -> [UInt8]? {
  var decoder = Base64Decoder()
  var bytes: [UInt8] = []
  var scratch = [UInt8](repeating: 0, count: room)
  for piece in pieces {
    var start = 0
    var stop = Base64Decoder.Stop.outputFull
    while stop == .outputFull {
      var end = 0
      var output = scratch.mutableSpan
      stop = decoder.decode(piece.span, from: &start, into: &output, at: &end)
      bytes += scratch[..<end]
    }
    guard stop == .inputEnd else { return nil }
  }
  var end = 0
  var output = scratch.mutableSpan
  guard decoder.finish(into: &output, at: &end) == .inputEnd else { return nil }
  return bytes + scratch[..<end]
}

private func encode(pieces: [[UInt8]], room: Int) -> [UInt8] {
  var encoder = Base64Encoder()
  var text: [UInt8] = []
  var scratch = [UInt8](repeating: 0, count: room)
  for piece in pieces {
    var start = 0
    var stop = Base64Encoder.Stop.outputFull
    while stop == .outputFull {
      var end = 0
      var output = scratch.mutableSpan
      stop = encoder.encode(piece.span, from: &start, into: &output, at: &end)
      text += scratch[..<end]
    }
  }
  var end = 0
  var output = scratch.mutableSpan
  #expect(encoder.finish(into: &output, at: &end) == .inputEnd)
  return text + scratch[..<end]
}

@Suite struct Base64Tests {
  static func random(_ count: Int) -> [UInt8] {
    var random = FixedRandom(seed: UInt64(count))
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func vectorsOfRFC4648Section10(plain: String, text: String) {
    #expect(encode([UInt8](text: plain)) == text)
    #expect(decode([UInt8](text: text)) == [UInt8](text: plain))
    #expect(decode([UInt8](text: text.replacing("=", with: ""))) == [UInt8](text: plain))
    #expect(Base64.encodedLength(Int64(plain.utf8.count)) == Int64(text.utf8.count))
  }

  @Test func everyLengthAgainstFoundation() {
    for count in [Int](0...300) + [1000, 4095, 4096, 65_537] {
      let bytes = Self.random(count)
      let text = Data(bytes).base64EncodedString()
      #expect(encode(bytes) == text)
      #expect(decode([UInt8](text: text)) == bytes)
      let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_")
      #expect(decode([UInt8](text: urlSafe)) == bytes)
    }
  }

  @Test(arguments: [
    ("Zm9v\nYmFy\r\n", "foobar"), (" Zm9vYg", "foob"), ("Zg== ", "f"), ("Zg=\n=\n", "f"),
    ("Zg=", "f"), ("Zh==", "f"), ("Zm9=", "fo"), ("\t\n ", ""),
  ])
  func liberalSpellings(text: String, plain: String) {
    #expect(decode([UInt8](text: text)) == [UInt8](text: plain))
  }

  /// A form's decoding makes a space of `+`; those of a layout stand at the ends of lines.
  @Test(arguments: [
    ("A / AAAA", "A+/+AAAA"), ("A   AAAA", "A+++AAAA"), ("A/ =", "A/+="), (" A/ A ", "A/+A"),
    ("A/ A  \r\n  AAA ", "A/+AAAA"), ("\tA/ A \t AAAA", "A/+AAAAA"), ("A/ A\n\n  ", "A/+A"),
    ("  ", ""), (" \n ", ""),
  ])
  func spacesInsideALineArePluses(text: String, meant: String) {
    let bytes = decode([UInt8](text: meant))
    #expect(bytes != nil && decode([UInt8](text: text)) == bytes)
    for pieces in [UInt8](text: text).splits {
      #expect(decode(pieces: pieces, room: 3) == bytes)
    }
  }

  /// Up to a run that no image has: what is owed to a run must not grow with what a peer sends.
  @Test(arguments: [(1000, 756), (1024, 774), (1025, 6), (100_000, 6)])
  func manySpacesAreManyPluses(count: Int, decoded: Int) {
    let spaces = String(repeating: " ", count: count)
    let text = [UInt8](text: "AAAA\(spaces)AAAA")
    let pluses = count > 1024 ? "" : spaces.replacing(" ", with: "+")
    let bytes = decode([UInt8](text: "AAAA\(pluses)AAAA"))
    #expect(bytes?.count == decoded && decode(text) == bytes)
    let pieces = stride(from: 0, to: text.count, by: 7).map { start in
      Array(text[start..<min(start + 7, text.count)])
    }
    #expect(decode(pieces: pieces, room: 300) == bytes)
  }

  @Test(arguments: [
    "Z", "Zm9vY", "=", "Z=", "Z===", "Zg===", "Zm8==", "Zm9v=", "Zg==Zg==", "Zg=g", "Zm9v\"",
    "Zm.v", "é",
    "Zm9v\u{0}",
  ])
  func malformed(text: String) {
    #expect(decode([UInt8](text: text)) == nil)
    #expect(decode(pieces: [UInt8](text: text).map { [$0] }, room: 8) == nil)
  }

  @Test func everyByteInEveryPlaceStopsOrDoesNot() {
    let alphabet = [UInt8](
      text: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_ \t\r\n=")
    let text = [UInt8](text: Data(Self.random(150)).base64EncodedString())
    for byte in UInt8(0)...255 where !alphabet.contains(byte) {
      for place in text.indices {
        var broken = text
        broken[place] = byte
        var decoder = Base64Decoder()
        var bytes = [UInt8](repeating: 0, count: 200)
        var start = 0
        var end = 0
        var output = bytes.mutableSpan
        let stop = decoder.decode(broken.span, from: &start, into: &output, at: &end)
        #expect(stop == .foreign && start == place && end == place / 4 * 3)
      }
    }
  }

  @Test func splitProperty() {
    let bytes = Self.random(230)
    let text = [UInt8](
      text: "  " + Data(bytes).base64EncodedString(options: .lineLength76Characters))
    for pieces in text.splits {
      for room in [3, 7, 64, 512] { #expect(decode(pieces: pieces, room: room) == bytes) }
    }
    let plain = [UInt8](text: Data(bytes).base64EncodedString())
    for pieces in bytes.splits {
      for room in [4, 7, 64, 512] { #expect(encode(pieces: pieces, room: room) == plain) }
    }
  }

  @Test func randomPiecesAndRooms() {
    var random = FixedRandom(seed: 2)
    for _ in 0..<300 {
      let bytes = Self.random(Int.random(in: 0...3000, using: &random))
      let text = [UInt8](text: Data(bytes).base64EncodedString())
      let room = Int.random(in: 4...600, using: &random)
      let cuts = [0] + (0..<3).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
      let pieces = zip(cuts, cuts.dropFirst() + [text.count]).map { Array(text[$0..<$1]) }
      #expect(decode(pieces: pieces, room: room) == bytes)
      let halves = [Array(bytes.prefix(room)), Array(bytes.dropFirst(room))]
      #expect(encode(pieces: halves, room: room) == text)
    }
  }
}
