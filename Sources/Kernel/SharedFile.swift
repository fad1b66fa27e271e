/// An open file that several readers may hold; closed when the last of them lets go.
///
/// A download that began ends whole: its descriptor outlives the file's name (STORE.md, invariant
/// 6).
public final class SharedFile: Sendable {
  private let file: File

  /// Takes over an open file.
  public init(_ file: consuming File) { self.file = file }

  /// Takes over an open descriptor.
  public convenience init(owning descriptor: consuming OwnedFileDescriptor) {
    self.init(File(descriptor))
  }

  /// The descriptor's number; valid as long as this object lives.
  public var number: Int32 { file.descriptor.number }

  /// Reads at most `buffer.count` bytes from `offset`; 0 at the end of the file.
  public func read(into buffer: inout MutableSpan<UInt8>, at offset: Int64) throws(Errno) -> Int {
    try file.read(into: &buffer, at: offset)
  }
}
