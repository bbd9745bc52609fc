// NumberText.swift — formats numbers for people and for scripts, independent of the locale.

extension Double {
  /// At most `count` significant digits: `1482.3`, `0.00012`, `1e-06`; `nan` and `inf` as Swift writes them.
  func digits(_ count: Int) -> String {
    guard isFinite, self != 0 else { return self == 0 ? "0" : "\(self)" }
    // 10^exponent <= |self| < 10^(exponent + 1)
    var (exponent, power) = (0, abs(self))
    while power >= 10, exponent < 308 { (power, exponent) = (power / 10, exponent + 1) }
    while power < 1, exponent > -308 { (power, exponent) = (power * 10, exponent - 1) }
    var value = self
    let places = count - 1 - exponent
    if abs(places) <= 22 {
      var scale = 1.0
      for _ in 0..<abs(places) { scale *= 10 }
      value = places >= 0 ? (self * scale).rounded() / scale : (self / scale).rounded() * scale
    }
    if let whole = Int(exactly: value), abs(whole) < 1_000_000_000_000_000 { return "\(whole)" }
    return "\(value)"
  }

  /// The number for people: four digits, a true minus sign, grouped thousands, and a dash for NaN.
  var short: String {
    if isNaN { return "–" }
    if isInfinite { return self > 0 ? "∞" : "−∞" }
    let text = abs(self) >= 1000 && abs(self) < 1e15 ? Int(self.rounded()).grouped : digits(4)
    return text.hasPrefix("-") ? "−" + text.dropFirst() : text
  }

  /// The number beside an axis, where neighbours may differ in a late digit: seven digits.
  var tick: String {
    let parts = abs(self).digits(7).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    // "1e-06" has no whole part to group
    let whole = Int(parts[0])?.grouped ?? parts[0]
    return ([(self < 0 ? "−" : "") + whole] + parts.dropFirst()).joined(separator: ".")
  }

  /// A mean with its standard deviation, which has as many decimals, but at least one: `138.9 ± 4.8`. NaN: no deviation.
  func text(deviation: Double) -> String {
    guard deviation.isFinite, deviation < 1000 else { return short + (deviation.isNaN ? "" : " ± \(deviation.short)") }
    let decimals = max(1, short.split(separator: ".").dropFirst().first?.count ?? 0)
    var scale = 1.0
    for _ in 0..<min(12, decimals) { scale *= 10 }
    let rounded = (deviation * scale).rounded() / scale
    return "\(short) ± \(rounded == 0 ? deviation.digits(1) : rounded.digits(7))"
  }
}

extension Int {
  /// With commas between thousands.
  var grouped: String {
    let digits = String(magnitude)
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}

/// Seconds as 1:02:03.
func clockText(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
  let whole = Int(seconds)
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  return whole >= 3600
    ? "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))" : "\(whole / 60):\(two(whole % 60))"
}
