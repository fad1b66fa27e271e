// Reads the repository and holds it to the house's rules. Each rule is a pure function of a file;
// the other files of this target prove that each can fail.
import Testing

struct TidyTests {
  /// A rule over one file.
  struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (RepositoryFile) -> [Violation]
    var testDescription: String { name }
  }

  static let rules: [Rule] = [
    Rule(name: "imports follow the arrows", check: StructureRules.imports),
    Rule(name: "nothing waits with what is shared", check: StructureRules.waiting),
    Rule(name: "what loops lend has one owner", check: StructureRules.sharedBuffers),
    Rule(name: "nothing blocks a loop", check: LoopRules.blocking),
    Rule(name: "errors have their status from one place", check: LoopRules.statuses),
    Rule(name: "no loose pages", check: StructureRules.loosePages),
    Rule(name: "unsafe is where it may be", check: CodeRules.unsafeWord),
    Rule(name: "no loopholes", check: CodeRules.loopholes),
    Rule(name: "libraries do not print", check: CodeRules.printing),
    Rule(name: "the log's thread writes the log", check: CodeRules.blockingStreams),
    Rule(name: "programs wait for their threads", check: CodeRules.ends),
    Rule(name: "SQL is in its place", check: SQLRules.texts),
    Rule(name: "statements have names", check: SQLRules.calls),
    Rule(name: "names say something", check: CodeRules.emptyNames),
    Rule(name: "functions are short", check: CodeRules.functionLength),
    Rule(name: "files are short", check: TextRules.fileLength),
    Rule(name: "lines are short", check: TextRules.columns),
    Rule(name: "no notes to oneself", check: TextRules.notes),
    Rule(name: "no places of a machine", check: TextRules.workplaces),
    Rule(name: "declarations are documented", check: TextRules.documentation),
  ]

  @Test(arguments: rules)
  func everyFile(rule: Rule) {
    let found = Repository.this.files.flatMap(rule.check)
    expectNone(found)
  }

  @Test func topLevel() {
    let found = StructureRules.top(Repository.this.top)
    expectNone(found)
  }

  @Test func nothingThatIsSharedIsMadeToWaitElsewhere() {
    expectNone(StructureRules.waitingElsewhere(Repository.this.files))
  }

  @Test func manifest() throws {
    let manifest = try #require(Repository.this.files.first { $0.path == "Package.swift" })
    let found = StructureRules.manifest(manifest)
    expectNone(found)
  }

  @Test func exceptionsAreNeeded() {
    let files = Repository.this.files
    let found =
      StructureRules.staleExceptions(files) + StructureRules.staleShared(files)
      + SQLRules.stale(files) + LoopRules.stale(files)
    expectNone(found)
  }

  /// The rules would be silent about a repository that is not found.
  @Test func theRepositoryIsRead() {
    let files = Repository.this.files
    #expect(files.count > 60)
    #expect(Set(files.compactMap(\.target)).isSuperset(of: House.arrows.keys))
    #expect(files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" && !$0.tokens.isEmpty })
  }

  private func expectNone(_ found: [Violation]) {
    guard !found.isEmpty else { return }
    Issue.record("\(found.map(\.description).joined(separator: "\n"))")
  }
}
