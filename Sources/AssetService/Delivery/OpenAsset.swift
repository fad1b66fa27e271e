internal import Crypto
internal import Kernel
internal import Net
internal import Store
internal import Wire

/// An asset that is ready to be sent: its bytes, and the header fields that every answer for it
/// has, spelled out once. A warm GET formats nothing of this again.
final class OpenAsset {
  /// Where its bytes leave from.
  enum Content {
    /// A small image: one send for head and body costs less than a send and a sendfile (4 KB: 7.6
    /// against 8.9 µs in a bare server, 64 KB: no difference), and no descriptor stays open.
    case bytes([UInt8])
    /// Any other: by sendfile.
    case file(SendableFile)
  }
  let id: AssetID
  let content: Content
  let facts: RepresentationFacts
  let mediaType: MediaType
  let isPermanent: Bool
  /// When its life ends, in unix seconds: no link goes on after it.
  let end: Int64
  let isPinned: Bool
  let digest: Digest
  /// All that is said of it, spelled out in one run of bytes; the ranges below are parts of it.
  let text: [UInt8]
  /// The field lines of 200 and 206.
  let fullLines: Range<Int>
  /// The field lines of 304 (RFC 9110 §15.4.5), which are among the full ones.
  let validatorLines: Range<Int>
  /// The digest in hex: the entity tag without its quotes.
  let etag: Range<Int>
  /// `Content-Disposition: inline; …`
  let inlineLine: Range<Int>
  /// What the access log says of it: a member, with its leading comma.
  let logMember: Range<Int>
  /// Unix seconds of the last fetch that was reported to the catalogue.
  var reportedAt: Int64 = 0

  init(_ asset: ServedAsset, content: Content, tagHeader: String?) {
    id = asset.id
    self.content = content
    facts = RepresentationFacts(lastModified: asset.blob.storedAt, size: asset.blob.bytes)
    mediaType = asset.blob.image.mediaType
    isPermanent = asset.lifetime == .permanent
    end = asset.lifetime.expiresAt ?? .max
    isPinned = asset.isPinned
    digest = asset.blob.digest
    let name = asset.id.text
    // Built once per opening: a store with more images than places opens one for every request.
    var text: [UInt8] = []
    text.reserveCapacity(1024)
    text += "Content-Type: ".utf8
    text += mediaType.contentType.utf8
    text += "\r\nLast-Modified: ".utf8
    let date = HTTPDate.format(asset.blob.storedAt)
    for index in date.indices { text.append(date[index]) }
    text += OpenAsset.securityLines.utf8
    let validators = text.count
    text += "ETag: \"".utf8
    etag = text.count..<text.count + 64
    let hex = digest.hexBytes
    for index in hex.indices { text.append(hex[index]) }
    text += OpenAsset.sharingLines.utf8
    if let tagHeader {
      text += tagHeader.utf8
      text += ": ".utf8
      for index in name.indices { text.append(name[index]) }
      text += "\r\n".utf8
    }
    fullLines = 0..<text.count
    validatorLines = validators..<text.count
    text += "Content-Disposition: inline; filename=\"".utf8
    for index in name.indices { text.append(name[index]) }
    text.append(UInt8(ascii: "."))
    text += mediaType.fileExtension.utf8
    text += "\"\r\n".utf8
    inlineLine = fullLines.upperBound..<text.count
    text += ",\"asset\":\"".utf8
    for index in name.indices { text.append(name[index]) }
    text.append(UInt8(ascii: "\""))
    logMember = inlineLine.upperBound..<text.count
    self.text = text
  }

  /// A hosted file never runs anything, whatever its bytes are.
  private static let securityLines =
    "\r\nAccept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n"
    + "Content-Security-Policy: default-src 'none'; sandbox\r\n"
  /// Any page may show it, read it and time it.
  private static let sharingLines =
    "\"\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n"
    + "Cross-Origin-Resource-Policy: cross-origin\r\nTiming-Allow-Origin: *\r\n"
}
