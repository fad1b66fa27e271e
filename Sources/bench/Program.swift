// Repeatable measurements: `bench <name>` starts the real daemon, measures it beside a peer that
// does the same work, and prints one line per measure.
internal import Foundation
internal import Kernel

@main
struct Program {
  static func main() {
    do throws(Trouble) {
      let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
      switch arguments.action {
      case nil: end(2, "bench: which one? bench --help says more.")
      case .help:
        StandardStream.output.write(Arguments.help)
      case .delivery: run("delivery", DeliveryBench.init, arguments)
      case .ingest: run("ingest", IngestBench.init, arguments)
      case .waiting: run("waiting", WaitingBench.init, arguments)
      case .store: run("store", StoreBench.init, arguments)
      case .crowd: run("crowd", CrowdBench.init, arguments)
      }
    } catch {
      end(2, "bench: \(error)")
    }
  }

  private static func run(
    _ name: String, _ make: (Arguments, Stage, Report) throws -> some Bench, _ arguments: Arguments
  ) {
    do {
      let stage = try Stage()
      defer { stage.clear() }
      let report = Report(bench: name, arguments: arguments)
      try make(arguments, stage, report).measure()
      if let path = arguments.json { try report.write(to: path) }
    } catch let wrong as WrongAnswer {
      end(1, "bench: \(wrong)")
    } catch {
      Interruption.giveWay()
      end(3, "bench: \(error)")
    }
  }

  private static func end(_ status: Int32, _ message: String) -> Never {
    StandardStream.error.write(message.hasSuffix("\n") ? message : message + "\n")
    ProcessLife.end(status)
  }
}

/// One bench.
protocol Bench {
  /// Measures all and reports it line by line.
  func measure() throws
}
