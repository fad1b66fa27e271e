// Listing a folder with getdents64(2): no DIR stream of libc, whose hidden buffer and error
// reporting (errno after NULL) would bypass the seam.
internal import CLinux

extension Directory {
  /// The names in the folder, without `.` and `..`, in no order.
  ///
  /// Reads through a descriptor of its own, so that listings at the same time do not disturb each
  /// other. Names that are not UTF-8 come out repaired, so they match no name of ours.
  public func names() throws(Errno) -> [String] {
    let listing = try directory(".")
    var names: [String] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 15)
    while true {
      let filled = try performBlocking(.getdents) {
        unsafe buffer.withUnsafeMutableBytes {
          unsafe clinux_getdents(listing.descriptor.number, $0.baseAddress, $0.count)
        }
      }
      if filled == 0 { return names }
      Directory.appendNames(in: buffer[..<filled], to: &names)
    }
  }

  /// struct linux_dirent64: inode (8), offset (8), record length (2), type (1), name, NUL.
  static func appendNames(in records: ArraySlice<UInt8>, to names: inout [String]) {
    let nameOffset = 19
    var start = records.startIndex
    while start + nameOffset < records.endIndex {
      let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
      guard length > nameOffset, start + length <= records.endIndex else { return }
      let field = records[(start + nameOffset)..<(start + length)]
      let name = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
      if name != ".", name != ".." { names.append(name) }
      start += length
    }
  }
}
