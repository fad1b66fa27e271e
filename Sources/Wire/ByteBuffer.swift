// The byte block behind every connection: what was received and not yet used, what waits to be
// sent. It owns one malloc'ed block, so that an append on the hot path is a copy and an addition.
// One of the named files that may say `unsafe`: the block is a raw pointer, and every access below
// keeps 0 <= start <= end <= capacity.

/// A block of bytes with a fixed capacity: appended at the end, consumed from the front.
///
/// Appends that do not fit change nothing and return `false`; they never allocate. Only `reserve`
/// makes the block larger. Programmer errors (negative counts, consuming more than there is) trap.
@safe
public struct ByteBuffer: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  /// The first byte not yet consumed.
  @usableFromInline var start = 0
  /// The byte after the last one.
  @usableFromInline var end = 0
  /// How many bytes the block can hold.
  public private(set) var capacity: Int

  /// A block of `capacity` bytes, empty; at least one byte.
  public init(capacity: Int) {
    self.capacity = max(1, capacity)
    unsafe base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { unsafe base.deallocate() }

  /// How many bytes wait to be consumed.
  @inlinable public var count: Int { end - start }

  /// Whether there is nothing to consume.
  @inlinable public var isEmpty: Bool { start == end }

  /// How many bytes can be appended now.
  @inlinable public var free: Int { capacity - count }

  /// Forgets all bytes.
  @inlinable public mutating func removeAll() {
    start = 0
    end = 0
  }

  /// Forgets the first `amount` bytes; traps when there are fewer.
  @inlinable public mutating func removeFirst(_ amount: Int) {
    precondition(amount >= 0 && amount <= count, "ByteBuffer: consumed more than it holds")
    start += amount
    if start == end { removeAll() }
  }

  /// Forgets all bytes from `count` on; traps when there are fewer. Undoes a half-written head.
  @inlinable public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= self.count, "ByteBuffer: truncated to more than it holds")
    end = start + count
  }

  /// Lends the bytes to be consumed.
  @inlinable
  public borrowing func withSpan<R: ~Copyable, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    let held = unsafe UnsafeRawBufferPointer(start: base + start, count: end - start)
    return try unsafe body(Span(_bytes: RawSpan(_unsafeBytes: held)))
  }

  /// Writes over the byte at `index` of those held; traps when there is none.
  public mutating func overwrite(at index: Int, with byte: UInt8) {
    precondition(index >= 0 && index < count, "ByteBuffer: overwrote what it does not hold")
    unsafe base.storeBytes(of: byte, toByteOffset: start + index, as: UInt8.self)
  }

  /// Lends the free tail of the block for a read such as recv(2); appends as many bytes as `body`
  /// says it wrote, counted from the front. `nil` (would block) appends nothing.
  ///
  /// Returns what `body` returned. What is held moves to the front of the block first. The tail is
  /// empty when `free` is 0: do not read then, a read of nothing looks like the end of a stream.
  @inlinable
  @discardableResult
  public mutating func withFreeSpace<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int?
  ) throws(E) -> Int? {
    compact()
    let tail = unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
    guard let written = try unsafe body(tail) else { return nil }
    precondition(written >= 0 && written <= capacity - end, "ByteBuffer: written past its end")
    end += written
    return written
  }

  /// Lends the free tail of the block as a span to write to; appends what `body` wrote.
  @inlinable
  public mutating func appendInPlace<R: ~Copyable, E: Error>(
    _ body: (inout OutputSpan<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    compact()
    let tail = unsafe UnsafeMutableBufferPointer(
      start: (base + end).bindMemory(to: UInt8.self, capacity: capacity - end),
      count: capacity - end)
    var output = unsafe OutputSpan(buffer: tail, initializedCount: 0)
    let result = try body(&output)
    end += unsafe output.finalize(for: tail)
    return result
  }

  /// Makes room for `amount` more bytes; allocates when the block is too small, doubling it.
  public mutating func reserve(_ amount: Int) {
    precondition(amount >= 0, "ByteBuffer: negative reservation")
    guard amount > free else { return }
    let larger = max(capacity * 2, count + amount)
    let block = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    unsafe block.copyMemory(from: base + start, byteCount: count)
    unsafe base.deallocate()
    unsafe base = block
    end -= start
    start = 0
    capacity = larger
  }

  /// Moves what is held to the front of the block, so that all that is free is one tail.
  @inlinable mutating func compact() {
    guard start > 0 else { return }
    unsafe base.copyMemory(from: base + start, byteCount: count)  // memmove: they may overlap
    end -= start
    start = 0
  }

  /// Where the next `amount` bytes go, or `nil` when they do not fit; counts them as held.
  @inlinable mutating func claim(_ amount: Int) -> UnsafeMutableRawPointer? {
    if amount > capacity - end {
      guard amount <= free else { return nil }
      compact()
    }
    let place = unsafe base + end
    end += amount
    return unsafe place
  }
}

