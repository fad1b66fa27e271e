// What a process has used, from /proc (proc(5)).
internal import Foundation

/// A running process and its children, as the kernel counts them.
struct Usage {
  let pid: Int32

  /// Nanoseconds on a processor of all threads, of the children's too (an nginx master works
  /// through one). /proc/PID/task/TID/schedstat counts nanoseconds; /proc/PID/stat counts
  /// hundredths of a second, which is too coarse for one run.
  func processorNanoseconds() throws -> Int64 {
    var sum: Int64 = 0
    for process in [pid] + children() {
      let tasks = "/proc/\(process)/task"
      for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
        // A thread may have ended since.
        guard let text = Self.read("\(tasks)/\(task)/schedstat") else { continue }
        sum += Int64(text.split(separator: " ").first ?? "") ?? 0
      }
    }
    guard sum > 0 else { throw Trouble("Process \(pid) has ended, or /proc has no schedstat.") }
    return sum
  }

  /// The processes that it started.
  func children() -> [Int32] {
    let text = Self.read("/proc/\(pid)/task/\(pid)/children") ?? ""
    return text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
  }

  /// Bytes of memory that are resident now.
  var residentBytes: Int64 { status("VmRSS:") }

  /// The most bytes that were resident since `resetPeak`.
  var peakBytes: Int64 { status("VmHWM:") }

  /// Lets `peakBytes` begin anew (proc(5), clear_refs, 5).
  func resetPeak() throws {
    guard let file = FileHandle(forWritingAtPath: "/proc/\(pid)/clear_refs") else {
      throw Trouble("The peak of process \(pid)'s memory can not be reset.")
    }
    try file.write(contentsOf: Data("5\n".utf8))
  }

  /// In KiB there.
  private func status(_ name: String) -> Int64 {
    Self.entry(name, of: "/proc/\(pid)/status") * 1024
  }

  /// Nanoseconds on a processor of the children of this process that have ended: hundredths of a
  /// second, the sum of fields 16 and 17 of /proc/self/stat.
  static func endedChildrenNanoseconds() -> Int64 {
    // The name in field 2 may hold spaces: what counts is behind its bracket.
    let fields = (read("/proc/self/stat") ?? "").split(separator: ")").last?.split(separator: " ")
    guard let fields, fields.count > 14 else { return 0 }
    return ((Int64(fields[13]) ?? 0) + (Int64(fields[14]) ?? 0)) * 10_000_000
  }

  /// Bytes that it and its children took from the disk (proc(5), /proc/PID/io).
  var diskBytes: Int64 {
    ([pid] + children()).reduce(0) { $0 + Self.entry("read_bytes:", of: "/proc/\($1)/io") }
  }

  /// The number behind `name` in a file of such lines; 0 without one.
  private static func entry(_ name: String, of path: String) -> Int64 {
    for line in (read(path) ?? "").split(separator: "\n") where line.hasPrefix(name) {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) } ?? 0
    }
    return 0
  }

  private static func read(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
