// The program: LLVM's libFuzzer brings `main` and calls the functions below (llvm.org, "libFuzzer –
// a library for coverage-guided fuzz testing").
internal import Foundation

/// The surface that `ASSETD_FUZZ_SURFACE` names.
private let surface: Surface = {
  let name = ProcessInfo.processInfo.environment["ASSETD_FUZZ_SURFACE"] ?? ""
  guard let surface = Surface(rawValue: name) else {
    let names = Surface.allCases.map(\.rawValue).joined(separator: " ")
    fatalError("ASSETD_FUZZ_SURFACE must be one of: \(names)")
  }
  return surface
}()

/// Reads one input; ends the process when something does not hold, so that the input is kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
  let bytes = unsafe buffer.span
  do throws(Broken) {
    try surface.check(bytes)
  } catch {
    fatalError("\(surface.rawValue): \(error)")
  }
  return 0
}
