// keyring.json, as bytes: what they mean is another room's business. It is made at the first start
// only; missing later it would silently kill every link, so that stops the start (API.md §5).
internal import Kernel

/// The key ring's file, in the store's root or where `storage.keyring_file` says.
struct KeyringFile: ~Copyable {
  /// Larger files are no key ring.
  static let maxBytes = 1 << 20

  private let path: String
  private let folder: Directory
  private let name: String

  /// Opens the folder that the file is in, or is to be in.
  init(_ path: String) throws(StoreFailure) {
    self.path = path
    let slash = path.lastIndex(of: "/")
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    folder = try kernel(.open, parent) { () throws(Errno) in try Directory.open(path: parent) }
  }

  /// Makes the key ring from `new` when it is missing and no start has ended yet; checks it
  /// otherwise.
  func ensure(isFirstStart: Bool, new: () -> [UInt8]) throws(StoreFailure) {
    let isThere = try kernel(.open, path) { () throws(Errno) in
      try folder.status(of: name) != nil
    }
    if isThere || !isFirstStart {
      _ = try read()
    } else {
      let bytes = new()
      try kernel(.open, path) { () throws(Errno) in try create(bytes) }
    }
  }

  /// The bytes, when only the owner may read them, and the owner is this process's user or root, or
  /// the one whose folder it is when root looks: another could read them, and make links, at any
  /// time.
  func read() throws(StoreFailure) -> [UInt8] {
    guard let file = try kernel(.open, path, { () throws(Errno) in try folder.fileIfThere(name) })
    else {
      throw StoreFailure(
        .open, .keyringMissing, subject: path,
        hint: "restore it from a backup: without it every link is invalid")
    }
    let status = try kernel(.open, path) { () throws(Errno) in try file.status() }
    guard status.mode & 0o077 == 0, status.kind == .regular else {
      throw StoreFailure(
        .open, .keyringExposed, subject: path,
        hint: "if no one else has read it: chmod 600 \(path)")
    }
    let owner = try kernel(.open, path) { () throws(Errno) in try folder.status() }.user
    let isStores = Permission.user == 0 && status.user == owner
    guard isStores || status.user == Permission.user || status.user == 0 else {
      let right = Permission.user == 0 ? owner : Permission.user
      throw StoreFailure(
        .open, .keyringForeign, subject: path,
        hint: "it is user \(status.user)'s; if no one else has read it: chown \(right) \(path)")
    }
    let limit = KeyringFile.maxBytes
    let bytes = try kernel(.open, path) { () throws(Errno) in try file.readAll(limit: limit) }
    guard let bytes else {
      throw StoreFailure(.open, .tooLarge(limit: Int64(limit)), subject: path)
    }
    return bytes
  }

  /// Writes it under another name first: a crash leaves the whole key ring or none.
  private func create(_ bytes: [UInt8]) throws(Errno) {
    let draft = name + ".new"
    try folder.remove(draft)
    let file = try folder.file(draft, .createNew, mode: 0o600)
    try file.setMode(0o600)
    try file.write(bytes.span, at: 0)
    try file.sync()
    try file.close()
    try folder.rename(draft, to: folder, as: name)
    try folder.sync()
  }
}
