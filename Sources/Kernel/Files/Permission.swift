internal import CLinux

/// What this process may do with a path (faccessat(2), with its effective user).
public struct Permission: OptionSet, Sendable {
  /// R_OK, W_OK and X_OK.
  public let rawValue: Int32

  /// Some of the three.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// To read it.
  public static let read = Permission(rawValue: R_OK)
  /// To write it, or names in it.
  public static let write = Permission(rawValue: W_OK)
  /// To use names in it.
  public static let search = Permission(rawValue: X_OK)

  /// Whether all of these are given; also when `path` is not there, or can not be looked at for
  /// another reason than the permission.
  public func isGranted(_ path: String) -> Bool {
    let result = unsafe path.withCString {
      unsafe faccessat(AT_FDCWD, $0, rawValue, AT_EACCESS)
    }
    let code = clinux_errno()
    return result == 0 || (code != EACCES && code != EPERM && code != EROFS)
  }

  /// The user's number (geteuid(2)).
  public static var user: UInt32 { geteuid() }
}
