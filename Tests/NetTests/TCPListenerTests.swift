import Kernel
import Testing

@testable import Net

struct TCPListenerTests {
  private func peer(_ text: String) throws -> Peer { Peer(try #require(SocketAddress(text))) }

  @Test func admissionCounts() throws {
    let admission = Admission(limit: 3, limitPerAddress: 2)
    let (one, two) = (try peer("10.0.0.1:1"), try peer("10.0.0.2:1"))
    #expect(admission.admit(one, isExempt: false))
    #expect(admission.admit(one, isExempt: false))
    #expect(!admission.admit(one, isExempt: false))
    #expect(admission.current == 2)
    #expect(admission.admit(one, isExempt: true))
    #expect(admission.isFull)
    #expect(!admission.admit(two, isExempt: false))
    admission.release(one, isExempt: true)
    #expect(admission.admit(two, isExempt: false))
    for peer in [one, one, two] { admission.release(peer, isExempt: false) }
    #expect(admission.current == 0)
    #expect(admission.admit(one, isExempt: false))
  }

  /// One IPv6 customer holds a /64.
  @Test func addressesOfOneSubnetShare() throws {
    let admission = Admission(limit: 9, limitPerAddress: 1)
    #expect(admission.admit(try peer("[2001:db8::1]:1"), isExempt: false))
    #expect(!admission.admit(try peer("[2001:db8::2]:1"), isExempt: false))
    #expect(admission.admit(try peer("[2001:db8:0:1::1]:1"), isExempt: false))
  }

  /// Sharing is for our own loops only: who opens a port that is held is told, before and after
  /// others joined.
  @Test func aPortIsOpenedOnce() throws {
    let any = try #require(SocketAddress("127.0.0.1:0"))
    let first = try StreamSocket.listen(on: any, sharing: .first)
    let port = try first.localAddress()
    #expect(port.port != 0)
    let further = try StreamSocket.listen(on: port, sharing: .further)
    for sharing in [StreamSocket.PortSharing.none, .first] {
      #expect(throws: Errno(.bind, code: 98)) {
        _ = try StreamSocket.listen(on: port, sharing: sharing)
      }
    }
    _ = consume first
    _ = consume further
  }
}
