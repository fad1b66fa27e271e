extension String {
  /// The same words in lines of at most `width` characters; what is longer stays whole. Empty lines
  /// part paragraphs, whose own line breaks do not count.
  func wrapped(to width: Int) -> String {
    split(separator: "\n\n").map { paragraph in
      paragraph.split(whereSeparator: \.isWhitespace).lines(of: width).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// Lines of at most `width` characters.
  func lines(of width: Int) -> [String] {
    split(whereSeparator: \.isWhitespace).lines(of: width)
  }
}

extension [Substring] {
  fileprivate func lines(of width: Int) -> [String] {
    var lines: [String] = []
    for word in self {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
