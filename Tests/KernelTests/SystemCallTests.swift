import Testing

@testable import Kernel

struct SystemCallTests {
  @Test func callsAreRecordedAndMadeToFail() throws {
    let thread = KernelThread.currentID
    SystemCallTrace.start(thread: thread)
    defer { _ = SystemCallTrace.stop(thread: thread) }
    SystemCallTrace.fail(.eventfd, nth: 2, code: 24, thread: thread)
    _ = try WakeBell()
    #expect(throws: Errno(.eventfd, code: 24)) { _ = try WakeBell() }
    _ = try WakeBell()
    #expect(SystemCallTrace.stop(thread: thread).filter { $0 == .eventfd }.count == 3)
    // What is not recorded can not fail.
    SystemCallTrace.fail(.eventfd, nth: 1, code: 24, thread: thread)
    _ = try WakeBell()
  }

  /// perform's table: EINTR again, EAGAIN nil, anything else an error; EINTR of close is its end.
  @Test func errnoIsSorted() throws {
    var results = [-1, -1, 7]
    let value = try perform(.recv) {
      let next = results.removeFirst()
      if next < 0 { _ = setErrno(4) }
      return next
    }
    #expect(value == 7)
    #expect(try perform(.recv) { setErrno(11) } == nil)
    #expect(throws: Errno(.recv, code: 5)) { try perform(.recv) { setErrno(5) } }
    #expect(throws: Errno(.send, code: 11)) { try performBlocking(.send) { setErrno(11) } }
    #expect(try perform(.close) { setErrno(4) } == 0)
    // A descriptor that was given to the process may be closed; one of ours is a bug, and traps.
    #expect(throws: Errno(.write, code: 9)) { try perform(.write, given: true) { setErrno(9) } }
  }
}

struct ErrnoTests {
  @Test func kindsAreTold() {
    func error(_ code: Int32) -> Errno { Errno(.openat, code: code) }
    #expect(error(2).isNotFound && error(17).isAlreadyThere && error(98).isAddressInUse)
    for code: Int32 in [28, 122, 27] { #expect(error(code).isNoSpace) }
    for code: Int32 in [24, 23] { #expect(error(code).isNoDescriptor) }
    for code: Int32 in [103, 104, 1, 71, 113] { #expect(error(code).isOfOneConnection) }
    let other = error(5)
    #expect(!other.isNotFound && !other.isNoSpace && !other.isNoDescriptor)
    #expect(!other.isOfOneConnection)
  }

  @Test func textNamesTheCall() {
    #expect(Errno(.openat, code: 28).description == "openat: No space left on device")
    #expect(Errno(.accept, code: 9999).description.hasPrefix("accept4: "))
  }
}
