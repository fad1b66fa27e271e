internal import Foundation

/// How wrk is to ask.
struct Wrk {
  var connections = 64
  /// On both cores it has two threads.
  var cores = Stage.Cores.clients
  var method = "GET"
  var fields: [String] = []
  /// A file of targets, one a line, that are asked for in turn instead of the URL's.
  var list: URL?
  var shims: [Shim] = []

  /// What one run gave.
  struct Run {
    let requests: Double
    let seconds: Double
    /// Milliseconds at 50 % and 99 %, and the longest. wrk counts a request that was late
    /// as often as others would have come meanwhile (coordinated omission).
    let p50, p99, longest: Double
    /// Requests that failed below HTTP.
    let broken: Double
    /// Nanoseconds of wrk itself.
    let processorNanoseconds: Int64
  }

  /// - Throws: `Trouble` when an answer was no success.
  func run(_ url: String, seconds: Int, on stage: Stage) throws -> Run {
    let script = stage.folder.appending(path: "wrk.lua")
    try Self.script.write(to: script, atomically: false, encoding: .utf8)
    let threads = cores == .both ? 2 : 1
    let words =
      ["wrk", "-t\(threads)", "-c\(connections)", "-d\(seconds)s", "-s", script.path]
      + fields.flatMap { ["-H", $0] } + [url, "--", method] + (list.map { [$0.path] } ?? [])
    let before = Usage.endedChildrenNanoseconds()
    let text = try stage.run(words, cores: cores, environment: Shim.environment(shims))
    let spent = Usage.endedChildrenNanoseconds() - before
    let line = text.split(separator: "\n").first { $0.hasPrefix(Self.mark) }
    let figures = (line ?? "").split(separator: " ").compactMap { Double($0) }
    guard figures.count == 7, figures[0] > 0 else {
      throw Trouble("wrk's answer can not be read:\n\(text)")
    }
    guard figures[5] == 0 else {
      throw Trouble("\(url) answered \(Int(figures[5])) times with errors.")
    }
    return Run(
      requests: figures[0], seconds: figures[1] / 1e6, p50: figures[2] / 1e3,
      p99: figures[3] / 1e3, longest: figures[4] / 1e3,
      broken: figures[6], processorNanoseconds: spent)
  }

  private static let mark = "bench:"

  /// wrk calls `init` before it makes its one request, and `request` for each if there is one.
  private static let script = """
    function init(arguments)
      wrk.method = arguments[1]
      if not arguments[2] then return end
      local requests, at = {}, 0
      for path in io.lines(arguments[2]) do requests[#requests + 1] = wrk.format(nil, path) end
      request = function()
        at = at % #requests + 1
        return requests[at]
      end
    end
    function done(summary, latency)
      local bad = summary.errors
      io.write(string.format("\(mark) %d %d %d %d %d %d %d\\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        latency.max, bad.status,
        bad.connect + bad.read + bad.write + bad.timeout))
    end

    """
}