extension ByteBuffer {
  /// Appends a literal; `false` when it does not fit.
  @inlinable
  @discardableResult
  public mutating func append(_ literal: StaticString) -> Bool {
    guard let place = unsafe claim(literal.utf8CodeUnitCount) else { return false }
    unsafe place.copyMemory(from: literal.utf8Start, byteCount: literal.utf8CodeUnitCount)
    return true
  }

  /// Appends bytes; `false` when they do not fit.
  @inlinable
  @discardableResult
  public mutating func append(_ bytes: Span<UInt8>) -> Bool {
    guard let place = unsafe claim(bytes.count) else { return false }
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let first = source.baseAddress else { return }
      unsafe place.copyMemory(from: first, byteCount: source.count)
    }
    return true
  }

  /// Appends one byte; `false` when it does not fit.
  @inlinable
  @discardableResult
  public mutating func append(_ byte: UInt8) -> Bool {
    guard let place = unsafe claim(1) else { return false }
    unsafe place.storeBytes(of: byte, as: UInt8.self)
    return true
  }

  /// Appends the UTF-8 of a string; `false` when it does not fit. For what is not per request.
  @discardableResult
  public mutating func append(utf8 text: String) -> Bool { append(text.utf8.span) }

  /// Appends a number in decimal, with `-` when negative; `false` when it does not fit.
  @inlinable
  @discardableResult
  public mutating func append(decimal number: Int64) -> Bool {
    var rest = number.magnitude
    var length = number < 0 ? 2 : 1
    while rest > 9 {
      rest /= 10
      length += 1
    }
    guard let place = unsafe claim(length) else { return false }
    rest = number.magnitude
    var index = length
    repeat {
      index -= 1
      unsafe place.storeBytes(
        of: UInt8(truncatingIfNeeded: rest % 10) + 0x30, toByteOffset: index, as: UInt8.self)
      rest /= 10
    } while rest > 0
    if number < 0 { unsafe place.storeBytes(of: 0x2D, as: UInt8.self) }
    return true
  }

  /// Appends a number in lowercase hex without leading zeros; `false` when it does not fit.
  @inlinable
  @discardableResult
  public mutating func append(hex number: UInt64) -> Bool {
    let length = max(1, (64 - number.leadingZeroBitCount + 3) / 4)
    guard let place = unsafe claim(length) else { return false }
    for index in 0..<length {
      let nibble = number >> UInt64((length - 1 - index) * 4)
      unsafe place.storeBytes(
        of: Self.hexDigit(UInt8(truncatingIfNeeded: nibble)), toByteOffset: index, as: UInt8.self)
    }
    return true
  }

  /// Appends each byte as two lowercase hex digits; `false` when they do not fit.
  @inlinable
  @discardableResult
  public mutating func append(hexOf bytes: Span<UInt8>) -> Bool {
    guard let place = unsafe claim(bytes.count * 2) else { return false }
    for index in bytes.indices {
      let byte = bytes[index]
      unsafe place.storeBytes(
        of: Self.hexDigit(byte >> 4), toByteOffset: index * 2, as: UInt8.self)
      unsafe place.storeBytes(
        of: Self.hexDigit(byte), toByteOffset: index * 2 + 1, as: UInt8.self)
    }
    return true
  }

  /// The digit of the low four bits.
  @inlinable static func hexDigit(_ byte: UInt8) -> UInt8 {
    let nibble = byte & 15
    return nibble < 10 ? nibble + 0x30 : nibble + 0x57
  }
}
