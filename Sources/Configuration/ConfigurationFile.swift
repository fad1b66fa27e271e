internal import FoundationEssentials

/// A configuration file as it was found on disk.
public struct ConfigurationFile: Sendable {
  /// The name for problems: the path as it was given.
  public var name: String
  /// The whole content.
  public var bytes: [UInt8]
  /// Whether others than its owner may read it: then it may hold no secret itself.
  public var isShared: Bool

  /// A file from memory.
  public init(name: String, bytes: [UInt8], isShared: Bool = false) {
    self.name = name
    self.bytes = bytes
    self.isShared = isShared
  }

  /// Reads a file of at most 1 MiB; symbolic links are followed.
  ///
  /// - Throws: one problem that names the file when it can not be read.
  public init(path: String) throws(ConfigurationFailure) {
    switch readSmallFile(path, atMost: JSON5Parser.maximumBytes) {
    case .success(let file):
      self.init(name: path, bytes: file.bytes, isShared: file.isShared)
    case .failure(let reason):
      let problem = ConfigurationProblem(
        source: path, position: nil, path: "", message: reason.message)
      throw ConfigurationFailure(problems: [problem])
    }
  }

  /// Where a configuration is looked for when none is named.
  public static let defaultPath = "Config/assetd.json5"

  /// The file that `--config` names; without it the default one, when there is one.
  ///
  /// - Throws: one problem that names the file when it can not be read.
  public static func chosen(_ path: String?) throws(ConfigurationFailure) -> ConfigurationFile? {
    if let path { return try ConfigurationFile(path: path) }
    guard FileManager.default.fileExists(atPath: defaultPath) else { return nil }
    return try ConfigurationFile(path: defaultPath)
  }
}

/// Why a small file could not be read.
struct FileFailure: Error {
  let message: String
}

/// Reads a regular file; tells whether group or others may read it, too.
func readSmallFile(
  _ path: String, atMost limit: Int
) -> Result<(bytes: [UInt8], isShared: Bool), FileFailure> {
  let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  let files = FileManager.default
  guard files.fileExists(atPath: target), let facts = try? files.attributesOfItem(atPath: target)
  else { return .failure(FileFailure(message: "there is no such file")) }
  guard facts[.type] as? FileAttributeType == .typeRegular else {
    return .failure(FileFailure(message: "is not a regular file"))
  }
  let size = (facts[.size] as? UInt).map { Int(clamping: $0) } ?? .max
  guard size <= limit else {
    return .failure(FileFailure(message: "is larger than \(Quantity.text(bytes: Int64(limit)))"))
  }
  guard let content = files.contents(atPath: target) else {
    return .failure(FileFailure(message: "can not be read: permission denied"))
  }
  let mode = facts[.posixPermissions] as? UInt ?? 0o777
  return .success((Array(content), mode & 0o044 != 0))
}
