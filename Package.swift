// swift-tools-version: 6.2
// The house: see README.md ("Map of the house"). Arrows point down only; no package dependencies.
import PackageDescription

/// CI turns every warning into an error; a user's newer compiler must not break the build.
let strict = Context.environment["ASSETD_STRICT"] == "1"

/// Builds the fuzzer that `.ci/run` runs, instead of the test that replays its corpus.
let fuzzing = Context.environment["ASSETD_FUZZ"] == "1"

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
  ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// One room: a library target with the house's settings.
func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// One program: an executable target with the house's settings.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: Bool = false) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies,
    resources: resources ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

/// One folder, two ways through it: see Tests/FuzzTests/Surface.swift.
func fuzz(_ dependencies: [Target.Dependency]) -> Target {
  fuzzing
    ? .executableTarget(
      name: "fuzz", dependencies: dependencies, path: "Tests/FuzzTests",
      exclude: ["CorpusTests.swift"], swiftSettings: settings)
    : .testTarget(
      name: "FuzzTests", dependencies: dependencies, exclude: ["LibFuzzer.swift"],
      swiftSettings: settings)
}

let package = Package(
  name: "assetd",
  products: [
    .executable(name: "assetd", targets: ["assetd"]),
    .executable(name: "assetctl", targets: ["assetctl"]),
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CSQLite"),
    .systemLibrary(name: "COpenSSL"),

    room("Kernel", ["CLinux"]),
    room("Crypto", ["COpenSSL"]),
    room("SQLite", ["CSQLite"]),
    room("Wire", ["CLinux"]),
    room("Configuration"),

    room("Net", ["Kernel", "Crypto"]),
    room("Links", ["Crypto", "Wire"]),
    room("Store", ["Kernel", "Crypto", "SQLite", "Wire"]),

    room("HTTPServer", ["Net", "Wire"]),
    room("HTTPClient", ["Net", "Wire"]),
    room("Upstream", ["HTTPClient", "Wire", "Crypto"]),

    room(
      "AssetService",
      [
        "Kernel", "Crypto", "SQLite", "Wire", "Configuration", "Net", "Links", "Store",
        "HTTPServer", "HTTPClient", "Upstream",
      ], resources: [.embedInCode("openapi.json")]),
    program("assetd", ["AssetService", "Configuration", "Kernel"]),
    program(
      "assetctl",
      ["AssetService", "Configuration", "Crypto", "HTTPClient", "Kernel", "Net", "Wire"]),
    program("bench", ["Kernel", "Wire", "Crypto", "SQLite", "COpenSSL"]),

    tests("Kernel", ["Kernel"]),
    tests("Crypto", ["Crypto"]),
    tests("SQLite", ["SQLite"]),
    tests("Wire", ["Wire"]),
    tests("Configuration", ["Configuration"]),
    tests("Net", ["Net", "Kernel", "Crypto"]),
    tests("Links", ["Links", "Crypto", "Wire"]),
    tests("Store", ["Store", "Kernel", "Crypto", "SQLite", "Wire", "CSQLite"]),
    tests("HTTPServer", ["HTTPServer", "Net", "Kernel", "Wire"]),
    tests("HTTPClient", ["HTTPClient", "Net", "Kernel", "Wire", "COpenSSL"]),
    tests("Upstream", ["Upstream", "HTTPClient", "Net", "Kernel", "Wire"], resources: true),
    tests(
      "AssetService",
      [
        "AssetService", "Configuration", "Store", "Wire", "Net", "HTTPServer", "Kernel", "Crypto",
      ]),
    tests(
      "Assetctl",
      [
        "assetctl", "AssetService", "Configuration", "Crypto", "HTTPClient", "Kernel", "Net",
        "Wire",
      ]),
    fuzz(["AssetService", "Links", "Wire"]),
    tests("Tidy", []),
    tests("EndToEnd", []),
  ]
)
