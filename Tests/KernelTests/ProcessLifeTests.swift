import Testing

@testable import Kernel

struct ProcessLifeTests {
  /// exit(3) takes libssl apart, which a thread may still use: it comes after their ends.
  @Test func theEndWaitsForThreads() async {
    let ended = await #expect(
      processExitsWith: .exitCode(7), observing: [\.standardOutputContent]
    ) {
      let isRunning = ThreadSignal()
      try KernelThread.start(name: "slow") {
        isRunning.raise()
        KernelThread.sleep(nanoseconds: 200_000_000)
        StandardStream.output.write("it came to its end")
      }
      isRunning.wait()
      ProcessLife.end(7)
    }
    let said = String(decoding: ended?.standardOutputContent ?? [], as: UTF8.self)
    #expect(said.contains("it came to its end"), "\(said)")
  }
}
