/// A page in the text exposition format; names and label values are our own words.
struct MetricsPage {
  enum Kind: String { case counter, gauge, histogram }
  private(set) var text = ""

  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(
    _ name: String, _ labels: KeyValuePairs<String, String>, _ value: Int
  ) {
    add(name, labels, "\(value)")
  }

  mutating func sample(
    _ name: String, _ labels: KeyValuePairs<String, String>, seconds: Double
  ) {
    add(name, labels, "\(seconds)")
  }

  /// A family of one sample.
  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
    family(name, kind, help)
    sample(name, [:], value)
  }

  private mutating func add(
    _ name: String, _ labels: KeyValuePairs<String, String>, _ value: String
  ) {
    let list = labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
    text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
  }
}
