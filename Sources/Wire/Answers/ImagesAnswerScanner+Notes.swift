// The scanner's notes: where members stand that may have to change.

extension ImagesAnswerScanner {
  /// A value begins: an element of `data` is counted, a noted member is remembered until its value
  /// ends.
  mutating func beginValue() throws(ScanFailure) {
    if structure.place == .data {
      guard skeleton.items.count < limits.items else { throw .tooManyImages(limit: limits.items) }
      skeleton.items.append(Skeleton.Item())
      itemHasImage = false
    }
    guard let object = object(at: structure.place) else { return }
    guard object.memberCount < limits.members else {
      throw .json(.tooManyMembers(limit: limits.members))
    }
    if case .error = name { errorStart = skeleton.bytes.count }
    guard case .noted(let noted) = name else { return }
    let member = Skeleton.Member(
      name: noted, value: .other, start: nameStart, end: nameStart,
      ordinal: object.memberCount, commaBefore: object.lastComma)
    if structure.place == .item { itemMember = member } else { rootMember = member }
  }

  /// Before a string's quote is kept: that of a noted member may be an image.
  mutating func beginString() {
    grammar = StringGrammar()
    if structure.place == .item, let name = itemMember?.name {
      textStart = skeleton.bytes.count + 1
      prefix = DataURLPrefix()
      noted = StringText()
      phase = .lead(name)
    } else {
      phase = .text
    }
  }

  /// After `{` or `[` was kept: an object that matters is open, or `data`.
  mutating func noteObject(_ byte: UInt8) {
    if byte == 0x5B, structure.place == .data { dataEnd = skeleton.bytes.count }
    guard byte == 0x7B else { return }
    let object = Skeleton.Object(bodyStart: skeleton.bytes.count)
    switch structure.place {
    case .root: skeleton.root = object
    case .item:
      if skeleton.items.isEmpty { skeleton.items.append(Skeleton.Item()) }
      skeleton.items[skeleton.items.count - 1].object = object
    case .data, .elsewhere: break
    }
  }

  /// Before a comma is kept.
  mutating func noteComma() {
    let position = skeleton.bytes.count
    change(at: structure.place) { object in
      object.lastComma = position
      if let last = object.members.last, last.ordinal == object.memberCount - 1 {
        object.members[object.members.count - 1].commaAfter = position
      }
    }
  }

  /// After a value's last byte was kept.
  mutating func endValue(_ value: Skeleton.Value) {
    noted = nil
    let end = skeleton.bytes.count
    if structure.place == .data {
      wholeItems = skeleton.items.count
      dataEnd = end
    }
    var member = structure.place == .item ? itemMember.take() : nil
    if structure.place == .root { member = rootMember.take() }
    if structure.isAtMember, let start = errorStart.take() { skeleton.errors.append(start..<end) }
    change(at: structure.place) { object in
      object.lastValueEnd = end
      object.memberCount += 1
      guard var member else { return }
      member.value = value
      member.end = end
      object.members.append(member)
    }
    phase = structure.depth == 0 ? .end : .comma
    if structure.depth == 0 { noteUploadRoot() }
  }

  /// The root of an upload is its item; members can be added to it once it has one.
  private mutating func noteUploadRoot() {
    guard skeleton.root == nil, var root = skeleton.items.first?.object, root.memberCount > 0 else {
      return
    }
    root.members = []
    skeleton.root = root
  }

  private func object(at place: AnswerStructure.Place) -> Skeleton.Object? {
    switch place {
    case .root: skeleton.root
    case .item: skeleton.items.last?.object
    case .data, .elsewhere: nil
    }
  }

  private mutating func change(
    at place: AnswerStructure.Place, _ body: (inout Skeleton.Object) -> Void
  ) {
    switch place {
    case .root:
      if var root = skeleton.root.take() {
        body(&root)
        skeleton.root = root
      }
    case .item:
      let last = skeleton.items.count - 1
      if last >= 0, var object = skeleton.items[last].object.take() {
        body(&object)
        skeleton.items[last].object = object
      }
    case .data, .elsewhere: break
    }
  }
}
