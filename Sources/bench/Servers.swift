internal import Foundation

/// One server and one way to sign, as a series sees it.
struct Contender {
  let name: String
  let port: UInt16
  let usage: Usage
  /// Targets of the same images at everyone, in the same order.
  let paths: [String]
  let clearLog: () -> Void

  var path: String { paths[0] }

  func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// An assetd and, when it is installed, an nginx that serves the very same files.
final class Servers {
  let daemon: Daemon
  let nginx: Nginx?

  /// - Parameters:
  ///   - cores: where they run, and so how many loops and workers they have.
  ///   - shims: what assetd is started with.
  init(on stage: Stage, cores: Stage.Cores, shims: [Shim] = []) throws {
    daemon = try Daemon(on: stage, cores: cores, environment: Shim.environment(shims))
    nginx = Tool.find("nginx") == nil ? nil : try Nginx(on: stage, cores: cores)
  }

  func stop() {
    daemon.stop()
    nginx?.stop()
  }

  /// Hosts an image of `size` bytes at everyone.
  func contenders(size: Int) throws -> [Contender] {
    var image = TestImage(size: size)
    return try contenders([daemon.host(&image)], size: size)
  }

  /// Serves what the daemon hosts: assetd, nginx with `secure_link`, plain nginx.
  func contenders(_ hosted: [Daemon.Hosted], size: Int) throws -> [Contender] {
    var all = [
      Contender(
        name: "assetd", port: daemon.port, usage: daemon.usage, paths: hosted.map(\.path),
        clearLog: daemon.clearLog)
    ]
    if let nginx {
      let paths = try hosted.map { try nginx.host($0.file) }
      for (name, paths) in [
        ("secure_link", paths.map(\.signed)), ("nginx", paths.map(\.plain)),
      ] {
        all.append(
          Contender(
            name: name, port: nginx.port, usage: nginx.usage, paths: paths,
            clearLog: nginx.clearLog))
      }
    }
    for contender in all {
      let answer = try LoopbackClient(port: contender.port).fetch(contender.path)
      guard answer.status == 200, answer.body.count == size else {
        throw Trouble("\(contender.name) answered \(answer.status) to \(contender.path).")
      }
    }
    return all
  }
}
