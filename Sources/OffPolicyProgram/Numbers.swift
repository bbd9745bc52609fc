// Numbers.swift — reads whole numbers as people type them, and holds the ranges of options.

import ArgumentParser
import OffPolicy

/// Reads a whole number: `1000000`, `1_000_000`, `1,000,000` or `1e6`.
@Sendable func wholeNumber(_ text: String) throws -> Int {
  // commas stand between groups of three: 1,5 is no 15
  let groups = text.split(separator: ",", omittingEmptySubsequences: false)
  guard groups.dropFirst().allSatisfy({ $0.count == 3 && $0.allSatisfy(\.isNumber) }),
    groups.count == 1 || !groups[0].isEmpty
  else { throw NotAWholeNumber() }
  let digits = text.filter { $0 != "_" && $0 != "," }
  if let value = Int(digits) { return value }
  guard let value = plainDouble(digits) else { throw NotAWholeNumber() }
  // beyond 2⁵³ a number with an exponent is not exact; the range of every option ends before that
  guard value == value.rounded(), abs(value) <= 0x1p53 else {
    throw value == value.rounded() ? NotAWholeNumber(reason: "it is too large") : NotAWholeNumber()
  }
  return Int(value)
}

/// Reads a seed.
@Sendable func seedNumber(_ text: String) throws -> UInt64 {
  if let value = UInt64(text) { return value }
  guard let value = try? wholeNumber(text), value >= 0 else {
    throw NotAWholeNumber(reason: "give a whole number from 0 to \(UInt64.max)")
  }
  return UInt64(value)
}

/// A decimal number; not "nan", "inf" or a hexadecimal one, which `Double` reads too.
private func plainDouble(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text) else { return nil }
  return value.isFinite ? value : nil
}

/// Why a text was not read.
private struct NotAWholeNumber: Error, CustomStringConvertible {
  var reason = "give a whole number, such as 1000000, 1_000_000 or 1e6"
  var description: String { reason }
}

extension ClosedRange<Int> {
  /// Throws when an option has a value outside.
  func check(_ value: Int?, _ flag: String) throws {
    guard let value, !contains(value) else { return }
    throw ValidationError("\(flag) must be \(lowerBound.text) to \(upperBound.text), not \(value.text)")
  }
}

/// The ranges of options that several commands have. Sums and products of numbers within them do not overflow.
enum Limits {
  static let steps = RunConfiguration.Limits.steps
  static let stepsOrNone = 0...RunConfiguration.Limits.steps.upperBound
  static let threads = RunConfiguration.Limits.threads
  static let environments = RunConfiguration.Limits.environments
  static let episodes = RunConfiguration.Limits.evaluationEpisodes
  /// Steps that are kept in memory.
  static let collected = 1...1_000_000_000_000
  /// Values of an observation or an action.
  static let size = 1...1 << 20
}
