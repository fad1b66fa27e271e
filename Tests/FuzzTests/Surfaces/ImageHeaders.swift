// Magic bytes and dimensions: the verdict does not depend on the split, and stays.
internal import Wire

func imageHeaders(_ bytes: Span<UInt8>) throws(Broken) {
  let verdict = ImageHeader.read(prefix: bytes)
  for pieces in cuts(bytes.count) {
    var sniffer = ImageSniffer()
    var first: ImageVerdict?
    for piece in pieces {
      let told = sniffer.feed(bytes.extracting(piece))
      try hold(first == nil || first == told, "first \(first as Any), then \(told)")
      if told != .needMore { first = told }
    }
    try hold(sniffer.verdict == verdict, "whole \(verdict), split \(sniffer.verdict)")
  }
  try structures(bytes)
  guard case .image(let facts) = verdict else { return }
  let sides = 1...Int(Int32.max)
  try hold(sides.contains(facts.width) && sides.contains(facts.height), "\(facts)")
  try hold(facts.pixels >= facts.width && facts.pixels >= facts.height, "\(facts.pixels) pixels")
}

/// Whether an image is whole does not depend on the split either.
private func structures(_ bytes: Span<UInt8>) throws(Broken) {
  var whole = ImageStructure()
  whole.feed(bytes)
  for pieces in cuts(bytes.count) {
    var structure = ImageStructure()
    for piece in pieces { structure.feed(bytes.extracting(piece)) }
    try hold(structure.isWhole == whole.isWhole, "whole \(whole.isWhole), split otherwise")
  }
}
