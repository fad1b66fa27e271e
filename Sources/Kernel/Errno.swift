internal import CLinux

/// A failed system call: which call, and the kernel's error number (errno(3)).
///
/// Would-block is never an `Errno`: the calls that may block say so with a value.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
  /// The call that failed.
  public let call: SystemCall
  /// The number, as in `errno.h`.
  public let code: Int32

  /// An error of `call`; `code` is a positive errno number.
  public init(_ call: SystemCall, code: Int32) {
    self.call = call
    self.code = code
  }

  /// `openat: No space left on device`: strerror(3) with the call's name before it.
  public var description: String {
    var text = [CChar](repeating: 0, count: 256)
    let found = unsafe clinux_error_text(code, &text, text.count)
    let length = text.firstIndex(of: 0) ?? text.count
    guard found == 0 else { return "\(call.rawValue): errno \(code)" }
    let message = String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(call.rawValue): \(message)"
  }

  /// No such file (ENOENT).
  public var isNotFound: Bool { code == ENOENT }
  /// The file system takes no writes (EROFS).
  public var isReadOnly: Bool { code == EROFS }
  /// The name is taken (EEXIST).
  public var isAlreadyThere: Bool { code == EEXIST }
  /// The disk, its inodes or a quota are used up (ENOSPC, EDQUOT, EFBIG).
  public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
  /// The device failed (EIO).
  public var isInputOutput: Bool { code == EIO }
  /// The disk, or the machine behind it, does not give what is there: no socket says so (EIO and
  /// its kin: EUCLEAN and EBADMSG are a file system's that found damage, ESTALE is NFS's).
  public var isOfDevice: Bool {
    switch code {
    case EIO, EUCLEAN, EBADMSG, ESTALE, ENXIO, ENODEV, EREMOTEIO: true
    default: false
    }
  }
  /// The file is another user's (EPERM).
  public var isNotOwned: Bool { code == EPERM }
  /// The process or the system has no descriptor left (EMFILE, ENFILE).
  public var isNoDescriptor: Bool { code == EMFILE || code == ENFILE }
  /// The process or the system has no descriptor or memory left (also ENOMEM, ENOBUFS).
  public var isShortage: Bool { isNoDescriptor || code == ENOMEM || code == ENOBUFS }
  /// The address has a listener already (EADDRINUSE).
  public var isAddressInUse: Bool { code == EADDRINUSE }
  /// What accept4(2) says of the one connection that it would have returned, and of no other
  /// ("Error handling"; EPERM is a firewall's).
  public var isOfOneConnection: Bool {
    switch code {
    case ECONNABORTED, ECONNRESET, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
      EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT:
      true
    default: false
    }
  }
}
