// ContractGuard.swift — rejects non-finite values and calls out of order.

import Platform

/// Passes everything on to another environment and checks what goes in and comes out: finite values, no step without a
/// reset. A step allocates nothing more and costs one comparison per value.
///
///     let environment = ContractGuard(try registry.make("Hopper-v5"), name: "Hopper-v5")
public final class ContractGuard: Environment {
  /// The environment that is guarded.
  public let environment: any Environment
  /// What messages call it.
  public let name: String
  private var phase = Phase.unstarted
  /// Control steps since the last reset.
  public private(set) var elapsedSteps = 0

  private enum Phase: Double {
    case unstarted, running, ended
  }

  /// - Parameter name: what messages call the environment; its id.
  public init(_ environment: any Environment, name: String) {
    self.environment = environment
    self.name = name
  }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    switch phase {
    case .running: break
    case .unstarted: throw violation(.stepBeforeReset)
    // differs: Gymnasium lets the environment go on, without a meaning
    case .ended: throw violation(.stepAfterEnd)
    }
    for i in 0..<action.count where !action[i].isFinite { throw violation(.action(index: i, value: action[i])) }

    let outcome = try environment.step(action, into: &observation)
    elapsedSteps += 1
    try requireFinite(&observation)
    // the replay buffer keeps single precision: 1e39 would be infinite there
    if !Float(outcome.reward).isFinite { throw violation(.reward(outcome.reward)) }
    if outcome.endsEpisode { phase = .ended }
    return outcome
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    try environment.reset(seed: seed, into: &observation)
    elapsedSteps = 0
    phase = .running
    try requireFinite(&observation)
  }

  private func requireFinite(_ observation: inout MutableSpan<Float>) throws(ContractViolation) {
    for i in 0..<observation.count where !observation[i].isFinite {
      throw violation(.observation(index: i, value: observation[i]))
    }
  }

  private func violation(_ fault: ContractViolation.Fault) -> ContractViolation {
    ContractViolation(environment: name, step: elapsedSteps, fault: fault)
  }

  public var observationSpace: Box { environment.observationSpace }
  public var actionSpace: Space { environment.actionSpace }
  public var goals: (any GoalEnvironment)? { environment.goals }
  public var resumePromise: ResumePromise { environment.resumePromise }

  /// The environment's own values, then the elapsed steps and the phase.
  public func saveState() throws -> EnvironmentState {
    var state = try environment.saveState()
    state.values += [Double(elapsedSteps), phase.rawValue]
    return state
  }

  public func restore(_ state: EnvironmentState) throws {
    guard state.values.count >= 2, let phase = Phase(rawValue: state.values[state.values.count - 1]),
      let steps = Int(exactly: state.values[state.values.count - 2]), steps >= 0
    else { throw MismatchedState(task: name, expected: 2, actual: state.values.count) }
    try environment.restore(EnvironmentState(values: Array(state.values.dropLast(2)), generator: state.generator))
    self.phase = phase
    elapsedSteps = steps
  }
}

/// An environment, or who drives it, broke the contract of `Environment`.
public struct ContractViolation: Error, RemediableError, Equatable, CustomStringConvertible {
  /// The environment's id.
  public let environment: String
  /// Control steps of the episode at that moment, the step at fault included.
  public let step: Int
  /// What was wrong.
  public let fault: Fault

  package init(environment: String, step: Int, fault: Fault) {
    (self.environment, self.step, self.fault) = (environment, step, fault)
  }

  /// A breach of the contract.
  public enum Fault: Sendable, Equatable {
    /// The environment gave a value that is not finite.
    case observation(index: Int, value: Float)
    /// The environment gave a reward that is not finite in single precision.
    case reward(Double)
    /// The environment was given a value that is not finite.
    case action(index: Int, value: Float)
    /// It was stepped before its first reset.
    case stepBeforeReset
    /// It was stepped after its episode had ended.
    case stepAfterEnd
  }

  /// Who gave what, when, and what to do, in one line.
  public var description: String {
    switch fault {
    case .observation(let index, let value):
      "\(environment) gave observation[\(index)] = \(value) \(moment); check whether the "
        + "environment does this by itself"
    case .reward(let value):
      "\(environment) gave reward \(value) \(moment); check whether the environment does this by itself"
    case .action(let index, let value):
      "\(environment) was given action[\(index)] = \(value) after step \(step) of the episode; "
        + "the policy has diverged: resume from an earlier checkpoint with a lower learning rate"
    case .stepBeforeReset:
      "\(environment) was stepped before its first reset; call reset first"
    case .stepAfterEnd:
      "\(environment) was stepped after its episode ended at step \(step); call reset first"
    }
  }

  package var remedies: [Remedy] {
    switch fault {
    case .observation, .reward: [.checkEnvironment(environment)]
    case .action, .stepBeforeReset, .stepAfterEnd: []
    }
  }

  private var moment: String { step == 0 ? "at reset" : "at step \(step) of the episode" }
}
