// The fields that the project asks for by name, so that a lookup is one array access.

/// A field name that the head parsers recognise (in either case).
public enum FieldName: UInt8, CaseIterable, Sendable {
  case accept, acceptEncoding, acceptLanguage, accessControlRequestHeaders
  case accessControlRequestMethod, authorization, cacheControl, connection, contentDisposition
  case contentEncoding, contentLength, contentRange, contentType, cookie, date, etag, expect
  case forwarded, host, idempotencyKey, ifMatch, ifModifiedSince, ifNoneMatch, ifRange
  case ifUnmodifiedSince, lastModified, location, origin, prefer, range, referer, retryAfter
  case secFetchDest, secFetchMode, secFetchSite, server, trailer, transferEncoding, upgrade
  case upgradeInsecureRequests, userAgent, wantReprDigest, xForwardedFor, xForwardedHost
  case xForwardedPrefix, xForwardedProto, xRequestID, xStainlessRetryCount

  /// The name in lowercase.
  public var text: StaticString {
    switch self {
    case .accept: "accept"
    case .acceptEncoding: "accept-encoding"
    case .acceptLanguage: "accept-language"
    case .accessControlRequestHeaders: "access-control-request-headers"
    case .accessControlRequestMethod: "access-control-request-method"
    case .authorization: "authorization"
    case .cacheControl: "cache-control"
    case .connection: "connection"
    case .contentDisposition: "content-disposition"
    case .contentEncoding: "content-encoding"
    case .contentLength: "content-length"
    case .contentRange: "content-range"
    case .contentType: "content-type"
    case .cookie: "cookie"
    case .date: "date"
    case .etag: "etag"
    case .expect: "expect"
    case .forwarded: "forwarded"
    case .host: "host"
    case .idempotencyKey: "idempotency-key"
    case .ifMatch: "if-match"
    case .ifModifiedSince: "if-modified-since"
    case .ifNoneMatch: "if-none-match"
    case .ifRange: "if-range"
    case .ifUnmodifiedSince: "if-unmodified-since"
    case .lastModified: "last-modified"
    case .location: "location"
    case .origin: "origin"
    case .prefer: "prefer"
    case .range: "range"
    case .referer: "referer"
    case .retryAfter: "retry-after"
    case .secFetchDest: "sec-fetch-dest"
    case .secFetchMode: "sec-fetch-mode"
    case .secFetchSite: "sec-fetch-site"
    case .server: "server"
    case .trailer: "trailer"
    case .transferEncoding: "transfer-encoding"
    case .upgrade: "upgrade"
    case .upgradeInsecureRequests: "upgrade-insecure-requests"
    case .userAgent: "user-agent"
    case .wantReprDigest: "want-repr-digest"
    case .xForwardedFor: "x-forwarded-for"
    case .xForwardedHost: "x-forwarded-host"
    case .xForwardedPrefix: "x-forwarded-prefix"
    case .xForwardedProto: "x-forwarded-proto"
    case .xRequestID: "x-request-id"
    case .xStainlessRetryCount: "x-stainless-retry-count"
    }
  }

  /// The name at `range`, which must hold no control character; `nil` for any other name.
  @inline(__always)
  static func recognise(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName? {
    guard let candidate = candidate(bytes, range),
      ByteScan.equalsIgnoringCase(bytes, range, candidate.text)
    else { return nil }
    return candidate
  }

  /// The one name that length and a telling letter leave over.
  @inline(__always)
  private static func candidate(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName? {
    guard range.count >= 4 else { return nil }
    let start = range.lowerBound
    switch (range.count, bytes[start] | 0x20) {
    case (4, 0x68): return .host
    case (4, 0x64): return .date
    case (4, 0x65): return .etag
    case (5, _): return .range
    case (6, 0x61): return .accept
    case (6, 0x63): return .cookie
    case (6, 0x65): return .expect
    case (6, 0x6F): return .origin
    case (6, 0x70): return .prefer
    case (6, 0x73): return .server
    case (7, 0x72): return .referer
    case (7, 0x74): return .trailer
    case (7, 0x75): return .upgrade
    case (8, 0x69): return bytes[start + 3] | 0x20 == 0x72 ? .ifRange : .ifMatch
    case (8, 0x6C): return .location
    case (9, _): return .forwarded
    case (10, 0x63): return .connection
    case (10, 0x75): return .userAgent
    case (11, _): return .retryAfter
    case (12, 0x63): return .contentType
    case (12, 0x78): return .xRequestID
    case (13, 0x61): return .authorization
    case (13, 0x63): return bytes[start + 1] | 0x20 == 0x61 ? .cacheControl : .contentRange
    case (13, 0x69): return .ifNoneMatch
    case (13, 0x6C): return .lastModified
    default:
      guard range.count >= 14 else { return nil }
      return longCandidate(
        range.count, bytes[start] | 0x20, bytes[start + 7] | 0x20, bytes[start + 10] | 0x20)
    }
  }

  /// The same for names of 14 letters and more.
  private static func longCandidate(
    _ length: Int, _ first: UInt8, _ eighth: UInt8, _ eleventh: UInt8
  ) -> FieldName? {
    switch (length, first) {
    case (14, 0x63): return .contentLength
    case (14, 0x73): return eleventh == 0x73 ? .secFetchSite : secFetch(eleventh)
    case (15, 0x61): return eighth == 0x65 ? .acceptEncoding : .acceptLanguage
    case (15, 0x69): return .idempotencyKey
    case (15, 0x78): return .xForwardedFor
    case (16, 0x63): return .contentEncoding
    case (16, 0x77): return .wantReprDigest
    case (16, 0x78): return .xForwardedHost
    case (17, 0x69): return .ifModifiedSince
    case (17, 0x74): return .transferEncoding
    case (17, 0x78): return .xForwardedProto
    case (18, _): return .xForwardedPrefix
    case (19, 0x63): return .contentDisposition
    case (19, 0x69): return .ifUnmodifiedSince
    case (23, _): return .xStainlessRetryCount
    case (25, _): return .upgradeInsecureRequests
    case (29, _): return .accessControlRequestMethod
    case (30, _): return .accessControlRequestHeaders
    default: return nil
    }
  }

  private static func secFetch(_ eleventh: UInt8) -> FieldName {
    eleventh == 0x6D ? .secFetchMode : .secFetchDest
  }
}
