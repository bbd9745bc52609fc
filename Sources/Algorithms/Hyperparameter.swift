// Hyperparameter.swift — names, ranges and sources of hyperparameters, and how `key=value` sets one.

import Formats
import Platform

/// One property of an algorithm's configuration, as `list` shows it and `--set` checks it.
public struct Hyperparameter: Sendable {
  /// The property's name and `--set`'s key.
  public let name: String
  /// The symbol in the paper.
  public let symbol: String
  /// Its meaning, in a few words.
  public let summary: String
  /// Where the default comes from.
  public let source: String
  /// The allowed values: of the property itself, or of each number in its cases, such as `soft.rate`.
  public let ranges: [String: Interval]
  /// What numbers of cases are where a value does not say: `case.label` to its default. One whose default is null may be null.
  let caseDefaults: [String: JSONValue]
  /// Null is a value.
  let isOptional: Bool
  /// Of a property with cases, the number that a bare one is: `fixed.value`.
  let bareNumber: String?

  /// A hyperparameter with one range for its value; `source` says where the default comes from.
  public init(
    _ name: String, _ symbol: String, _ range: Interval, _ summary: String, source: String, isOptional: Bool = false
  ) {
    self.init(name, symbol, cases: ["": range], summary, source: source, isOptional: isOptional)
  }

  /// - Parameters:
  ///   - cases: the numbers of an enum's cases, `case.label` to their range; a case without numbers to `.nothing`.
  ///   - caseDefaults: the values of numbers that `key=value` leaves out.
  ///   - bareNumber: `case.label` of the number that one without a case is; nil: there must be a case.
  public init(
    _ name: String, _ symbol: String, cases: [String: Interval], caseDefaults: [String: JSONValue] = [:],
    bareNumber: String? = nil, _ summary: String, source: String, isOptional: Bool = false
  ) {
    (self.name, self.symbol, self.summary, self.source) = (name, symbol, summary, source)
    (self.ranges, self.caseDefaults, self.isOptional) = (cases, caseDefaults, isOptional)
    self.bareNumber = bareNumber
    precondition(bareNumber.map { cases[$0] != nil } ?? true, "\(name) has no number \(bareNumber ?? "")")
  }

  /// The allowed values in words.
  public var rangeText: String {
    ranges.sorted { $0.key < $1.key }.map { label, range in
      if label.isEmpty { return range.description }
      if range.isNothing { return label }
      let orNull = caseDefaults[label] == .null ? " or null" : ""
      return "\(label)\(range.isInteger ? ":" : " in") \(range)\(orNull)"
    }.joined(separator: ", ") + (isOptional ? " or null" : "")
  }

  /// Whether the value is a list of numbers.
  package var isList: Bool { ranges[""]?.isList == true }

  /// Whether a case can be said by its name alone: it has no numbers, or each of them has a default.
  func isWhole(_ label: String) -> Bool {
    let fields = ranges.keys.filter { $0.hasPrefix(label + ".") }
    return ranges[label]?.isNothing == true || !fields.isEmpty && fields.allSatisfy { caseDefaults[$0] != nil }
  }

  /// A value with the defaults of what its case does not say, a bare number in the case that it means, and a case by its name.
  func completed(_ value: JSONValue) -> JSONValue {
    if case .string(let label) = value, isWhole(label) { return completed(.object([label: .object([:])])) }
    if case .number = value, let parts = bareNumber?.split(separator: "."), parts.count == 2 {
      return completed(.object([String(parts[0]): .object([String(parts[1]): value])]))
    }
    guard case .object(let cases) = value, cases.count == 1, let (label, payload) = cases.first,
      case .object(var fields) = payload
    else { return value }
    for (key, number) in caseDefaults where key.hasPrefix(label + ".") {
      let field = String(key.dropFirst(label.count + 1))
      if fields[field] == nil { fields[field] = number }
    }
    return .object([label: .object(fields)])
  }

  /// What is allowed, for a message; where there are cases with an example of one.
  var allowedText: String {
    guard let path = bareNumber ?? ranges.keys.sorted().first(where: { $0.contains(".") }) else { return rangeText }
    return rangeText
      + "; such as \(name).\(path)=\(path == "soft.rate" ? "0.01" : ranges[path]?.isInteger == true ? "2" : "0.2")"
  }

