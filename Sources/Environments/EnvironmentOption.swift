// EnvironmentOption.swift — what can be set of an environment: name, default and what is allowed.

import Platform

/// One option of an environment, declared in its entry.
///
/// Environments of Gymnasium have its arguments under their own names, so that a setting means the same there.
public struct EnvironmentOption: Sendable, Equatable {
  /// Its name, which is Gymnasium's where it has the argument.
  public let name: String
  /// Its value where nobody sets it.
  public let defaultValue: EnvironmentOptions.Value
  /// One line for `list`.
  public let summary: String
  /// What it may be.
  public let allowed: Allowed

  /// What an option may be.
  public enum Allowed: Sendable, Equatable {
    /// True or false.
    case flag
    /// A finite number within bounds.
    case number(ClosedRange<Double>)
    /// A whole number within bounds.
    case whole(ClosedRange<Int>)
    /// Two numbers, the lower first; they may be infinite.
    case interval
    /// A part of a model: its place among those of its kind, or its name.
    case part(ClosedRange<Int>)
    /// Control steps, at least 1, or −1 for no limit.
    case stepLimit
  }

  private init(
    _ name: String, _ defaultValue: EnvironmentOptions.Value, _ allowed: Allowed, _ summary: String
  ) {
    self.name = name
    self.defaultValue = defaultValue
    self.allowed = allowed
    self.summary = summary
    precondition(allows(defaultValue), "the default of the option \(name) is \(defaultValue), not \(allowedText)")
  }

  /// An option that is true or false.
  public static func flag(_ name: String, _ value: Bool, _ summary: String) -> EnvironmentOption {
    EnvironmentOption(name, .flag(value), .flag, summary)
  }

  /// An option that is a finite number within bounds.
  public static func number(
    _ name: String, _ value: Double, in range: ClosedRange<Double> = -Double.infinity...Double.infinity,
    _ summary: String
  ) -> EnvironmentOption {
    EnvironmentOption(name, .number(value), .number(range), summary)
  }

  /// An option that is a whole number within bounds.
  public static func whole(
    _ name: String, _ value: Int, in range: ClosedRange<Int>, _ summary: String
  ) -> EnvironmentOption {
    EnvironmentOption(name, .number(Double(value)), .whole(range), summary)
  }

  /// An option that is two numbers, the lower first.
  public static func interval(_ name: String, _ value: ClosedRange<Double>, _ summary: String) -> EnvironmentOption {
    EnvironmentOption(name, .numbers([value.lowerBound, value.upperBound]), .interval, summary)
  }

  /// An option that is a part of a model, by its place or its name.
  public static func part(
    _ name: String, _ value: Int, of range: ClosedRange<Int>, _ summary: String
  ) -> EnvironmentOption {
    EnvironmentOption(name, .number(Double(value)), .part(range), summary)
  }

  static let stepLimitName = "max_episode_steps"

  /// The option that every environment has, as `gymnasium.make` has it.
  static func stepLimit(_ steps: Int?) -> EnvironmentOption {
    EnvironmentOption(
      stepLimitName, .number(Double(steps ?? -1)), .stepLimit, "control steps after which an episode is truncated")
  }

  func allows(_ value: EnvironmentOptions.Value) -> Bool {
    switch (allowed, value) {
    case (.flag, .flag): true
    case (.number(let range), .number(let number)): number.isFinite && range.contains(number)
    case (.whole(let range), .number(let number)), (.part(let range), .number(let number)):
      Int(exactly: number).map(range.contains) ?? false
    case (.part, .text(let name)): !name.isEmpty
    case (.interval, .numbers(let bounds)): bounds.count == 2 && bounds[0] <= bounds[1]
    case (.stepLimit, .number(let number)): Int(exactly: number).map { $0 == -1 || 1...1 << 31 ~= $0 } ?? false
    default: false
    }
  }

  /// What is allowed, for `list` and messages.
  public var allowedText: String {
    switch allowed {
    case .flag: "true or false"
    case .number(let range):
      switch (range.lowerBound.isFinite, range.upperBound.isFinite) {
      case (false, false): "a number"
      case (true, false): "a number, at least \(EnvironmentOptions.Value.number(range.lowerBound))"
      default: "a number in [\(EnvironmentOptions.Value.numbers([range.lowerBound, range.upperBound]))]"
      }
    case .whole(let range): "a whole number in [\(range.lowerBound), \(range.upperBound)]"
    case .interval: "two numbers, the lower first, such as -1,1"
    case .part(let range): "a whole number in [\(range.lowerBound), \(range.upperBound)], or a name"
    case .stepLimit: "a whole number, at least 1, or -1 for no limit"
    }
  }
}

/// An option that an environment does not have, or does not take.
public enum EnvironmentOptionError: Error, RemediableError, Equatable, CustomStringConvertible {
  /// The environment has no option of that name.
  case unknown(name: String, environment: String, nearest: String?)
  /// The option cannot have that value.
  case notAllowed(name: String, value: String, environment: String, allowed: String)

  /// What is wrong with which option, in one line.
  public var description: String {
    switch self {
    case .unknown(let name, let environment, let nearest):
      "\(environment) has no option \(name.debugDescription)\(nearest.map { ": did you mean \($0)?" } ?? "")"
    case .notAllowed(let name, let value, let environment, let allowed):
      "the option \(name) of \(environment) cannot be \(value.debugDescription): it must be \(allowed)"
    }
  }

  package var remedies: [Remedy] {
    switch self {
    case .unknown(_, let environment, _): [.listOptions(environment: environment)]
    case .notAllowed: []
    }
  }
}

extension [EnvironmentOption] {
  /// Every option with its value, given or default.
  ///
  /// - Throws: `EnvironmentOptionError` for a name that is not declared, or a value that is not allowed.
  func completing(
    _ given: EnvironmentOptions, for environment: String
  ) throws(EnvironmentOptionError) -> EnvironmentOptions {
    for name in given.names {
      guard let option = first(where: { $0.name == name }) else {
        let distances = map { (name: $0.name, distance: editDistance(name.lowercased(), $0.name)) }
        let nearest = distances.min { $0.distance < $1.distance }
        throw .unknown(
          name: name, environment: environment,
          nearest: nearest.flatMap { $0.distance <= Swift.max(2, name.count / 3) ? $0.name : nil })
      }
      let value = given[name]!
      guard option.allows(value) else {
        throw .notAllowed(
          name: name, value: value.description, environment: environment, allowed: option.allowedText)
      }
    }
    var all = EnvironmentOptions()
    for option in self { all[option.name] = given[option.name] ?? option.defaultValue }
    return all
  }
}
