// An answer that broke off keeps its whole images (API.md §3): what came is closed into a document
// of its own.
//
//     {"created":1,"data":[{"b64_json":"…"},{"b64_json":"iVBO      the connection was lost here
//     {"created":1,"data":[{"b64_json":""}]}                       what is left of it

extension ImagesAnswerScanner {
  /// The skeleton of an answer that ends where the scanner stands, or where it failed: what is
  /// whole stays byte for byte, members and elements that are under way go, and what is open is
  /// closed. An element of `data` that is under way stays when its image is whole. An answer that
  /// is whole is given back as it is.
  ///
  /// - Returns: `nil` when there is no object to close, or when the document is an upload.
  public func closed() -> Skeleton? {
    guard case .answer = structure.rule, var root = skeleton.root else { return nil }
    guard structure.depth > 0 else { return skeleton }
    var closed = skeleton
    if structure.isDataOpen {
      closed.closeData(wholeItems: wholeItems, end: dataEnd)
      root.lastValueEnd = closed.bytes.count
      root.memberCount += 1
    } else {
      closed.bytes.removeLast(closed.bytes.count - root.lastValueEnd)
    }
    root.forgetComma(behind: closed.bytes.count)
    closed.bytes.append(0x7D)
    closed.errors.removeAll { $0.upperBound >= closed.bytes.count }
    closed.root = root
    return closed
  }
}

extension Skeleton {
  fileprivate mutating func closeData(wholeItems: Int, end: Int) {
    let isUnderWay = items.count > wholeItems
    if isUnderWay, let object = items[wholeItems].object, items[wholeItems].isWorthKeeping {
      close(object, item: wholeItems)
    } else {
      if isUnderWay { items.removeLast() }
      bytes.removeLast(bytes.count - end)
    }
    bytes.append(0x5D)
  }

  private mutating func close(_ object: Object, item: Int) {
    var object = object
    bytes.removeLast(bytes.count - object.lastValueEnd)
    object.forgetComma(behind: bytes.count)
    items[item].object = object
    bytes.append(0x7D)
  }
}

extension Skeleton.Item {
  /// Whether it holds an image, or the URL of one, or held what was to be one.
  fileprivate var isWorthKeeping: Bool {
    image != nil || url != nil || object?.members.contains { $0.value == .duplicate } == true
  }
}

extension Skeleton.Object {
  /// The document is cut at `end`: the comma that stood behind the last member is gone.
  fileprivate mutating func forgetComma(behind end: Int) {
    guard let last = members.indices.last, let comma = members[last].commaAfter, comma >= end
    else { return }
    members[last].commaAfter = nil
  }
}
