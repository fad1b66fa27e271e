// HTTP dates (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms. Times are seconds
// since 1970-01-01T00:00:00Z without leap seconds.

/// Dates as HTTP writes them.
public enum HTTPDate {
  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  public static func format(_ seconds: Int64) -> InlineArray<29, UInt8> {
    let date = CivilDate(clamping: seconds)
    var text = InlineArray<29, UInt8>(repeating: 0x20)
    let day: StaticString = "SunMonTueWedThuFriSat"
    let month: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    for index in 0..<3 {
      text[index] = letter(day, date.weekday * 3 + index)
      text[8 + index] = letter(month, (date.month - 1) * 3 + index)
      text[26 + index] = letter("GMT", index)
    }
    text[3] = 0x2C
    twoDigits(&text, 5, date.day)
    twoDigits(&text, 12, date.year / 100)
    twoDigits(&text, 14, date.year % 100)
    twoDigits(&text, 17, date.hour)
    text[19] = 0x3A
    twoDigits(&text, 20, date.minute)
    text[22] = 0x3A
    twoDigits(&text, 23, date.second)
    return text
  }

  /// The time that a date in any of the three forms means; `nil` when it is none. `now` places the
  /// two-digit years of RFC 850: not more than 50 years ahead.
  public static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
    guard text.count >= 24, text.count <= 33 else { return nil }
    var comma = 0
    while comma < text.count, text[comma] != 0x2C { comma += 1 }
    switch comma {
    case 3: return imf(text)
    case text.count: return asctime(text)
    default: return rfc850(text, comma, now: now)
    }
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`
  private static func imf(_ text: Span<UInt8>) -> Int64? {
    guard text.count == 29, weekday(text, 0) != nil, matches(text, 3, ", "),
      let day = number(text, 5, 2), text[7] == 0x20, let month = month(text, 8), text[11] == 0x20,
      let year = number(text, 12, 4), text[16] == 0x20, let time = time(text, 17),
      matches(text, 25, " GMT")
    else { return nil }
    return seconds(year, month, day, time)
  }

  /// `Sunday, 06-Nov-94 08:49:37 GMT`
  private static func rfc850(_ text: Span<UInt8>, _ comma: Int, now: Int64) -> Int64? {
    let start = comma + 2
    guard text.count == start + 22, isLongWeekday(text, comma), matches(text, comma, ", "),
      let day = number(text, start, 2), text[start + 2] == 0x2D,
      let month = month(text, start + 3), text[start + 6] == 0x2D,
      let short = number(text, start + 7, 2), text[start + 9] == 0x20,
      let time = time(text, start + 10), matches(text, start + 18, " GMT")
    else { return nil }
    let thisYear = CivilDate(clamping: now).year
    var year = thisYear - thisYear % 100 + 100 + short
    while year > thisYear + 50 { year -= 100 }
    return seconds(max(year, 0), month, day, time)
  }

  /// `Sun Nov  6 08:49:37 1994`
  private static func asctime(_ text: Span<UInt8>) -> Int64? {
    guard text.count == 24, weekday(text, 0) != nil, text[3] == 0x20, let month = month(text, 4),
      text[7] == 0x20,
      let day = text[8] == 0x20 ? number(text, 9, 1) : number(text, 8, 2), text[10] == 0x20,
      let time = time(text, 11), text[19] == 0x20, let year = number(text, 20, 4)
    else { return nil }
    return seconds(year, month, day, time)
  }

  private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
    guard day >= 1, day <= CivilDate.days(in: month, of: year) else { return nil }
    return CivilDate.days(year, month, day) * 86400 + Int64(time)
  }

  /// `08:49:37` as seconds of the day; second 60 is a leap second and counts as the next minute.
  private static func time(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard let hour = number(text, start, 2), hour < 24, text[start + 2] == 0x3A,
      let minute = number(text, start + 3, 2), minute < 60, text[start + 5] == 0x3A,
      let second = number(text, start + 6, 2), second <= 60
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: Span<UInt8>, _ start: Int, _ digits: Int) -> Int? {
    var value = 0
    for index in start..<start + digits {
      guard text[index].isDigit else { return nil }
      value = value * 10 + Int(text[index] - 0x30)
    }
    return value
  }

  private static func month(_ text: Span<UInt8>, _ start: Int) -> Int? {
    name(text, start, "JanFebMarAprMayJunJulAugSepOctNovDec", 12).map { $0 + 1 }
  }

  private static func weekday(_ text: Span<UInt8>, _ start: Int) -> Int? {
    name(text, start, "SunMonTueWedThuFriSat", 7)
  }

  /// Whether the first `end` bytes are a day's whole name.
  private static func isLongWeekday(_ text: Span<UInt8>, _ end: Int) -> Bool {
    let rests: [StaticString] = ["day", "day", "sday", "nesday", "rsday", "day", "urday"]
    guard end > 3, let day = weekday(text, 0) else { return false }
    return end == 3 + rests[day].utf8CodeUnitCount && matches(text, 3, rests[day])
  }

  /// Which of the three-letter names stands at `start`; case-sensitive (RFC 9110 §5.6.7).
  private static func name(
    _ text: Span<UInt8>, _ start: Int, _ names: StaticString, _ count: Int
  ) -> Int? {
    for candidate in 0..<count
    where text[start] == letter(names, candidate * 3)
      && text[start + 1] == letter(names, candidate * 3 + 1)
      && text[start + 2] == letter(names, candidate * 3 + 2)
    {
      return candidate
    }
    return nil
  }

  private static func matches(_ text: Span<UInt8>, _ start: Int, _ expected: StaticString) -> Bool {
    ByteScan.equals(text, start..<start + expected.utf8CodeUnitCount, expected)
  }

  private static func letter(_ text: StaticString, _ index: Int) -> UInt8 {
    ByteScan.byte(text, index)
  }

  private static func twoDigits(_ text: inout InlineArray<29, UInt8>, _ start: Int, _ value: Int) {
    text[start] = 0x30 + UInt8(truncatingIfNeeded: value / 10 % 10)
    text[start + 1] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
  }
}

/// A date of the proleptic Gregorian calendar in UTC.
struct CivilDate {
  let year, month, day, hour, minute, second, weekday: Int

  /// The date of a time; years 0 to 9999, nearer ends otherwise.
  init(clamping seconds: Int64) {
    let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
    let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
    let rest = Int(seconds - days * 86400)
    hour = rest / 3600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = Int(((days + 4) % 7 + 7) % 7)
    // Days since 0000-03-01, in eras of 400 years (146,097 days); March is month 0.
    let shifted = Int(days) + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01 to a date.
  static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear
    return Int64(era * 146_097 + ofEra - 719_468)
  }

  static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }
}
