// Whether a store can be where it is asked for, told before SQLite or the kernel say it in their
// words: a path, a user, and what is missing.
internal import Foundation
internal import Kernel

/// A store's folder, before it is opened.
public struct StorePlace {
  private let root: String
  /// What stands in it, and must be folders.
  private static let folders = ["blobs", "incoming"]
  private static let files = ["catalog.sqlite", "lock", "keyring.json"]

  /// The folder of `storage.root`.
  public init(_ root: String) { self.root = root }

  /// Why it can not be used, in one sentence; `nil` when nothing is in the way, or nothing is
  /// there.
  public var trouble: String? {
    if let trouble = obstacle(root, isFolder: true) { return trouble }
    for name in Self.folders {
      if let trouble = obstacle(root + "/" + name, isFolder: true) { return trouble }
    }
    for name in Self.files {
      if let trouble = obstacle(root + "/" + name, isFolder: false) { return trouble }
    }
    return nil
  }

  private func obstacle(_ path: String, isFolder: Bool) -> String? {
    let needed: Permission = isFolder ? [.read, .write, .search] : [.read, .write]
    let above = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard Permission.search.isGranted(above), needed.isGranted(path) else {
      return "\"\(path)\" can not be used: the user \(Self.user) may not "
        + (isFolder ? "read and write in it." : "read and write it.")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let kind = attributes?[.type] as? FileAttributeType else { return nil }
    // The root may be reached through a link; what is in it is made by the store.
    if path == root, kind == .typeSymbolicLink { return nil }
    guard kind == (isFolder ? .typeDirectory : .typeRegular) else {
      let found = kind == .typeSymbolicLink ? "a link" : isFolder ? "a file" : "no file"
      return "\"\(path)\" is \(found) where a store has a \(isFolder ? "folder" : "file")."
    }
    return nil
  }

  private static var user: String { "\(NSUserName()) (\(Permission.user))" }
}
