import Testing

@testable import AssetService

/// API.md §5, `Cache-Control`: a cache never keeps a link's bytes until the second it expires in.
@Suite struct CachePolicyTests {
  @Test(
    arguments: [
      (3600, nil, CachePolicy.Directive.link(seconds: 3599)),
      (2, nil, .link(seconds: 1)),
      (1, nil, .noStore),
      (0, nil, .noStore),
      (3600, 60, .link(seconds: 60)),
      (30, 60, .link(seconds: 29)),
    ] as [(Int64, Int64?, CachePolicy.Directive)])
  func linkEndsBeforeItsLastSecond(
    left: Int64, cap: Int64?, expected: CachePolicy.Directive
  ) {
    #expect(CachePolicy(cap: cap, collectsPermanent: false).link(secondsLeft: left) == expected)
  }
}
