/// What the command line of `bench` says.
struct Arguments {
  /// What to do.
  enum Action: String, CaseIterable {
    case delivery, ingest, store, waiting, crowd, help
  }
  var action: Action?
  /// Whole seconds of one run: wrk takes no parts.
  var seconds = 1
  var runs = 5
  /// Series of `delivery`; `nil` for the quick ones.
  var series: [Series]?
  /// Bytes of the images; `nil` for those of the bench.
  var sizes: [Int]?
  /// Assets of `store` and of `waiting`; `nil` for as many as the bench has.
  var rows: Int?
  /// How many of those of `store` have expired.
  var expired = 100_000
  /// Where the figures go as JSON.
  var json: String?

  /// - Throws: `Trouble` that names the argument.
  init(_ words: [String]) throws(Trouble) {
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      switch name {
      case "--help", "-h": action = .help
      case "--json", "--seconds", "--runs", "--series", "--sizes", "--rows", "--expired":
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw Trouble("\(name) needs a value.")
        }
        try set(name, value)
      default:
        guard action == nil, let known = Action(rawValue: word) else {
          throw Trouble("\"\(word)\" is not known; try bench --help.")
        }
        action = known
      }
    }
  }

  private mutating func set(_ name: String, _ value: String) throws(Trouble) {
    switch name {
    case "--json": json = value
    case "--seconds": seconds = try Self.count(name, value)
    case "--series": series = try Series.named(value)
    case "--runs": runs = try Self.count(name, value)
    case "--rows": rows = try Self.count(name, value, upTo: 100_000_000)
    case "--expired": expired = try Self.count(name, value, upTo: 10_000_000)
    default:
      var sizes: [Int] = []
      for part in value.split(separator: ",") { sizes.append(try Self.size(String(part))) }
      guard !sizes.isEmpty else { throw Trouble("--sizes needs a size, such as 4K,1.5M.") }
      self.sizes = sizes
    }
  }

  private static func count(
    _ name: String, _ value: String, upTo most: Int = 3600
  ) throws(Trouble) -> Int {
    guard let number = Int(value), (1...most).contains(number) else {
      throw Trouble("\(name) \(value): a whole number from 1 to \(most) is needed.")
    }
    return number
  }

  /// Bytes of `4096`, `4K`, `1.5M`; units of 1,024.
  private static func size(_ text: String) throws(Trouble) -> Int {
    let unit =
      switch text.last {
      case "K", "k": 1024.0
      case "M", "m": 1_048_576.0
      default: 1.0
      }
    let digits = unit == 1 ? text[...] : text.dropLast()
    guard let number = Double(digits), (Double(TestImage.least)...60e6).contains(number * unit)
    else {
      throw Trouble("--sizes \(text): \(TestImage.least) bytes to 57M are possible, such as 1.5M.")
    }
    return Int(number * unit)
  }

  static let help = """
    Usage: bench delivery|ingest|store|waiting|crowd [--series LIST] [--runs N] [--seconds N]
           [--sizes LIST] [--rows N] [--expired N] [--json FILE]

    Measures the assetd that lies beside this program; all by
      swift build -c release && swift run -c release bench delivery

      delivery          GET of signed links, against nginx secure_link and plain nginx, run by run
                        in turns (wants nginx, wrk and cc; strace for cost)
      ingest            POST of images, raw and as base64 in JSON, against Python's
                        json + base64 + hashlib on the same body (wants python3)
      store             collections of a large store, with clients that host images of 20 KB beside
                        them and without; fills the store for minutes first
      crowd             whether 64 clients at once over every route get their own answers, and
                        nobody else's; ends with 1 when one did not
      waiting           what others wait while a client or an upstream is hostile, shape by shape

      --series LIST     what of delivery, such as c16,range; all of it takes 9 minutes, the default
                        is what has a star and takes 4:
    \(Series.help)
                        many ends sooner with TMPDIR on tmpfs, cold wants it on a disk
      --runs N          runs of every measure, 5; the figures are medians, and a ratio is the median
                        of the ratios of runs that followed each other
      --seconds N       how long a run takes, 1
      --sizes LIST      the images, such as 4K,256K,1.5M
      --rows N          assets of the store, 2000000; of waiting 200000
      --expired N       how many of them one collection removes, 100000
      --json FILE       the figures of every run, too

    Servers run on core 0, everything else on core 1, unless a series says otherwise. Stores and
    logs are in TMPDIR and are removed at the end. Only the loopback interface is used. With a C
    compiler wrk gets one fixed receive window for all servers: it decides which side pays for
    sending.

    Exit status: 0 measured; 1 an answer of crowd was wrong; 2 wrong arguments; 3 could not measure;
    128 + the signal that ended it.

    """
}
