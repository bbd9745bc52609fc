// Evaluator.swift — how good a policy is: whole episodes without exploration, on a task and seeds of their own.

import Environments

/// The returns of some episodes.
public struct Evaluation: Sendable, Equatable {
  public var returns: [Double]
  public var lengths: [Int]
  /// Episodes that the simulator broke off. They count as far as they went.
  public var faults = 0

  public init(returns: [Double], lengths: [Int]) {
    (self.returns, self.lengths) = (returns, lengths)
  }

  public var episodes: Int { returns.count }
  public var mean: Double { returns.reduce(0, +) / Double(max(1, returns.count)) }
  /// Standard deviation over the episodes, of the population.
  public var standardDeviation: Double {
    let mean = mean
    return (returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, returns.count))).squareRoot()
  }
  public var minimum: Double { returns.min() ?? .nan }
  public var maximum: Double { returns.max() ?? .nan }
  public var meanLength: Double { Double(lengths.reduce(0, +)) / Double(max(1, lengths.count)) }
}

/// Runs episodes in an environment that nothing else uses.
public struct Evaluator {
  private let environment: any Environment

  public init(_ environment: any Environment) { self.environment = environment }

  /// Runs `episodes` episodes with seeds `firstSeed`, `firstSeed + 1`, … and actions from `act`.
  ///
  /// - Parameter isCancelled: asked after each episode; what was run so far is then returned.
  public func run(
    episodes: Int, firstSeed: UInt64, isCancelled: () -> Bool = { false },
    act: (Span<Float>, inout MutableSpan<Float>) -> Void
  ) throws -> Evaluation {
    var evaluation = Evaluation(returns: [], lengths: [])
    var observation = [Float](repeating: 0, count: environment.observationSpace.count)
    var action = [Float](repeating: 0, count: environment.actionSpace.count)
    for episode in 0..<episodes where !isCancelled() {
      var total = 0.0
      var length = 0
      do {
        var span = observation.mutableSpan
        try environment.reset(seed: firstSeed &+ UInt64(episode), into: &span)
        var hasEnded = false
        while !hasEnded {
          var actionSpan = action.mutableSpan
          act(observation.span, &actionSpan)
          var observationSpan = observation.mutableSpan
          let outcome = try environment.step(action.span, into: &observationSpan)
          total += outcome.reward
          length += 1
          hasEnded = outcome.endsEpisode
        }
      } catch is SimulatorFault {
        evaluation.faults += 1
      }
      evaluation.returns.append(total)
      evaluation.lengths.append(length)
    }
    return evaluation
  }
}
