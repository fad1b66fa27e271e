import Testing

@testable import Wire

@Suite struct ByteBufferTests {
  /// The bytes that wait, as text.
  private func text(_ buffer: borrowing ByteBuffer) -> String {
    buffer.withSpan { span in
      var bytes: [UInt8] = []
      for index in span.indices { bytes.append(span[index]) }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test func appendsAndConsumes() {
    var buffer = ByteBuffer(capacity: 16)
    #expect(
      holds(
        buffer.append("hello ") && buffer.append([0x77, 0x6F] as [UInt8]) && buffer.append(0x21)))
    #expect(holds(text(buffer) == "hello wo!" && buffer.count == 9 && buffer.free == 7))
    buffer.removeFirst(6)
    #expect(holds(text(buffer) == "wo!" && buffer.free == 13))
    #expect(holds(buffer.append("0123456789abc") && buffer.free == 0))
    #expect(holds(text(buffer) == "wo!0123456789abc"))
    buffer.removeFirst(16)
    #expect(holds(buffer.isEmpty && buffer.free == 16))
  }

  @Test func whatDoesNotFitChangesNothing() {
    var buffer = ByteBuffer(capacity: 4)
    #expect(holds(buffer.append("abc")))
    #expect(holds(!buffer.append("de") && !buffer.append(decimal: 10) && !buffer.append(hex: 16)))
    #expect(holds(!buffer.append(utf8: "\u{E9}") && !buffer.append(hexOf: [1] as [UInt8])))
    #expect(holds(text(buffer) == "abc"))
    #expect(holds(buffer.append(0x64) && !buffer.append(0x65)))
    #expect(holds(text(buffer) == "abcd"))
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, Int64.max, Int64.min])
  func writesDecimals(_ number: Int64) {
    var buffer = ByteBuffer(capacity: 32)
    #expect(holds(buffer.append(decimal: number)))
    #expect(holds(text(buffer) == String(number)))
  }

  @Test(arguments: [0, 1, 15, 16, 255, 256, 0xDEAD_BEEF, UInt64.max])
  func writesHex(_ number: UInt64) {
    var buffer = ByteBuffer(capacity: 32)
    #expect(holds(buffer.append(hex: number)))
    #expect(holds(text(buffer) == String(number, radix: 16)))
  }

  @Test func writesBytesAsHex() {
    var buffer = ByteBuffer(capacity: 8)
    #expect(holds(buffer.append(hexOf: [0x00, 0x9A, 0xFF] as [UInt8])))
    #expect(holds(text(buffer) == "009aff"))
  }

  @Test func lendsItsFreeTail() {
    var buffer = ByteBuffer(capacity: 8)
    buffer.append("abcdef")
    buffer.removeFirst(4)
    let written = unsafe buffer.withFreeSpace { tail in
      #expect(tail.count == 6)
      unsafe tail[0] = 0x78
      return 1
    }
    #expect(holds(written == 1 && text(buffer) == "efx"))
    #expect(holds(unsafe buffer.withFreeSpace { _ in nil } == nil))
    #expect(holds(text(buffer) == "efx"))
    buffer.appendInPlace { $0.append(0x79) }
    #expect(holds(text(buffer) == "efxy"))
  }

  @Test func growsOnlyWhenReserved() {
    var buffer = ByteBuffer(capacity: 4)
    buffer.append("abcd")
    buffer.removeFirst(1)
    buffer.reserve(1)
    #expect(holds(buffer.capacity == 4))
    buffer.reserve(100)
    #expect(holds(buffer.free >= 100 && text(buffer) == "bcd"))
    buffer.truncate(to: 1)
    #expect(holds(text(buffer) == "b"))
  }
}

extension ByteBuffer {
  /// For tests: arrays instead of spans.
  fileprivate mutating func append(_ bytes: [UInt8]) -> Bool { append(bytes.span) }
  fileprivate mutating func append(hexOf bytes: [UInt8]) -> Bool { append(hexOf: bytes.span) }
}

/// `#expect` can not look into expressions of values that can not be copied; it can look at this.
func holds(_ condition: Bool) -> Bool { condition }
