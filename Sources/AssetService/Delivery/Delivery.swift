// The first straight way: a GET of an image, answered on the loop that read it.
//
//   token → expiry → removal → extension → conditionals → range       (API.md §5, in this order)
//   links.verify    open(asset)             DeliveryPlan              → sendfile
//
// A warm one is recv, send, sendfile: it never waits, never hops, never allocates.
internal import Crypto
internal import HTTPServer
internal import Links
internal import Net
internal import Store
internal import Wire

/// Delivery on one loop.
final class Delivery {
  private let keys: LinkKeys
  /// The verifier as it was after this many changes of the keys.
  private var links: LinkVerifier
  private var changes: Int
  private let shelf: AssetShelf
  private let policy: CachePolicy

  init(keys: LinkKeys, shelf: AssetShelf, policy: CachePolicy) {
    self.keys = keys
    changes = keys.changes
    links = keys.verifier
    self.shelf = shelf
    self.policy = policy
  }

  /// The asset that a name stands for.
  ///
  /// - Throws: what there is to say of the name itself.
  func asset(
    named name: DeliveryName, _ bytes: Span<UInt8>, now: Int64
  ) throws(DeliveryFailure) -> AssetID {
    switch name {
    case .link(let token, _): return try verify(bytes.extracting(token), now: now).0
    case .permanent(let name, _):
      guard let id = AssetID(text: bytes.extracting(name)) else { throw .unknown }
      return id
    case .foreign: throw .unknown
    }
  }

  /// Answers a GET or HEAD of what a delivery path names. `opened` is its asset, if a thread has
  /// opened it meanwhile.
  ///
  /// - Throws: `.notAtHand` without it, when the disk would have to be waited for.
  func deliver(
    _ name: DeliveryName, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
    opened: OpenAsset? = nil, into response: inout ResponseWriter
  ) throws(DeliveryFailure) {
    switch name {
    case .link(let token, let suffix):
      let now = response.now
      let (id, expiry) = try verify(bytes.extracting(token), now: now)
      let asset = try open(id, opened)
      // A link ends with its asset, whose life may have been cut short since.
      let end = min(expiry, asset.end)
      guard now < end else { throw .linkExpired }
      guard asset.mediaType.accepts(extension: bytes.extracting(suffix)) else { throw .unknown }
      try respond(
        with: asset, caching: policy.link(secondsLeft: end - now), head, bytes, &response)
    case .permanent(let name, let suffix):
      guard let id = AssetID(text: bytes.extracting(name)) else { throw .unknown }
      let asset = try open(id, opened)
      // A temporary asset's id is no secret, so it is no way in.
      guard asset.isPermanent, asset.mediaType.accepts(extension: bytes.extracting(suffix)) else {
        throw .unknown
      }
      try respond(with: asset, caching: policy.permanent(asset), head, bytes, &response)
    case .foreign: throw .unknown
    }
  }

  private func open(_ id: AssetID, _ opened: OpenAsset?) throws(DeliveryFailure) -> OpenAsset {
    if let opened { return opened }
    return try shelf.open(id)
  }

  private func verify(
    _ token: Span<UInt8>, now: Int64
  ) throws(DeliveryFailure) -> (AssetID, expiry: Int64) {
    if keys.changes != changes { takeNewKeys() }
    switch links.verify(token: token, now: now) {
    case .valid(let id, let expiry): return (id, expiry)
    case .expired: throw .linkExpired
    case .invalid: throw .linkInvalid
    }
  }

  /// The number first: keys that change meanwhile are taken again.
  private func takeNewKeys() {
    changes = keys.changes
    links = keys.verifier
  }

  private func respond(
    with asset: OpenAsset, caching: CachePolicy.Directive, _ head: borrowing RequestHead,
    _ bytes: Span<UInt8>, _ response: inout ResponseWriter
  ) throws(DeliveryFailure) {
    shelf.note(asset, at: response.now)
    let text = asset.text
    response.note.append(text.span.extracting(asset.logMember))
    let plan = DeliveryPlan(
      of: asset.facts, etag: text.span.extracting(asset.etag), asked: head, in: bytes,
      now: response.now)
    switch plan.status {
    case 304:
      response.start(304)
      response.lines(text.span.extracting(asset.validatorLines))
      caching.append(to: &response)
      response.endWithoutContent()
    case 412: throw .preconditionFailed
    case 416: throw .rangeUnsatisfiable(size: asset.facts.size)
    default:
      response.start(plan.status)
      response.lines(text.span.extracting(asset.fullLines))
      caching.append(to: &response)
      if plan.status == 206 { appendContentRange(plan, asset.facts.size, &response) }
      appendDisposition(asset, head, bytes, &response)
      appendDigest(asset, head, bytes, &response)
      switch asset.content {
      case .file(let file):
        response.end(file: file, offset: plan.offset, count: plan.length)
      case .bytes(let bytes):
        let start = Int(plan.offset)
        response.end(bytes.span.extracting(start..<start + Int(plan.length)))
      }
    }
  }

  private func appendContentRange(
    _ plan: DeliveryPlan, _ size: Int64, _ response: inout ResponseWriter
  ) {
    response.piece("Content-Range: bytes ")
    response.piece(plan.offset)
    response.piece("-")
    response.piece(plan.offset + plan.length - 1)
    response.piece("/")
    response.piece(size)
    response.piece("\r\n")
  }

  /// `?download` and `?download=name` make an attachment of it; any other query is ignored.
  private func appendDisposition(
    _ asset: OpenAsset, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
    _ response: inout ResponseWriter
  ) {
    guard let query = head.target.query, let name = downloadName(query, bytes) else {
      let text = asset.text
      return response.lines(text.span.extracting(asset.inlineLine))
    }
    let fallback = Array("\(asset.id).\(asset.mediaType.fileExtension)".utf8)
    let chosen = name.isEmpty ? fallback : name
    let value = ContentDisposition.attachment.value(fileName: chosen.span)
    response.field("Content-Disposition", value.span)
  }

  /// The value of `download`, empty without one; `nil` when the query does not ask.
  private func downloadName(_ query: Range<Int>, _ bytes: Span<UInt8>) -> [UInt8]? {
    // A link must work with whatever a mailer or a tracker hangs on it, and a name is cleaned
    // when it is written: no query is an error here.
    var reader = QueryReader(query, isLenient: true)
    while let pair = try? reader.next(in: bytes) {
      if pair.name == Array("download".utf8) { return pair.value ?? [] }
    }
    return nil
  }

  /// RFC 9530 §4: a digest when the client would have SHA-256.
  private func appendDigest(
    _ asset: OpenAsset, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
    _ response: inout ResponseWriter
  ) {
    guard head.fields.contains(.wantReprDigest), head.fields.wantsSHA256(in: bytes) else { return }
    let digest = asset.digest.bytes
    response.piece("Repr-Digest: sha-256=:")
    response.lines(Base64.encode(digest.span).utf8.span)
    response.piece(":\r\n")
  }
}