  /// Checks a value of this property.
  func check(_ value: JSONValue) throws(ConfigurationError) {
    func fail() -> ConfigurationError {
      .outOfRange(key: name, value: value.text(), allowed: allowedText)
    }
    switch value {
    case .null:
      guard isOptional else { throw fail() }
    case .object(let cases):
      guard cases.count == 1, let (label, payload) = cases.first, !label.isEmpty,
        case .object(let fields) = payload
      else {
        throw fail()
      }
      let expected = ranges.filter { $0.key.hasPrefix(label + ".") || $0.key == label }
      guard !expected.isEmpty, fields.count == expected.filter({ $0.key != label }).count else { throw fail() }
      for (field, number) in fields where number != .null || caseDefaults["\(label).\(field)"] != .null {
        guard let range = ranges["\(label).\(field)"], case .number(let number) = number, range.contains(number) else {
          throw fail()
        }
      }
    case .array(let numbers):
      guard let range = ranges[""], range.isList, !numbers.isEmpty else { throw fail() }
      for number in numbers {
        guard case .number(let number) = number, range.contains(number) else { throw fail() }
      }
    case .number(let number):
      guard let range = ranges[""], !range.isList, !range.isBoolean, range.contains(number) else { throw fail() }
    case .bool:
      guard ranges[""]?.isBoolean == true else { throw fail() }
    case .string:
      throw fail()
    }
  }
}

/// Numbers between two bounds.
public struct Interval: Sendable, Equatable, CustomStringConvertible {
  let lower: Double
  let upper: Double
  let excludesLower: Bool
  let excludesUpper: Bool
  let isInteger: Bool
  let isList: Bool
  var isBoolean = false
  var isNothing = false

  /// A real number; both bounds are included by default.
  public static func real(
    _ lower: Double, _ upper: Double = .infinity, excludingLower: Bool = false, excludingUpper: Bool = false
  ) -> Interval {
    Interval(
      lower: lower, upper: upper, excludesLower: excludingLower, excludesUpper: excludingUpper, isInteger: false,
      isList: false)
  }

  /// A whole number; both bounds are included.
  public static func whole(_ lower: Int, _ upper: Int = 1_000_000_000) -> Interval {
    Interval(
      lower: Double(lower), upper: Double(upper), excludesLower: false, excludesUpper: false, isInteger: true,
      isList: false)
  }

  /// A list of one or more whole numbers; both bounds are included.
  public static func wholes(_ lower: Int, _ upper: Int) -> Interval {
    Interval(
      lower: Double(lower), upper: Double(upper), excludesLower: false, excludesUpper: false, isInteger: true,
      isList: true)
  }

  /// True or false.
  public static let boolean = Interval(
    lower: 0, upper: 1, excludesLower: false, excludesUpper: false, isInteger: true, isList: false, isBoolean: true)

  /// The range of a case without a number.
  public static let nothing = Interval(
    lower: 0, upper: 0, excludesLower: true, excludesUpper: true, isInteger: false, isList: false, isNothing: true)

  func contains(_ value: Double) -> Bool {
    // a property is a Float or an Int: what neither can hold is no value
    value.isFinite && (isInteger ? value == value.rounded() : value == 0 || Float(value).isNormal)
      && (excludesLower ? value > lower : value >= lower) && (excludesUpper ? value < upper : value <= upper)
  }

  public var description: String {
    func text(_ bound: Double) -> String {
      bound.isInfinite ? (bound > 0 ? "∞" : "−∞") : Int(exactly: bound).map(String.init) ?? "\(bound)"
    }
    if isBoolean { return "true or false" }
    if isNothing { return "{}" }
    let left = excludesLower || lower.isInfinite ? "(" : "["
    let right = excludesUpper || upper.isInfinite ? ")" : "]"
    let range = "\(left)\(text(lower)), \(text(upper))\(right)"
    return isList ? "whole numbers in \(range)" : isInteger ? "a whole number in \(range)" : range
  }
}

/// The error for a configuration that cannot be used, in one line.
public enum ConfigurationError: Error, RemediableError, Equatable, CustomStringConvertible {
  /// An unknown name, with the names that were probably meant.
  case unknownKey(String, meant: [String])
  /// A value outside its range.
  case outOfRange(key: String, value: String, allowed: String)
  /// Text that is not a configuration.
  case malformed(String)

  public var description: String {
    switch self {
    case .unknownKey(let key, let meant):
      "there is no hyperparameter \(key.debugDescription)"
        + (meant.isEmpty ? "" : ": did you mean \(meant.joined(separator: " or "))?")
    case .outOfRange(let key, let value, let allowed):
      "\(key) cannot be \(value.isEmpty ? "empty" : value): it must be \(allowed)"
    case .malformed(let text):
      text
    }
  }

  package var remedies: [Remedy] {
    if case .unknownKey = self { return [.list(shows: "all of them")] }
    return []
  }
}
