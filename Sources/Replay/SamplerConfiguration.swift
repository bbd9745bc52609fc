// SamplerConfiguration.swift — which sampler chooses the rows of a batch, and its settings.

/// How the rows of a batch are chosen from the replay buffer.
public enum SamplerConfiguration: Codable, Sendable, Equatable {
  /// Every transition alike.
  case uniform
  /// Transitions with a large |TD error| more often (Schaul 2016).
  ///
  /// `alpha` is the exponent of the priority; `beta` the exponent of the importance weights, which rises to 1 over
  /// `betaSteps` updates; `epsilon` is added to each |TD error|.
  case prioritised(alpha: Double, beta: Double, betaSteps: Int, epsilon: Double)
  /// Uniform, and of `goals` + 1 rows all but one with a goal that the episode reached later (Andrychowicz 2017, `future`).
  case hindsight(goals: Int)
}
