internal import Foundation
internal import Wire

/// What a gateway in Python does with the same body: json.loads, b64decode, sha256.
struct PythonPeer {
  /// Megabytes are 1,000,000 bytes of image.
  struct Run {
    /// MB per second of its processor time.
    let rate: Double
    /// MB above the interpreter with its modules.
    let memory: Double
  }
  private let stage: Stage
  private let body: URL

  init(_ stage: Stage, body: URL) {
    self.stage = stage
    self.body = body
  }

  func run(imageBytes: Int, seconds: Int) throws -> Run {
    let text = try stage.run(
      ["python3", "-c", Self.program, body.path, "\(seconds)"], cores: .servers)
    let figures = text.split(separator: " ").compactMap { Double($0) }
    guard figures.count == 3, figures[1] > 0 else { throw Trouble("python3 printed \(text)") }
    return Run(
      rate: Double(imageBytes) * figures[0] / figures[1] / 1e6, memory: figures[2] * 1024 / 1e6)
  }

  /// Prints how many bodies, in how many seconds of its processor time, and the growth of its peak
  /// in KiB (not by getrusage(2), whose peak may be that of whoever started it). Reading the body
  /// from a file stands for the socket.
  private static let program = """
    import base64, hashlib, json, re, sys, time
    def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    idle, count, begin = peak(), 0, time.process_time()
    end = time.monotonic() + float(sys.argv[2])
    while count == 0 or time.monotonic() < end:
        with open(sys.argv[1], "rb") as file: body = file.read()
        for entry in json.loads(body)["data"]:
            hashlib.sha256(base64.b64decode(entry["b64_json"])).hexdigest()
        count += 1
    print(count, time.process_time() - begin, peak() - idle, end="")
    """
}
