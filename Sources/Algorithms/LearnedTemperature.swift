// LearnedTemperature.swift — α of the soft actor-critics: kept as log α, learned by Adam or fixed (N14).

import Kernels
import Networks

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// α, the weight of the entropy against the reward, as a setting.
public enum Temperature: Codable, Sendable, Equatable {
  /// α is learned, beginning with this value.
  case learned(initial: Float)
  /// α stays at this value.
  case fixed(value: Float)
}

/// α and, where it is learned, its optimiser.
public final class LearnedTemperature {
  /// log α where it is fixed.
  private let fixed: Double?
  private var logarithm: Double
  private var settings: AdamSettings
  private var optimizer = ScalarAdam()

  /// - Parameters:
  ///   - setting: α at the start, and whether it is learned.
  ///   - settings: those of its optimiser.
  public init(_ setting: Temperature, _ settings: AdamSettings) {
    self.settings = settings
    switch setting {
    case .learned(let initial): (fixed, logarithm) = (nil, log(Double(initial)))
    case .fixed(let value):
      logarithm = log(Double(value))
      fixed = logarithm
    }
  }

  /// α
  public var value: Double { exp(logarithm) }

  /// η of its optimiser from the next step on; its schedule goes on.
  public var learningRate: Float {
    get { Float(settings.learningRate) }
    set { settings.learningRate = Double(newValue) }
  }

  /// Steps log α along a gradient, unless α is fixed.
  ///
  /// - Parameter update: the number of the update in the run, for the schedule of the rate.
  public func step(gradient: @autoclosure () -> Double, atUpdate update: Int) {
    if fixed == nil { optimizer.step(&logarithm, gradient: gradient(), settings, atUpdate: update) }
  }

  /// log α, rounded, as the tensor `log_temperature`.
  public func codeParameters(_ coder: inout StateCoder) throws {
    let name = "log_temperature"
    let tensor = Tensor(name: name, shape: [1], values: [Float(logarithm)])
    try coder.code([tensor]) { logarithm = try $0(name).single() }
  }

  /// log α in full and its optimiser. A fixed α stays what the settings say, whatever it was in the state that is read.
  public func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("log_temperature", &logarithm)
    if let fixed { logarithm = fixed }
    try coder.code("temperature_optimizer.first", &optimizer.firstMoment)
    try coder.code("temperature_optimizer.second", &optimizer.secondMoment)
    try coder.code("temperature_optimizer.steps", &optimizer.steps)
  }
}

extension Hyperparameter {
  /// α: learned from an initial value, or fixed.
  static func temperature(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "temperature", "α",
      cases: ["learned.initial": .real(0, excludingLower: true), "fixed.value": .real(0)],
      caseDefaults: ["learned.initial": .number(1)], bareNumber: "fixed.value",
      "weight of the entropy against the reward", source: source)
  }

  /// H̄ of continuous actions.
  static func targetEntropy(_ source: String, symbol: String = "H̄") -> Hyperparameter {
    Hyperparameter(
      "targetEntropy", symbol, .real(-.infinity), "entropy that α is tuned for; null means −A", source: source,
      isOptional: true)
  }
}
