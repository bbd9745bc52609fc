// AlgorithmConfiguration.swift — what every algorithm's configuration has, and how it is read from outside.

import Formats
import Replay

/// An algorithm's hyperparameters: a `Codable` struct with a default for every property.
///
/// Run files, checkpoints, `list` and `--set` all read this one struct.
public protocol AlgorithmConfiguration: Codable, Sendable, Equatable {
  /// The defaults.
  init()
  /// Every property, in the order that `list` shows them.
  static var hyperparameters: [Hyperparameter] { get }

  // what the training loop needs to know
  /// γ
  var discount: Float { get }
  /// n, the steps of a return before the critic's value takes over.
  var nSteps: Int { get }
  /// How the rows of a batch are chosen.
  var sampler: SamplerConfiguration { get }
  /// Observations are normalised by their running mean and deviation.
  var normalizeObservations: Bool { get }
  /// Rewards are divided by the running deviation of the discounted return.
  var scaleRewards: Bool { get }
  /// Largest discounted return that scaled rewards may add up to; nil: no bound.
  var returnBound: Float? { get }
  /// B, transitions in an update.
  var batchSize: Int { get }
  /// How it collects in its task; nil for an algorithm that learns from fixed data. See `CollectingConfiguration`.
  var collection: CollectionSettings? { get }
  /// ε: the data's states are normalised to mean 0 and deviation 1, with ε added to the deviations; nil leaves them as they are.
  var dataNormalization: Float? { get }

  /// Throws where settings that are allowed each have no meaning together.
  func check() throws(ConfigurationError)

  /// The configuration of a run of some updates: what shall last as long as the run does, and says no number.
  func lasting(updates: Int) -> Self
}

extension AlgorithmConfiguration {
  public var nSteps: Int { 1 }
  public var sampler: SamplerConfiguration { .uniform }
  public var collection: CollectionSettings? { nil }
  public var dataNormalization: Float? { nil }
  public var normalizeObservations: Bool { false }
  public var scaleRewards: Bool { false }
  public var returnBound: Float? { nil }
  /// The return that targets are made of.
  package var returns: NStepReturn { NStepReturn(discount: discount, steps: nSteps) }

  public func lasting(updates: Int) -> Self { self }
  public func check() throws(ConfigurationError) {}
}

extension AlgorithmConfiguration {
  /// The defaults, with the given keys set: strict about names and ranges.
  ///
  /// - Parameter values: a JSON object; keys that are missing take their defaults.
  public init(_ values: JSONValue) throws {
    guard case .object(let given) = values else {
      throw ConfigurationError.malformed("a configuration is a JSON object, not \(values.text())")
    }
    var members = try Self.members(of: Self())
    for (key, value) in given {
      let hyperparameter = try Self.hyperparameter(key)
      let value = hyperparameter.completed(value)
      try hyperparameter.check(value)
      members[key] = value
    }
    self = try JSONValue.object(members).decode(Self.self)
    try check()
  }

  /// This configuration with `key=value` settings applied, in their order.
  ///
  /// A key may reach into a case: `temperature.learned.initial=0.1`. A value is JSON, or numbers with commas for a list,
  /// or the name of a case without numbers, `policyGradient=pathwise`, or whose numbers all have defaults.
  public func setting(_ assignments: [String]) throws -> Self {
    var members = try Self.members(of: self)
    for assignment in assignments {
      guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
        throw ConfigurationError.malformed(
          "\(assignment.debugDescription) is not key=value, such as discount=0.98")
      }
      let path = assignment[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      let text = String(assignment[assignment.index(after: equals)...])
      let hyperparameter = try Self.hyperparameter(path[0])
      let value = hyperparameter.completed(
        try parse(text, for: hyperparameter, path: path.dropFirst().map { $0 }, current: members[hyperparameter.name]))
      try hyperparameter.check(value)
      members[hyperparameter.name] = value
    }
    let configuration = try JSONValue.object(members).decode(Self.self)
    try configuration.check()
    return configuration
  }

