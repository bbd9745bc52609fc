// TimeLimit.swift — ends an episode by the clock.

/// Truncates the episodes of another environment after a number of control steps.
///
/// A step may both terminate and truncate: the limit changes nothing about what the environment says.
public final class TimeLimit: Environment {
  /// The environment whose episodes are limited.
  public let environment: any Environment
  /// Control steps after which an episode is truncated.
  public let maximumEpisodeSteps: Int
  /// Control steps since the last reset.
  public private(set) var elapsedSteps = 0

  /// - Precondition: `maximumEpisodeSteps` is positive.
  public init(_ environment: any Environment, maximumEpisodeSteps: Int) {
    precondition(maximumEpisodeSteps > 0, "an episode of at most \(maximumEpisodeSteps) steps never begins")
    self.environment = environment
    self.maximumEpisodeSteps = maximumEpisodeSteps
  }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    var outcome = try environment.step(action, into: &observation)
    elapsedSteps += 1
    if elapsedSteps >= maximumEpisodeSteps { outcome.truncated = true }
    return outcome
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    try environment.reset(seed: seed, into: &observation)
    elapsedSteps = 0
  }

  public var observationSpace: Box { environment.observationSpace }
  public var actionSpace: Space { environment.actionSpace }
  public var goals: (any GoalEnvironment)? { environment.goals }
  public var resumePromise: ResumePromise { environment.resumePromise }

  /// The environment's own values, then the elapsed steps.
  public func saveState() throws -> EnvironmentState {
    var state = try environment.saveState()
    state.values.append(Double(elapsedSteps))
    return state
  }

  public func restore(_ state: EnvironmentState) throws {
    var inner = state
    guard let elapsed = inner.values.popLast(), let steps = Int(exactly: elapsed), steps >= 0 else {
      throw MismatchedState(task: "an environment with a time limit", expected: 1, actual: state.values.count)
    }
    try environment.restore(inner)
    elapsedSteps = steps
  }
}
