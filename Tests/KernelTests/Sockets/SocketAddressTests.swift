import Testing

@testable import Kernel

struct SocketAddressTests {
  @Test(arguments: [
    "127.0.0.1:8080", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:1", "[2001:db8::1]:443",
  ])
  func textComesBack(_ text: String) throws {
    let address = try #require(SocketAddress(text))
    #expect(address.description == text)
  }

  @Test(arguments: [
    "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:+80", "127.0.0.1:65536", "127.0.0.1:-1",
    "127.0.0.1: 80", "0x7f.0.0.1:80", "127.1:80", "localhost:80", "::1:80", "[::1:80", "[]:80",
    "[::1%lo]:80", "127.0.0.1\0:80", "127.0.0.01.:80",
  ])
  func otherTextIsRefused(_ text: String) {
    #expect(SocketAddress(text) == nil)
  }

  @Test(arguments: [
    ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("128.0.0.1:1", false), ("[::1]:1", true),
    ("[::2]:1", false), ("[::ffff:127.0.0.1]:1", true), ("[::ffff:8.8.8.8]:1", false),
  ])
  func loopbackIsTold(_ text: String, _ isLoopback: Bool) throws {
    #expect(try #require(SocketAddress(text)).isLoopback == isLoopback)
  }
}