  /// All properties as JSON, nulls included.
  public var values: JSONValue { (try? Self.members(of: self)).map(JSONValue.object) ?? .null }

  private static func members(of configuration: Self) throws -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    let encoded = try JSONValue(encoding: configuration)
    for hyperparameter in hyperparameters { members[hyperparameter.name] = encoded[hyperparameter.name] ?? .null }
    return members
  }

  private static func hyperparameter(_ key: String) throws(ConfigurationError) -> Hyperparameter {
    if let found = hyperparameters.first(where: { $0.name == key }) { return found }
    throw .unknownKey(key, meant: meantNames(by: key, among: hyperparameters.map(\.name)))
  }

  /// - Parameter current: the property's value so far: a case's other numbers stay.
  private func parse(
    _ text: String, for hyperparameter: Hyperparameter, path: [String], current: JSONValue?
  ) throws -> JSONValue {
    func outOfRange() -> ConfigurationError {
      .outOfRange(
        key: ([hyperparameter.name] + path).joined(separator: "."), value: text, allowed: hyperparameter.allowedText)
    }
    if path.isEmpty, hyperparameter.isWhole(text) { return .object([text: .object([:])]) }
    let isList = hyperparameter.ranges[""]?.isList == true && !(hyperparameter.isOptional && text == "null")
    // 1_000_000 as Swift and Python write it
    let plain = text.utf8.allSatisfy { "0123456789_+-.eE".utf8.contains($0) } ? text.filter { $0 != "_" } : text
    guard let value = try? JSONValue(text: isList && !text.hasPrefix("[") ? "[\(text)]" : plain) else {
      throw outOfRange()
    }
    switch path.count {
    case 0: return value
    case 1: return .object([path[0]: value])
    case 2:
      // the case's other numbers stay as they were set before
      var members: [String: JSONValue] = [:]
      if case .object(let now) = current?[path[0]] { members = now }
      members[path[1]] = value
      return .object([path[0]: .object(members)])
    default: throw outOfRange()
    }
  }
}

/// How targets follow what they track (N4).
public enum TargetTracking: Codable, Sendable, Equatable {
  /// θ̄ ← τ θ + (1 − τ) θ̄ at every step of the targets.
  case soft(rate: Float)
  /// θ̄ ← θ at every n-th update.
  case hard(every: Int)

  /// The rate at which targets move at update n (from 1), or nil if they stay.
  ///
  /// - Parameter delay: soft targets move at every `delay`-th update (TD3's d).
  public func rate(atUpdate n: Int, delay: Int = 1) -> Float? {
    switch self {
    case .soft(let rate): n % delay == 0 ? rate : nil
    // differs: by the count of updates alone, also for TD3; no known TD3 offers hard targets
    case .hard(let every): n % every == 0 ? 1 : nil
    }
  }
}

// MARK: properties that several algorithms have

extension Hyperparameter {
  /// γ, in [0, 1].
  public static func discount(_ source: String) -> Hyperparameter {
    Hyperparameter("discount", "γ", .real(0, 1), "weight of the next step's value", source: source)
  }

