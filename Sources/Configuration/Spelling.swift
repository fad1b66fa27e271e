/// Guesses what a mistyped word was meant to be.
public enum Spelling {
  /// The known word that is nearest; `nil` when more than a third of it would be wrong.
  public static func nearest(to word: String, among known: [String]) -> String? {
    let typed = Array(word.lowercased().utf8.prefix(64))
    let scored = known.map { ($0, distance(typed, Array($0.lowercased().utf8))) }
    guard let (best, distance) = scored.min(by: { $0.1 < $1.1 }) else { return nil }
    return distance <= max(1, best.utf8.count / 3) ? best : nil
  }

  /// Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment).
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var older = [Int](repeating: 0, count: b.count + 1)
    var above = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, older[j - 1] + 1) }
        row.append(best)
      }
      (older, above) = (above, row)
    }
    return above[b.count]
  }
}
