/// One part of `bench delivery`, chosen by its name.
struct Series {
  /// How it is measured.
  enum Work {
    /// One file is asked for again and again, in every size and every way.
    case loads([Ask], sizes: [Int])
    /// Each of many files in turn.
    case manyFiles
    /// A warm small file beside a large one that must come from the disk.
    case coldFile
    /// What one request does, counted.
    case requestCost
  }
  let name: String
  /// For `--help`.
  let says: String
  /// Whether it belongs to a run without `--series`.
  var isQuick = false
  /// Where the servers run; on both cores they have two loops, two workers.
  var cores = Stage.Cores.servers
  /// Whether assetd may forget to sync what it stores.
  var isUnsynced = false
  let work: Work

  static let all: [Series] = [
    Series(
      name: "sizes", says: "GET of 4K,64K,256K,1.5M,8M, 64 connections", isQuick: true,
      work: .loads(
        [Ask(target: Ask.Target.ofSize)],
        sizes: [4 << 10, 64 << 10, 256 << 10, 1536 << 10, 8 << 20])),
    Series(
      name: "close", says: "4K, a connection for each GET", isQuick: true,
      work: .loads(
        [
          Ask(
            label: "close", fields: { _ in ["Connection: close"] },
            target: { _ in Ask.Target(server: "≤ 1.00") })
        ],
        sizes: [4 << 10])),
    Series(
      name: "304", says: "4K, If-None-Match that matches", isQuick: true,
      work: .loads([Ask(label: "304", status: 304, revalidates: true)], sizes: [4 << 10])),
    Series(
      name: "head", says: "HEAD of 4K", isQuick: true,
      work: .loads([Ask(label: "HEAD", method: "HEAD")], sizes: [4 << 10])),
    Series(
      name: "range", says: "64 KB out of the middle and from the end of 1.5M", isQuick: true,
      work: .loads([.middle, .suffix], sizes: [1536 << 10])),
    Series(
      name: "cost", says: "system calls and allocations of one GET of 64K", isQuick: true,
      work: .requestCost),
    Series(
      name: "c16", says: "GET of 4K,64K, 16 connections",
      work: .loads([Ask(label: "c16", connections: 16)], sizes: [4 << 10, 64 << 10])),
    Series(
      name: "c256", says: "GET of 4K,64K, 256 connections",
      work: .loads([Ask(label: "c256", connections: 256)], sizes: [4 << 10, 64 << 10])),
    Series(
      name: "loops", says: "GET of 4K,64K, two loops or workers, nobody pinned", cores: .both,
      work: .loads([Ask(label: "two loops")], sizes: [4 << 10, 64 << 10])),
    Series(
      name: "many", says: "GET of 100,000 files of 4K in turn: more than anyone keeps open",
      isUnsynced: true, work: .manyFiles),
    Series(
      name: "cold", says: "how long GETs of 4K wait beside a GET of 32M from the disk",
      work: .coldFile),
  ]

  /// Those of a list such as `c16,c256`, or of `all`.
  ///
  /// - Throws: `Trouble` that names what is unknown.
  static func named(_ list: String) throws(Trouble) -> [Series] {
    if list == "all" { return all }
    var chosen: [Series] = []
    for name in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let series = all.first(where: { $0.name == name }) else {
        throw Trouble("There is no series \"\(name)\"; bench --help lists them.")
      }
      chosen.append(series)
    }
    return chosen
  }

  /// The lines of `--help`; a star marks the quick ones.
  static var help: String {
    all.map { series in
      let name = series.name.padding(to: 7)
      return "    \(series.isQuick ? "*" : " ") \(name)  \(series.says)"
    }.joined(separator: "\n")
  }
}
