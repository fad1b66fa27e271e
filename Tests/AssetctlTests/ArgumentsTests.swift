import Testing

@testable import assetctl

struct ArgumentsTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let line: String
    /// A part of the sentence.
    let says: String
    var testDescription: String { line }
  }

  /// Every line is refused before a store is looked for, with status 2.
  @Test(arguments: [
    Refusal(line: "gcc", says: "Did you mean \"gc\"?"),
    Refusal(line: "keys", says: "keys create, keys list, keys revoke"),
    Refusal(line: "keys lsit", says: "Did you mean \"list\"?"),
    Refusal(line: "gc --dryrun", says: "Did you mean \"--dry-run\"?"),
    Refusal(line: "gc --policy", says: "--policy needs a value."),
    Refusal(line: "gc --policy --list", says: "\"--list\" is a flag"),
    Refusal(line: "gc --list=yes", says: "--list takes no value."),
    Refusal(line: "gc --limit 0", says: "above 0"),
    Refusal(line: "gc --limit ten", says: "\"ten\""),
    Refusal(line: "gc --explain img-1 --list", says: "--explain is about one asset"),
    Refusal(line: "gc now", says: "one word too many"),
    Refusal(line: "ls --all --limit 3", says: "--all has no --limit"),
    Refusal(line: "ls --retention forever", says: "temporary, permanent"),
    Refusal(line: "show", says: "ID is missing"),
    Refusal(line: "show a b", says: "One ID at a time"),
    Refusal(line: "rm", says: "ID is missing"),
    Refusal(line: "put", says: "FILE is missing"),
    Refusal(line: "put - -", says: "can be read once"),
    Refusal(line: "put a.png --retention permanent --ttl 1h", says: "has no --ttl"),
    Refusal(line: "put a.png --ttl 0", says: "at least a second"),
    Refusal(line: "put a.png --ttl soon", says: "\"soon\" is not a time"),
    Refusal(line: "get a --force", says: "--force needs --output"),
    Refusal(line: "link a --ttl 1x", says: "\"1x\" is not a time"),
    Refusal(line: "keys create", says: "--name is missing"),
    Refusal(line: "keys create --name a --scope root", says: "\"root\" is none of"),
    Refusal(line: "keys create --name a --quota 5XB", says: "unknown unit"),
    Refusal(line: "demo --size 12", says: "\"12\" is no size"),
    Refusal(line: "demo --config x", says: "leave out --config"),
    Refusal(line: "ls --config /nowhere/at/all", says: "there is no such file"),
  ])
  func refuses(_ refusal: Refusal) async {
    let outcome = await Outcome.of(refusal.line.split(separator: " ").map(String.init))
    #expect(outcome.status == .usage)
    #expect(outcome.errors.contains(refusal.says), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func everyHelpNamesEachFlagAndTheExitStatus() async {
    for command in Commands.all {
      let words = command.form.name.split(separator: " ").map(String.init)
      let outcome = await Outcome.of(words + ["--help"])
      #expect(outcome.status == .done)
      for flag in command.form.allFlags { #expect(outcome.output.contains(flag.name)) }
      #expect(outcome.output.contains("Exit status: 0 done"))
      #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
  }

  @Test func withoutACommandTheHelpIsAnError() async {
    let outcome = await Outcome.of([])
    #expect(outcome.status == .usage)
    #expect(outcome.errors.hasPrefix("Usage: assetctl COMMAND"))
    #expect(await Outcome.of(["--help"]).output == outcome.errors)
  }

  @Test func aGroupHasAHelp() async {
    for word in ["--help", "-h"] {
      let outcome = await Outcome.of(["keys", word])
      #expect(outcome.status == .done)
      for name in ["keys create", "keys list", "keys revoke"] {
        #expect(outcome.output.contains(name))
      }
      #expect(!outcome.output.contains("  gc "))
    }
  }

  @Test func everyHelpFitsTheTerminal() async {
    for width in [40, 60, 80, 200] {
      let texts =
        [Commands.help(width: width)] + Commands.all.map { $0.form.help(width: width) }
      for line in texts.flatMap({ $0.split(separator: "\n") }) {
        // A word that is longer stays whole, and the left column is not cut.
        #expect(line.count <= max(width, 60), "\(line)")
      }
    }
  }

  @Test(
    arguments: [
      (["ls"], [], ["ls"]),
      (["--config", "x", "ls", "--json"], ["--config", "x"], ["ls", "--json"]),
      (["--config=x", "--json", "keys", "list"], ["--config=x", "--json"], ["keys", "list"]),
      (["--storage", "d"], ["--storage", "d"], []), (["--help"], [], ["--help"]),
      (["--limit", "3", "ls"], [], ["--limit", "3", "ls"]),
    ] as [([String], [String], [String])])
  func commonFlagsMayStandFirst(words: [String], flags: [String], rest: [String]) throws {
    let (found, left) = try Arguments.leading(words)
    #expect(found == flags && left == rest)
  }

  @Test func takesFlagsInEverySpelling() throws {
    let words = ["--limit=5", "-", "--policy", "a", "--policy=b,c", "--", "--list"]
    let arguments = try Arguments(words, GCCommand.form)
    #expect(try arguments.count("--limit") == 5)
    #expect(arguments.all("--policy") == ["a", "b,c"])
    #expect(arguments.operands == ["-", "--list"])
    #expect(!arguments.has("--list"))
    #expect(try Arguments(["-o", "x"], GetCommand.form)["--output"] == "x")
  }

  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9994, "9.99 kB"), (9996, "10.0 kB"),
      (999_499, "999 kB"), (999_500, "1.00 MB"), (1_483_920, "1.48 MB"),
      (50_000_000_000, "50.0 GB"),
    ] as [(Int64, String)])
  func spellsBytes(_ count: Int64, _ text: String) {
    #expect(Spoken.bytes(count) == text)
  }

  @Test func idsStayOneSegment() {
    #expect("../a b/%ü".percentEncoded == "..%2Fa%20b%2F%25%C3%BC")
  }

  @Test func alteringChangesOneCharacterOfTheSignature() {
    let url = "http://127.0.0.1:1/v1/temp-images/ABCDEFGHIJKL.png"
    #expect(DemoWalk.altering(url) == "http://127.0.0.1:1/v1/temp-images/ABCDAFGHIJKL.png")
  }
}
