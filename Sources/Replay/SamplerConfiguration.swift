// SamplerConfiguration.swift — the choice of a sampler, its settings, and the checks whether it can work.

import Environments

/// The sampler that chooses the rows of a batch from the replay buffer.
public enum SamplerConfiguration: Codable, Sendable, Equatable {
  /// Every transition with the same probability.
  case uniform
  /// Transitions with a large |TD error| more often (Schaul 2016).
  ///
  /// `alpha` is the exponent of the priority. `beta` is the exponent of the importance weights; it rises to 1 over `betaSteps`
  /// updates (0: it is 1 from the first). `epsilon` is added to each |TD error|.
  case prioritised(alpha: Double, beta: Double, betaSteps: Int, epsilon: Double)
  /// Uniform; of `goals` + 1 rows all but one get a goal that the episode reached later (Andrychowicz 2017, `future`).
  case hindsight(goals: Int)
  /// The same with the goal that the episode had reached at its end (`final`).
  case hindsightFinal(goals: Int)
  /// The same with goals that the episode reached at any step (`episode`).
  case hindsightEpisode(goals: Int)

  /// The number of new goals for each original one, and the steps that they come from; nil without hindsight.
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
  /// Throws for settings that cannot work, before anything is written.
  ///
  /// - Parameters:
  ///   - environment: the environment's id, for messages.
  ///   - goals: the layout of the environment's goals; nil if it has none.
  ///   - lanes: number of environments that add to the buffer.
  public func check(
    environment: String, goals: GoalLayout?, nSteps: Int, batchSize: Int, bufferCapacity: Int, lanes: Int = 1
  ) throws(SamplerError) {
    // uniform and hindsight draws are with replacement, so a batch may be larger than the buffer
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

  /// Throws for samplers that make no sense for fixed data: all but the uniform one.
  public func checkFixedData() throws(SamplerError) {
    switch self {
    case .uniform: return
    case .prioritised: throw .prioritisedFixedData
    case .hindsight, .hindsightFinal, .hindsightEpisode: throw .hindsightFixedData
    }
  }

  /// Makes the sampler of a buffer.
  ///
  /// - Parameters:
  ///   - goals: computes rewards and terminations for hindsight: `Environment.goals` of one of the environments.
  ///   - discount: γ
  ///   - batchSize: B, the rows of every batch.
  /// - Throws: `InsufficientMemory`; `SamplerError.noGoals` if `check` was not called.
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

/// The reason why a sampler cannot work.
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
  /// A saved state that does not fit the sampler, with the value that is wrong or missing.
  case foreignState(String)

  public var description: String {
    switch self {
    case .noGoals(let environment):
      "\(environment) has no goals; hindsight needs an environment with achieved and desired goals, such as PointReach-v0"
    case .hindsightOverSteps(let steps):
      "hindsight cannot use returns of \(steps) steps: their rewards are those of the old goal; use nSteps = 1"
    case .bufferBelowBatch(let capacity, let batchSize):
      "a replay buffer of \(capacity) transitions is smaller than a batch of \(batchSize); "
        + "use a larger bufferCapacity or a smaller batchSize"
    case .bufferBelowReturn(let capacity, let lanes, let steps):
      "a replay buffer of \(capacity) transitions\(lanes == 1 ? "" : " for \(lanes) environments") cannot hold a return of "
        + "\(steps) steps; use a larger bufferCapacity or a smaller nSteps"
    case .prioritisedFixedData:
      "prioritised replay does not work with fixed data: importance weights correct the critic's loss only, so the policy "
        + "would be kept near another distribution than that of the data; use the uniform sampler"
    case .hindsightFixedData:
      "hindsight does not work with fixed data: there is no environment to compute the rewards of other goals; "
        + "use the uniform sampler"
    case .recomputedReward(let value):
      "the environment computed the reward \(value) for another goal; check how it computes rewards of goals"
    case .foreignState(let what):
      "the saved state of the sampler has \(what): it belongs to another sampler, buffer or version; "
        + "resume from an earlier checkpoint, or begin a new run"
    }
  }
}
