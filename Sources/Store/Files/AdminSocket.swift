internal import Kernel

extension Store {
  /// A path to bind the daemon's admin socket at: through the open folder, as a socket's own path
  /// is at most 107 bytes (unix(7)). What a crash left there goes; the lock says that nobody uses
  /// it.
  public func adminSocketPath() throws(StoreFailure) -> String {
    removeAdminSocket()
    return "/proc/self/fd/\(files.folders.root.descriptor.number)/\(Layout.adminSocket)"
  }

  /// Removes the socket's name; nobody can connect from then on.
  public func removeAdminSocket() {
    do throws(Errno) { _ = try files.folders.root.remove(Layout.adminSocket) } catch {
      files.health.noteFailure(error)
    }
  }
}