  /// τ, or the number of updates between copies.
  public static func targetTracking(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "targetTracking", "τ", cases: ["soft.rate": .real(0, 1, excludingLower: true), "hard.every": .whole(1)],
      bareNumber: "soft.rate",
      "how target networks follow: softly at each update, or a copy at every n-th", source: source)
  }

  /// B
  public static func batchSize(_ source: String) -> Hyperparameter {
    Hyperparameter("batchSize", "B", .whole(1, 65_536), "transitions in an update", source: source)
  }

  /// Units in each hidden layer.
  public static func hiddenSizes(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "hiddenSizes", "H", .wholes(1, 16_384), "units in each hidden layer, of all networks", source: source)
  }

  /// A rate of Adam's.
  public static func learningRate(_ name: String, _ summary: String, _ source: String) -> Hyperparameter {
    Hyperparameter(name, "η", .real(0, 1, excludingLower: true), summary, source: source)
  }

  /// d, where the policy steps at every d-th update.
  static func policyDelay(_ source: String) -> Hyperparameter {
    Hyperparameter("policyDelay", "d", .whole(1), "the policy steps at every d-th update", source: source)
  }

  /// Noise on actions while collecting.
  public static func explorationNoise(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "explorationNoise", "σ",
      cases: [
        "gaussian.standardDeviation": .real(0, 10),
        "ornsteinUhlenbeck.standardDeviation": .real(0, 10),
        "ornsteinUhlenbeck.stiffness": .real(0, 100),
        "ornsteinUhlenbeck.timestep": .real(0, 1, excludingLower: true),
      ], bareNumber: "gaussian.standardDeviation",
      "noise added to actions while collecting, in units of [−1, 1]", source: source)
  }

  /// Transitions kept for replay.
  public static func bufferCapacity(_ source: String) -> Hyperparameter {
    Hyperparameter("bufferCapacity", "|D|", .whole(1), "transitions kept for replay", source: source)
  }

  /// First steps with uniformly drawn actions.
  public static func randomSteps(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "randomSteps", "", .whole(0), "first steps with actions drawn uniformly, before any update", source: source)
  }

  /// Environment steps between rounds of updates.
  public static let updateEvery = Hyperparameter(
    "updateEvery", "", .whole(1), "environment steps between rounds of updates",
    source: "one update per step: all papers")

  /// Updates to an environment step.
  public static let updatesPerStep: Hyperparameter = updatesPerStep("one update per step: all papers")

  /// Updates to an environment step.
  public static func updatesPerStep(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "updatesPerStep", "", .real(0.05, 1_000), "updates per environment step; 0.25 is one for four steps",
      source: source)
  }

  /// Steps of a return.
  public static let nSteps = Hyperparameter(
    "nSteps", "n", .whole(1, 32), "steps of a return before the critic's value takes over",
    source: "one step: all papers; Hessel 2018 has 3")

  /// How the rows of a batch are chosen.
  public static let sampler = Hyperparameter(
    "sampler", "",
    cases: [
      "uniform": .nothing, "prioritised.alpha": .real(0, 1), "prioritised.beta": .real(0, 1),
      "prioritised.betaSteps": .whole(0), "prioritised.epsilon": .real(0, 1, excludingLower: true),
      "hindsight.goals": .whole(1, 100), "hindsightFinal.goals": .whole(1, 100),
      "hindsightEpisode.goals": .whole(1, 100),
    ],
    caseDefaults: [
      "prioritised.alpha": .number(0.6), "prioritised.beta": .number(0.4), "prioritised.betaSteps": .number(1_000_000),
      "prioritised.epsilon": .number(1e-6), "hindsight.goals": .number(4),
      "hindsightFinal.goals": .number(4), "hindsightEpisode.goals": .number(4),
    ],
    "how the rows of a batch are chosen", source: "uniform: all papers; Schaul 2016; Andrychowicz 2017")

  static let normalizeObservations = Hyperparameter(
    "normalizeObservations", "", .boolean, "observations by their running mean and deviation, clipped to ±10",
    source: "off: SAC, TD3, DDPG; on: FlashSAC, SimbaV2")

  static let scaleRewards = Hyperparameter(
    "scaleRewards", "", .boolean, "rewards by the running deviation of the discounted return",
    source: "off: SAC, TD3, DDPG; on: FlashSAC, XQC")

  static let returnBound = Hyperparameter(
    "returnBound", "G", .real(0, excludingLower: true),
    "with scaleRewards: bound of the scaled discounted return; null: none", source: "none: XQC; FlashSAC has 5",
    isOptional: true)
}
