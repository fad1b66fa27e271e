// The house's tables (README, "Map of the house"). A new exception is an entry here, with its
// reason.

enum House {
  /// What may stand at the top, besides names that begin with a dot.
  static let top: Set<String> = [
    "Package.swift", "Sources", "Tests", "Storage", "Config", "README.md",
  ]

  /// The libraries of the system, and nothing else.
  static let systemLibraries: Set<String> = ["CLinux", "CSQLite", "COpenSSL"]

  /// Who may import whom: arrows point down, siblings do not know each other.
  static let arrows: [String: Set<String>] = {
    var arrows: [String: Set<String>] = [
      "Kernel": ["CLinux"],
      "Crypto": ["COpenSSL"],
      "SQLite": ["CSQLite"],
      "Wire": ["CLinux"],
      "Configuration": ["FoundationEssentials"],
      "Net": ["Kernel", "Crypto"],
      "Links": ["Crypto", "Wire"],
      "Store": ["Kernel", "Crypto", "SQLite", "Wire"],
      "HTTPServer": ["Net", "Wire"],
      "HTTPClient": ["Net", "Wire"],
      "Upstream": ["HTTPClient", "Wire", "Crypto"],
      "AssetService": [
        "Kernel", "Crypto", "SQLite", "Wire", "Configuration", "Net", "Links", "Store",
        "HTTPServer", "HTTPClient", "Upstream", "Foundation", "FoundationEssentials",
      ],
    ]
    let rooms = Set(arrows.keys).union(["Foundation", "FoundationEssentials"])
    for program in programs { arrows[program] = rooms }
    return arrows
  }()

  /// What every target may import.
  static let everywhere: Set<String> = ["Synchronization"]

  /// Single files that may import more.
  static let importExceptions: [Exception] = [
    Exception("Sources/Net/Workers.swift", "Dispatch", "semaphores of the worker threads"),
    Exception("Sources/Kernel/ThreadSignal.swift", "Dispatch", "a semaphore without a descriptor"),
    Exception("Sources/SQLite/WriteFaults.swift", "Glibc", "wraps pwrite(2) below SQLite"),
    Exception("Sources/bench/HostileTLS.swift", "COpenSSL", "misbehaves as our own TLS can not"),
  ]

  /// What blocks for as long as somebody else wants: it may stand in the programs, which have
  /// nothing else to do, and in Kernel. Everyone else hands lines to a `LineWriter`.
  static let blockingStreams: Set<String> = ["StandardStream", "FileHandle", "fputs"]

  /// The rooms whose code runs on loops, mostly.
  static let loopRooms: Set<String> = [
    "Wire", "Links", "Net", "HTTPServer", "HTTPClient", "Upstream", "AssetService",
  ]

  /// What holds its thread up for as long as a disk, a name server or another thread wants.
  static let blockingCalls: Set<String> = [
    "DispatchSemaphore", "DispatchGroup", "DispatchWorkItem", "ThreadSignal", "NSLock",
    "NSCondition", "FileManager", "URLSession", "contentsOfFile", "usleep", "nanosleep",
    "getaddrinfo", "waitUntilExit",
  ]

  /// The same, as members of a type.
  static let blockingMembers: [(type: String, member: String)] = [
    ("Thread", "sleep"), ("KernelThread", "sleep"), ("Resolver", "addresses"),
  ]

  /// Files of those rooms that may, on threads of their own or before there is a loop.
  static let blockingFiles: [Exception] = [
    Exception("Sources/Net/Workers.swift", "DispatchSemaphore", "its threads wait for work"),
    Exception("Sources/Net/HostLookups.swift", "addresses", "on threads of its own"),
    Exception(
      "Sources/AssetService/Operations/KeyringWatch.swift", "ThreadSignal", "a thread of its own"),
    Exception(
      "Sources/AssetService/StorePlace.swift", "FileManager", "looks before the store is opened"),
  ]

  /// Who may answer with an error's status, beside `Failure`.
  static let statusFiles: [Exception] = [
    Exception(
      "Sources/AssetService/Operations/HealthHandlers.swift", "answer",
      "what a probe asks for is no error of its request")
  ]

  /// The targets that talk on standard output.
  static let programs: Set<String> = ["assetd", "assetctl", "bench"]

  /// The rooms where the word `unsafe` may stand: they speak to C.
  static let unsafeRooms: Set<String> = ["Kernel", "Crypto", "SQLite"]

