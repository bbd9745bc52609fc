// SamplerConfiguration.swift — which sampler chooses the rows of a batch, its settings, and where it cannot work.

import Environments

/// How the rows of a batch are chosen from the replay buffer.
public enum SamplerConfiguration: Codable, Sendable, Equatable {
  /// Every transition alike.
  case uniform
  /// Transitions with a large |TD error| more often (Schaul 2016).
  ///
  /// `alpha` is the exponent of the priority; `beta` the exponent of the importance weights, which rises to 1 over
  /// `betaSteps` updates (0: it is 1 from the first); `epsilon` is added to each |TD error|.
  case prioritised(alpha: Double, beta: Double, betaSteps: Int, epsilon: Double)
  /// Uniform, and of `goals` + 1 rows all but one with a goal that the episode reached later (Andrychowicz 2017, `future`).
  case hindsight(goals: Int)
  /// The same with goals that the episode had reached at its end (`final`).
  case hindsightFinal(goals: Int)
  /// The same with goals that the episode reached at any step (`episode`).
  case hindsightEpisode(goals: Int)

  /// Goals in place of a row's own, and where they are from; nil without hindsight.
  package var hindsight: (goals: Int, strategy: HindsightStrategy)? {
    switch self {
    case .uniform, .prioritised: nil
    case .hindsight(let goals): (goals, .future)
    case .hindsightFinal(let goals): (goals, .final)
    case .hindsightEpisode(let goals): (goals, .episode)
    }
  }
}

extension SamplerConfiguration {
  /// Refuses what cannot work, before anything is written.
  ///
  /// - Parameters:
  ///   - environment: what messages call the environment; its id.
  ///   - goals: where the environment's goals are; nil where it has none.
  ///   - lanes: environments that add to the buffer.
  public func check(
    environment: String, goals: GoalLayout?, nSteps: Int, batchSize: Int, bufferCapacity: Int, lanes: Int = 1
  ) throws(SamplerError) {
    // uniform draws, and those of hindsight, are with replacement: a batch may be larger than the buffer, as it always might
    if case .prioritised = self, bufferCapacity < batchSize {
      throw .bufferBelowBatch(capacity: bufferCapacity, batchSize: batchSize)
    }
    if bufferCapacity / lanes < nSteps {
      throw .bufferBelowReturn(capacity: bufferCapacity, lanes: lanes, steps: nSteps)
    }
    if hindsight != nil {
      if goals == nil { throw .noGoals(environment: environment) }
      if nSteps > 1 { throw .hindsightOverSteps(nSteps) }
    }
  }

  /// Refuses samplers that make no sense where the data are fixed: all but the uniform one.
  public func checkFixedData() throws(SamplerError) {
    switch self {
    case .uniform: return
    case .prioritised: throw .prioritisedFixedData
    case .hindsight, .hindsightFinal, .hindsightEpisode: throw .hindsightFixedData
    }
  }

  /// The sampler of a buffer.
  ///
  /// - Parameters:
  ///   - goals: what computes rewards and terminations for hindsight: `Environment.goals` of one of the environments.
  ///   - discount: γ
  ///   - batchSize: B, the rows of every batch.
  /// - Throws: `InsufficientMemory`; `SamplerError.noGoals` where `check` was not asked.
  package func makeSampler(
    for buffer: borrowing ReplayBuffer, goals environment: (any GoalEnvironment)?, discount: Float, batchSize: Int
  ) throws -> any Sampler {
    if let (goals, strategy) = hindsight {
      guard let environment else { throw SamplerError.noGoals(environment: "the environment") }
      return HindsightSampler(
        for: buffer, goals: goals, strategy: strategy, environment: environment, discount: discount,
        batchSize: batchSize)
    }
    if case .prioritised(let alpha, let beta, let betaSteps, let epsilon) = self {
      return try PrioritisedSampler(for: buffer, alpha: alpha, beta: beta, betaSteps: betaSteps, epsilon: epsilon)
    }
    return UniformSampler()
  }
}

/// A sampler cannot work so.
public enum SamplerError: Error, Equatable, CustomStringConvertible {
  /// Hindsight in an environment without goals.
  case noGoals(environment: String)
  /// Hindsight with n-step returns.
  case hindsightOverSteps(Int)
  /// A buffer that holds less than a batch.
  case bufferBelowBatch(capacity: Int, batchSize: Int)
  /// A buffer whose lanes hold less than an n-step return.
  case bufferBelowReturn(capacity: Int, lanes: Int, steps: Int)
  /// Prioritised sampling of fixed data.
  case prioritisedFixedData
  /// Hindsight with fixed data.
  case hindsightFixedData
  /// A recomputed reward that is not finite.
  case recomputedReward(Float)
  /// What is in a state, or missing, that its sampler would not have saved so.
  case foreignState(String)

  public var description: String {
    switch self {
    case .noGoals(let environment):
      "\(environment) has no goals; hindsight needs an environment with achieved and desired goals, such as PointReach-v0"
    case .hindsightOverSteps(let steps):
      "hindsight with returns of \(steps) steps: rewards on the way are those of the old goal; use nSteps = 1"
    case .bufferBelowBatch(let capacity, let batchSize):
      "a replay buffer of \(capacity) transitions holds no batch of \(batchSize); "
        + "use a larger bufferCapacity or a smaller batchSize"
    case .bufferBelowReturn(let capacity, let lanes, let steps):
      "a replay buffer of \(capacity) transitions\(lanes == 1 ? "" : " for \(lanes) environments") holds no return of "
        + "\(steps) steps; use a larger bufferCapacity or a smaller nSteps"
    case .prioritisedFixedData:
      "prioritised replay from fixed data: importance weights correct the critic's loss only, and a policy that is kept "
        + "near the data would be kept near other data than there are; use the uniform sampler"
    case .hindsightFixedData:
      "hindsight from fixed data: there is no environment that computes the rewards of other goals; "
        + "use the uniform sampler"
    case .recomputedReward(let value):
      "the environment computed reward \(value) for another goal; check whether the environment does this by itself"
    case .foreignState(let what):
      "the saved state of the sampler has \(what): it belongs to another sampler, buffer or version"
    }
  }
}
