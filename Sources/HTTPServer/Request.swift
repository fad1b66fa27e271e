public import Net
public import Wire

/// A request in the hands of a handler: its head, and its body as it arrives.
///
/// Lives on its connection's loop.
public final class Request {
  /// The head, as offsets into `bytes`.
  public let head: RequestHead
  /// The head's bytes.
  public let bytes: [UInt8]
  /// The exchange's `x-request-id`.
  public let id: [UInt8]
  /// What may be logged of it.
  public internal(set) var note: [UInt8]
  /// `ResponseWriter.tag`.
  public let tag: UInt8
  /// Who asks.
  public let peer: Peer
  /// The body.
  public let body: BodyReader

  init(
    head: RequestHead, bytes: [UInt8], id: [UInt8], note: [UInt8], tag: UInt8, peer: Peer,
    body: BodyReader
  ) {
    self.head = head
    self.bytes = bytes
    self.id = id
    self.note = note
    self.tag = tag
    self.peer = peer
    self.body = body
  }

  /// The value of a field that must not be repeated, or `nil`.
  public func value(of name: FieldName) -> String? {
    guard let range = head.fields.soleValue(of: name) else { return nil }
    return String(decoding: bytes[range], as: UTF8.self)
  }

  /// Adds to what may be logged: a whole JSON member, with its leading comma.
  public func addNote(_ member: String) { note.append(contentsOf: member.utf8) }
}
