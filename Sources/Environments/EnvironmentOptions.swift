// EnvironmentOptions.swift — values for an environment's options, by Gymnasium's argument names.

/// What is set of an environment's options, or, within an environment, all of them: names and values.
///
///     let entry = try registry.entry("HalfCheetah-v5").configured(["forward_reward_weight": 2])
///
/// As JSON it is one object; infinite numbers are the texts `inf` and `-inf`.
public struct EnvironmentOptions: Sendable, Equatable {
  /// By name; `names` has them in order.
  public private(set) var values: [String: Value] = [:]

  /// A value of an option.
  public enum Value: Sendable, Equatable {
    /// True or false.
    case flag(Bool)
    /// A number.
    case number(Double)
    /// Some numbers, such as the two of an interval.
    case numbers([Double])
    /// A name of something in a model.
    case text(String)
  }

  /// Nothing is set.
  public init() {}

  /// Whether nothing is set.
  public var isEmpty: Bool { values.isEmpty }
  /// Sorted.
  public var names: [String] { values.keys.sorted() }

  /// The value of an option; nil where it is not set.
  public subscript(name: String) -> Value? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// These options, and where both set one, the other's value.
  public func merging(_ other: EnvironmentOptions) -> EnvironmentOptions {
    var merged = self
    merged.values.merge(other.values) { $1 }
    return merged
  }
}

// What an environment reads: all of its options are there, with values of their kinds.
extension EnvironmentOptions {
  /// - Precondition: the environment declares `name` as a flag.
  public func flag(_ name: String) -> Bool {
    guard case .flag(let value) = values[name] else { preconditionFailure(undeclared(name, "flag")) }
    return value
  }

  /// - Precondition: the environment declares `name` as a number.
  public func number(_ name: String) -> Double {
    guard case .number(let value) = values[name] else { preconditionFailure(undeclared(name, "number")) }
    return value
  }

  /// - Precondition: the environment declares `name` as a whole number.
  public func whole(_ name: String) -> Int {
    guard let value = Int(exactly: number(name)) else { preconditionFailure(undeclared(name, "whole number")) }
    return value
  }

  /// - Precondition: the environment declares `name` as an interval.
  public func interval(_ name: String) -> ClosedRange<Double> {
    guard case .numbers(let values) = values[name], values.count == 2, values[0] <= values[1] else {
      preconditionFailure(undeclared(name, "interval"))
    }
    return values[0]...values[1]
  }

  private func undeclared(_ name: String, _ kind: String) -> String {
    "the option \(name) is not declared as a \(kind): \(self)"
  }
}

extension EnvironmentOptions: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Value)...) {
    for (name, value) in elements { values[name] = value }
  }
}

extension EnvironmentOptions: CustomStringConvertible {
  /// `ctrl_cost_weight=0.2 healthy_z_range=0.7,inf`
  public var description: String { names.map { "\($0)=\(values[$0]!)" }.joined(separator: " ") }
}

extension EnvironmentOptions.Value: ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral, ExpressibleByStringLiteral
{
  public init(booleanLiteral value: Bool) { self = .flag(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  public init(arrayLiteral elements: Double...) { self = .numbers(elements) }
  public init(stringLiteral value: String) { self = .text(value) }
}

extension EnvironmentOptions.Value: CustomStringConvertible {
  /// Reads what a person types, as Python writes it or shorter: `true` or `True`, `0.5`, `1,2`, `(1, 2)` or `[1,2]`,
  /// `inf`; anything else is a text.
  public init(text: String) {
    let trimmed = text.trimmingSpaces
    switch trimmed {
    case "true", "True": self = .flag(true)
    case "false", "False": self = .flag(false)
    default:
      let isList =
        trimmed.hasPrefix("(") && trimmed.hasSuffix(")") || trimmed.hasPrefix("[") && trimmed.hasSuffix("]")
      let inner = isList ? trimmed.dropFirst().dropLast() : trimmed[...]
      let parts = inner.split(separator: ",", omittingEmptySubsequences: false).map { Self.number(String($0)) }
      if isList || parts.count > 1, !parts.contains(nil) {
        self = .numbers(parts.compactMap { $0 })
      } else if let number = Self.number(trimmed) {
        self = .number(number)
      } else {
        self = .text(text)
      }
    }
  }

  /// A decimal number or an infinity.
  private static func number(_ text: String) -> Double? {
    let text = text.trimmingSpaces
    switch text {
    case "inf", "+inf": return .infinity
    case "-inf": return -.infinity
    // not "nan", "infinity" or hexadecimal, which Double reads too
    default: return text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) } ? Double(text) : nil
    }
  }

  /// As it can be typed: `init(text:)` reads it back.
  public var description: String {
    switch self {
    case .flag(let value): "\(value)"
    case .number(let value): Self.text(value)
    case .numbers(let values):
      values.count == 1 ? "[\(Self.text(values[0]))]" : values.map(Self.text).joined(separator: ",")
    case .text(let value): value
    }
  }

  private static func text(_ value: Double) -> String {
    // 1e300 is a whole number too, of 300 digits
    if abs(value) < 1e15, let whole = Int(exactly: value) { return "\(whole)" }
    return "\(value)"
  }
}

extension EnvironmentOptions: Codable {
  public init(from decoder: any Decoder) throws {
    values = try decoder.singleValueContainer().decode([String: Value].self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }
}

extension EnvironmentOptions.Value: Codable {
  public init(from decoder: any Decoder) throws {
    if var list = try? decoder.unkeyedContainer() {
      var numbers: [Double] = []
      while !list.isAtEnd {
        if let number = try? list.decode(Double.self) {
          numbers.append(number)
        } else {
          let text = try list.decode(String.self)
          guard let number = Self.number(text) else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "\(text) is not a number")
          }
          numbers.append(number)
        }
      }
      self = .numbers(numbers)
      return
    }
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      let text = try container.decode(String.self)
      self = Self.number(text).map { .number($0) } ?? .text(text)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .flag(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .number(let value):
      var container = encoder.singleValueContainer()
      if value.isFinite { try container.encode(value) } else { try container.encode(Self.text(value)) }
    case .numbers(let values):
      var container = encoder.unkeyedContainer()
      for value in values {
        if value.isFinite { try container.encode(value) } else { try container.encode(Self.text(value)) }
      }
    case .text(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    let bare = drop { $0 == " " }
    return String(bare.reversed().drop { $0 == " " }.reversed())
  }
}