  /// Single files elsewhere where it may.
  static let unsafeFiles: [Exception] = [
    Exception("Sources/Wire/Base64/Base64Blocks.swift", "unsafe", "calls the SIMD of CLinux"),
    Exception("Sources/Wire/ByteBuffer.swift", "unsafe", "one allocation for a connection's life"),
    Exception("Sources/Wire/HTTP/ByteScan.swift", "unsafe", "reads eight bytes at a time"),
    Exception("Sources/Net/EventLoop.swift", "unsafe", "the executor's references to itself"),
    Exception("Sources/Net/LoopExecutor.swift", "unsafe", "the executor's references to itself"),
    Exception("Sources/Net/TLSLayer.swift", "unsafe", "plaintext straight into the reader's space"),
    Exception("Sources/bench/HostileTLS.swift", "unsafe", "misbehaves as our own TLS can not"),
  ]

  /// The files that hold SQL, besides the room SQLite.
  static let sqlTexts: [Exception] = [
    Exception("Sources/Store/Catalog/CatalogSQL.swift", "SQL", "CatalogSQLTests asks its plans"),
    Exception("Sources/Store/Catalog/Schema.swift", "SQL", "migrations: run once, before serving"),
    Exception("Sources/bench/FilledCatalogue.swift", "SQL", "fills stores that nobody has open"),
  ]

  /// The files that hand text to SQLite, and how.
  static let sqlCalls: [Exception] = [
    Exception("Sources/Store/Catalog/CatalogSession.swift", "prepare", "takes a CatalogSQL"),
    Exception("Sources/Store/Catalog/CatalogSession.swift", "execute", "the table of CatalogSQL"),
    Exception("Sources/Store/Catalog/Writer.swift", "execute", "begins and ends transactions"),
    Exception(
      "Sources/bench/FilledCatalogue.swift", "execute", "fills stores that nobody has open"),
  ]

  /// Uses of what is otherwise forbidden: `@unchecked`, `nonisolated(unsafe)`, `try!`, `as!`, `!`.
  static let loopholes: [Exception] = []

  /// The files that hold what the connections of a loop share. Nothing in them waits: while it did,
  /// another connection would write into the same buffers.
  static let sharedByConnections: Set<String> = [
    "Sources/HTTPServer/LoopScratch.swift", "Sources/HTTPServer/ServerLoop.swift",
    "Sources/HTTPServer/ResponseWriter.swift", "Sources/HTTPClient/ConnectionPool.swift",
    "Sources/AssetService/Operations/AccessLogWriter.swift",
    "Sources/AssetService/Delivery/AssetShelf.swift",
    "Sources/AssetService/Delivery/Delivery.swift",
    "Sources/AssetService/Delivery/OpenAssetCache.swift",
  ]

  /// Extensions of their types in other files that wait all the same.
  static let waitingExtensions: [Exception] = [
    Exception(
      "Sources/HTTPServer/ServerLoop+Draining.swift", "ServerLoop",
      "its end, in which nothing is lent")
  ]

  /// What a loop lends to its connections, and the file that may hold it.
  static let loopBuffers = [
    "ResponseWriter": "Sources/HTTPServer/LoopScratch.swift",
    "LoopScratch": "Sources/HTTPServer/ServerLoop.swift",
  ]

  /// One file, what it may do, and why.
  struct Exception: Sendable {
    let path: String
    let what: String
    let reason: String

    init(_ path: String, _ what: String, _ reason: String) {
      self.path = path
      self.what = what
      self.reason = reason
    }
  }

  /// The settings that every target has.
  static let settings = [
    ".swiftLanguageMode(.v6)", ".enableUpcomingFeature(\"ExistentialAny\")",
    ".enableUpcomingFeature(\"InternalImportsByDefault\")",
    ".enableUpcomingFeature(\"MemberImportVisibility\")",
    ".enableUpcomingFeature(\"NonisolatedNonsendingByDefault\")", ".strictMemorySafety()",
    "strict ? [.treatAllWarnings(as: .error)] : []",
  ]

  static let mostLines = 400
  static let mostFunctionLines = 70
  static let mostColumns = 100

  /// Parts of names that say nothing.
  static let emptyNames: Set<String> = ["Util", "Utils", "Helper", "Helpers", "Manager", "Common"]

  /// Notes to oneself. Written in halves, so that this file has none.
  static let notes = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:"]

  /// Places of someone's machine, in halves too.
  static let workplaces = ["/wo" + "rk/", "/tmp" + "/wt", "/Us" + "ers/", "/ho" + "me/"]
}
