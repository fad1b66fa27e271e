import Foundation
import Testing

@testable import Upstream

@Suite struct SampleImageTests {
  /// The whole PNG, and the most bytes that came out of one step.
  static func png(
    _ prompt: String, index: Int = 0, _ width: Int, _ height: Int
  ) -> (bytes: [UInt8], greatestStep: Int) {
    guard var image = SampleImage(prompt: prompt, index: index, width: width, height: height) else {
      return ([], 0)
    }
    var (whole, step, greatest): ([UInt8], [UInt8], Int) = ([], [], 0)
    var more = true
    while more {
      more = image.next(into: &step)
      greatest = max(greatest, step.count)
      whole += step
      step.removeAll(keepingCapacity: true)
    }
    return (whole, greatest)
  }

  /// One prompt for each kind of scene.
  static let prompts = ["a quiet lake", "a red fox", "c", "d", "i"]

  @Test(arguments: [
    (1, 1), (1, 77), (77, 1), (16, 16), (257, 33), (100, 50), (4099, 1), (2, 500),
  ])
  func isTheRightPicture(width: Int, height: Int) throws {
    for prompt in Self.prompts {
      let png = Self.png(prompt, width, height)
      let read = try PNGReader(png.bytes)
      #expect((read.width, read.height) == (width, height))
      let painting = Painting(seed: SeededRandom(prompt: prompt, index: 0), width, height)
      var row = [UInt8](repeating: 0, count: width * 3)
      var pixels: [UInt8] = []
      for y in 0..<height {
        painting.paint(row: y, into: &row)
        pixels += row
      }
      let isSame = read.pixels == pixels
      #expect(isSame, "\(prompt)")
      #expect(png.greatestStep <= 65_536)
    }
  }

  /// Without optimization a picture of eight million pixels takes minutes: then just its top.
  #if DEBUG
    static let expensiveSizes = [(1024, 24), (3840, 8)]
  #else
    static let expensiveSizes = [(1024, 1024), (1024, 1536), (1536, 1024), (3840, 2160)]
  #endif

  @Test(arguments: expensiveSizes)
  func greatSizes(width: Int, height: Int) throws {
    for prompt in Self.prompts {
      let png = Self.png(prompt, width, height)
      let read = try PNGReader(png.bytes)
      #expect((read.width, read.height) == (width, height))
      #expect(png.greatestStep <= 65_536)
      // A strip shows a whole scene in a few rows: little in it is alike.
      let isStrip = height * 8 < width
      #expect(isStrip || png.bytes.count < width * height * 2, "\(prompt)")
    }
  }

  private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// A second opinion, by another zlib.
  @Test(.enabled(if: python != nil))
  func pythonAgrees() throws {
    let script = """
      import struct, sys, zlib
      png, place, data = sys.stdin.buffer.read(), 8, b""
      while place < len(png):
          size, = struct.unpack(">I", png[place:place + 4])
          chunk = png[place + 4:place + 8 + size]
          assert struct.pack(">I", zlib.crc32(chunk)) == png[place + 8 + size:place + 12 + size]
          if chunk[:4] == b"IHDR": width, height = struct.unpack(">II", chunk[4:12])
          if chunk[:4] == b"IDAT": data += chunk[4:]
          place += 12 + size
      assert len(zlib.decompress(data)) == height * (width * 3 + 1)
      """
    for prompt in Self.prompts {
      // Not Foundation's Process: it fails when the tests beside have many descriptors open.
      let folder = NSTemporaryDirectory() + "/" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try Data(Self.png(prompt, 150, 90).bytes).write(to: URL(fileURLWithPath: folder + "/a.png"))
      try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/check.py"))
      let python = try #require(Self.python)
      let status = unsafe system("'\(python)' '\(folder)/check.py' < '\(folder)/a.png'")
      #expect(status == 0, "\(prompt)")
    }
  }

  @Test(arguments: [(0, 1), (1, 0), (-1, 9), (8193, 1), (1, 8193), (.min, .max)])
  func impossibleSizes(width: Int, height: Int) {
    #expect(SampleImage(prompt: "", index: 0, width: width, height: height) == nil)
  }

  @Test func samePromptSamePicture() {
    for (prompt, index) in [("a fox", 0), ("", -1), ("a fox", .max)] {
      let (once, again) = (
        Self.png(prompt, index: index, 9, 9), Self.png(prompt, index: index, 9, 9)
      )
      let isSame = once.bytes == again.bytes
      #expect(isSame)
    }
  }

  @Test func anotherPromptAnotherPicture() {
    let prompts = ["", " ", "a", "b", "ab", "ba", "a fox", "A fox", "ein Füchslein", "狐"]
    let pictures = prompts.flatMap { prompt in
      (0..<4).map { Self.png(prompt, index: $0, 32, 32).bytes }
    }
    #expect(Set(pictures).count == pictures.count)
  }

  @Test func everyKindOfSceneOccurs() {
    let scenes = (0..<40).map { index in
      let painting = Painting(seed: SeededRandom(prompt: "a fox", index: index), 8, 8)
      return "\(type(of: painting.scene))"
    }
    #expect(Set(scenes) == ["Silk", "Kaleidoscope", "Julia", "Ridges", "StainedGlass"])
  }

  @Test func nothingMoreAfterTheEnd() throws {
    var image = try #require(SampleImage(prompt: "a", index: 0, width: 1, height: 1))
    var out: [UInt8] = []
    let more = image.next(into: &out)
    let whole = out
    let stillMore = image.next(into: &out)
    #expect(!more && !stillMore)
    #expect(out == whole)
  }
}
