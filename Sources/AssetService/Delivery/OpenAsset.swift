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
  let isPinned: Bool
  /// The digest in hex: the entity tag without its quotes.
  let etag: [UInt8]
  /// The digest in base64, for `Repr-Digest`.
  let digest64: [UInt8]
  /// The field lines of 200 and 206.
  let fullLines: [UInt8]
  /// The field lines of 304 (RFC 9110 §15.4.5).
  let validatorLines: [UInt8]
  /// `Content-Disposition: inline; …`
  let inlineLine: [UInt8]
  /// What the access log says of it: a member, with its leading comma.
  let logMember: [UInt8]
  /// Unix seconds of the last fetch that was reported to the catalogue.
  var reportedAt: Int64 = 0

  init(_ asset: Asset, content: Content, tagHeader: String?) {
    id = asset.id
    self.content = content
    facts = RepresentationFacts(lastModified: asset.blob.storedAt, size: asset.blob.bytes)
    mediaType = asset.blob.image.mediaType
    isPermanent = asset.lifetime == .permanent
    isPinned = asset.isPinned
    let digest = asset.blob.digest
    let hex = digest.hex
    etag = Array(hex.utf8)
    let bytes = digest.bytes
    digest64 = Array(Base64.encode(bytes.span).utf8)
    let date = HTTPDate.format(asset.blob.storedAt)
    let dateText = String(decoding: date.indices.map { date[$0] }, as: UTF8.self)
    var lines = "Content-Type: \(mediaType.contentType)\r\nETag: \"\(hex)\"\r\n"
    lines += "Last-Modified: \(dateText)\r\nAccept-Ranges: bytes\r\n"
    lines += OpenAsset.securityLines
    let tag = tagHeader.map { "\($0): \(asset.id)\r\n" } ?? ""
    fullLines = Array((lines + OpenAsset.sharingLines + tag).utf8)
    validatorLines = Array(("ETag: \"\(hex)\"\r\n" + OpenAsset.sharingLines + tag).utf8)
    logMember = Array(",\"asset\":\"\(asset.id)\"".utf8)
    inlineLine = Array(
      "Content-Disposition: inline; filename=\"\(asset.id).\(mediaType.fileExtension)\"\r\n".utf8)
  }

  /// A hosted file never runs anything, whatever its bytes are.
  private static let securityLines =
    "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; sandbox\r\n"
  /// Any page may show it, read it and time it.
  private static let sharingLines =
    "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n"
    + "Cross-Origin-Resource-Policy: cross-origin\r\nTiming-Allow-Origin: *\r\n"
}
