internal import HTTPServer
internal import Wire

/// The decoded query of a request; of a name that comes twice, the last counts.
struct Query {
  private var values: [String: String] = [:]

  /// - Throws: 400 when the query can not be decoded.
  init(_ request: Request) throws(Failure) {
    var reader = QueryReader(request.head.target.query)
    let bytes = request.bytes
    do throws(QueryReader.Failure) {
      while let pair = try reader.next(in: bytes.span) {
        let name = String(decoding: pair.name, as: UTF8.self)
        values[name] = String(decoding: pair.value ?? [], as: UTF8.self)
      }
    } catch {
      throw .badRequest("The query can not be read.", code: "invalid_query")
    }
  }

  /// The value of `name`; empty when it has none, `nil` when it is not there.
  subscript(name: String) -> String? { values[name] }

  /// - Throws: 400 that names a parameter which is none of `names`: a word that is misspelt must
  ///   not be taken for one that was not given.
  func expect(_ names: Set<String>) throws(Failure) {
    guard let stranger = values.keys.filter({ !names.contains($0) }).min() else { return }
    let known = names.sorted().joined(separator: ", ")
    throw .badRequest(
      "The parameter \"\(stranger.shownName)\" is not known here; there are \(known).",
      param: stranger, code: "unknown_parameter")
  }

  /// A whole number.
  ///
  /// - Throws: 400 when it is none, or outside `range`.
  func number(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
    guard let text = values[name] else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw .badRequest(
        "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound).",
        param: name)
    }
    return value
  }

  /// One of the words of `Choice`.
  ///
  /// - Throws: 400 when it is another.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ type: Choice.Type
  ) throws(Failure) -> Choice? {
    guard let text = values[name] else { return nil }
    return try Choice.named(text, param: name)
  }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
  /// The case of this name.
  ///
  /// - Throws: 400 that names `param` and what is allowed.
  static func named(_ text: String, param: String) throws(Failure) -> Self {
    if let value = Self(rawValue: text) { return value }
    let allowed = allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
    throw .badRequest("\"\(param)\" must be \(allowed).", param: param)
  }
}
