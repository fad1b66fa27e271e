// Compressed bodies, RFC 1950, 1951 and 1952, with every split.
import Foundation
import Testing
import Wire

@Suite struct InflaterTests {
  struct Cut: Error {}

  /// What a seed of the fuzzer holds.
  private static func seed(_ name: String) throws -> [UInt8] {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try [UInt8](Data(contentsOf: tests.appending(path: "Corpus/inflate/\(name)")))
  }

  /// All that comes out of `bytes`, fed up to each of the ends in turn.
  private static func inflate(
    _ bytes: [UInt8], _ format: Inflater.Format, _ ends: some Sequence<Int>
  ) throws -> [UInt8] {
    var inflater = Inflater(format)
    var body: [UInt8] = []
    var start = 0
    for end in ends {
      repeat {
        start += try inflater.decode(bytes.span.extracting(start..<end))
        inflater.withOutput { for index in $0.indices { body.append($0[index]) } }
        inflater.removeOutput()
      } while !inflater.needsInput && !inflater.isFinished
    }
    guard inflater.mayEnd else { throw Cut() }
    return body
  }

  private static let numbers = Array((0..<300).map { "\($0 * 7919 % 1000)," }.joined().utf8)
  private static let hello = Array("hello".utf8)

  @Test(
    "What gzip and zlib wrote is read, wherever it is cut",
    arguments: [
      ("gzip-dynamic", numbers), ("gzip-fixed", hello), ("gzip-stored", hello),
      ("gzip-all-fields", hello), ("gzip-members", hello), ("gzip-padded", hello),
      ("gzip-empty", []), ("zlib-dynamic", numbers), ("bare-dynamic", numbers),
      ("bare-fixed", hello), ("bare-stored-empty", []),
      ("bare-run", [UInt8](repeating: 0x61, count: 100_000)),
    ] as [(String, [UInt8])])
  func reads(_ name: String, _ expected: [UInt8]) throws {
    let bytes = try Self.seed(name)
    let format = name.hasPrefix("gzip") ? Inflater.Format.gzip : .deflate
    #expect(try Self.inflate(bytes, format, [bytes.count]) == expected)
    #expect(try Self.inflate(bytes, format, 0...bytes.count) == expected)
    for cut in stride(from: 1, to: bytes.count, by: expected.count > 10_000 ? 16 : 1) {
      #expect(try Self.inflate(bytes, format, [cut, bytes.count]) == expected, "cut at \(cut)")
    }
  }

  @Test(
    "What is broken is said",
    arguments: [
      ("gzip-bad-sum", .badChecksum), ("gzip-bad-length", .badChecksum),
      ("gzip-flags", .badHeader), ("zlib-bad-sum", .badChecksum),
      ("zlib-dictionary", .needsDictionary), ("bare-bad-block", .badBlock),
      ("bare-stored-length", .badBlock),
    ] as [(String, InflateFailure)])
  func refuses(_ name: String, _ expected: InflateFailure) throws {
    let bytes = try Self.seed(name)
    let format = name.hasPrefix("gzip") ? Inflater.Format.gzip : .deflate
    #expect(throws: expected) { try Self.inflate(bytes, format, [bytes.count]) }
    #expect(throws: expected) { try Self.inflate(bytes, format, 0...bytes.count) }
  }

  @Test("A stream may end nowhere but at its end")
  func cut() throws {
    for (name, format) in [
      ("gzip-dynamic", Inflater.Format.gzip), ("zlib-dynamic", .deflate),
      ("bare-dynamic", .deflate),
    ] {
      let bytes = try Self.seed(name)
      for end in 1..<bytes.count {
        #expect(throws: Cut.self, "\(name) to \(end)") {
          try Self.inflate(bytes, format, [end])
        }
      }
    }
    #expect(try Self.inflate([], .gzip, [0]).isEmpty, "an empty body needs no stream")
  }

  /// One block of the fixed code (§3.2.6): a literal, then copies of 258 bytes from one back.
  private static func bomb(copies: Int) -> [UInt8] {
    // 1, 01, literal 0 (00110000); then 11000101 00000 for each copy; 0000000 at the end.
    var bits: [UInt8] = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    for _ in 0..<copies { bits += [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0] }
    bits += [0, 0, 0, 0, 0, 0, 0]
    return stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].enumerated().reduce(0) { $0 | $1.1 << UInt8($1.0) }
    }
  }

  @Test("No step is long: not by what comes out, and not by blocks that write nothing")
  func steps() throws {
    let bomb = Self.bomb(copies: 20_000)
    #expect(try Self.inflate(bomb, .deflate, [bomb.count]).count == 1 + 258 * 20_000)
    var inflater = Inflater(.deflate)
    #expect(try inflater.decode(bomb.span) < bomb.count / 20)
    #expect(inflater.withOutput { $0.count } <= 96 << 10)
    #expect(!inflater.needsInput)
    let full = inflater.withOutput { $0.count }
    #expect(try inflater.decode(bomb.span) == 0, "nothing is written over what was not taken")
    #expect(inflater.withOutput { $0.count } == full)

    let empty = [[UInt8]](repeating: [0, 0, 0, 0xFF, 0xFF], count: 1000).flatMap { $0 }
    inflater = Inflater(.deflate)
    #expect(try inflater.decode(empty.span) <= 16 * 5 + 8)
    let members = [[UInt8]](repeating: try Self.seed("gzip-empty"), count: 1000).flatMap { $0 }
    inflater = Inflater(.gzip)
    #expect(try inflater.decode(members.span) <= 16 * 20 + 8)
  }

  @Test("A member can not reach back into the one before it")
  func members() throws {
    let first = try Self.seed("gzip-fixed")
    // A copy of three bytes from one back, before anything was written: 1, 01, 0000001, 00000.
    let second: [UInt8] = first[..<10] + [0b0000_0011, 0b0000_0010, 0]
    #expect(throws: InflateFailure.badDistance) {
      try Self.inflate(first + second, .gzip, [first.count + second.count])
    }
  }
}
