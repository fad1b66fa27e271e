import Testing

@testable import AssetService

/// API.md §5, `Cache-Control`: a cache never keeps a link's bytes until the second it expires in.
@Suite struct CachePolicyTests {
  @Test(
    arguments: [
      (3600, nil, CachePolicy.Directive.fresh(seconds: 3599, isImmutable: true)),
      (2, nil, .fresh(seconds: 1, isImmutable: true)),
      (1, nil, .noStore),
      (0, nil, .noStore),
      (3600, 60, .fresh(seconds: 60, isImmutable: true)),
      (30, 60, .fresh(seconds: 29, isImmutable: true)),
    ] as [(Int64, Int64?, CachePolicy.Directive)])
  func linkEndsBeforeItsLastSecond(
    left: Int64, cap: Int64?, expected: CachePolicy.Directive
  ) {
    #expect(CachePolicy(cap: cap, collectsPermanent: false).link(secondsLeft: left) == expected)
  }
}
