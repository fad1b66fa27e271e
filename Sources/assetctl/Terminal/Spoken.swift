// Numbers and times as people read them.
internal import Foundation

/// Spells quantities for people; programs get numbers (`--json`).
enum Spoken {
  /// `532 B`, `1.48 MB`, `23.4 GB`: three digits, powers of ten.
  static func bytes(_ count: Int64) -> String {
    guard count >= 1000 else { return "\(count) B" }
    var value = Double(count)
    var unit = ""
    for next in ["kB", "MB", "GB", "TB", "PB"] where value >= 999.5 || unit.isEmpty {
      value /= 1000
      unit = next
    }
    let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return value.formatted(.number.precision(.fractionLength(digits)).locale(plain)) + " " + unit
  }

  /// `1 asset`, `12,345 assets`.
  static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number(count)) \(count == 1 ? one : many ?? one + "s")"
  }

  /// `12,345`
  static func number(_ value: Int) -> String { value.formatted(.number.locale(plain)) }

  /// `45 s`, `12 min`, `23 h`, `30 d`: one unit, rounded down.
  static func duration(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
  }

  /// `in 23 h`, `12 min ago`.
  static func moment(_ time: Int64, now: Int64) -> String {
    time > now ? "in \(duration(time - now))" : "\(duration(now - time)) ago"
  }

  /// `2026-11-21 08:30:00 UTC`
  static func date(_ seconds: Int64) -> String {
    let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space, timeZone: .gmt)
      .year().month().day().time(includingFractionalSeconds: false)
    return Date(timeIntervalSince1970: Double(seconds)).formatted(style) + " UTC"
  }

  private static let plain = Locale(identifier: "en_US")
}
