// VectorEnvironment.swift — several environments of one kind, stepped together: each is a lane.

/// N environments of one kind. They are stepped together and never reset by themselves: whoever collects resets the lanes that
/// ended, so that final observations stay true.
///
/// A vector is owned by one collector and used from one thread. What a lane gives depends on its own seed and actions alone,
/// never on the other lanes or on the number of threads.
public protocol VectorEnvironment: AnyObject {
  /// N
  var count: Int { get }
  /// What each lane's observations are.
  var observationSpace: Box { get }  // (S)
  /// What each lane's actions are.
  var actionSpace: Space { get }  // (A)
  /// What computes rewards and terminations of other goals, without stepping a lane; nil where there are no goals.
  var goals: (any GoalEnvironment)? { get }

  /// Starts an episode in a lane, as `Environment.reset` does, and writes its first observation (S).
  func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws

  /// Takes one control step in the lanes for which `isActive` is true, each with its row of `actions` (N × A), in the units of
  /// `actionSpace`.
  func step(_ actions: Span<Float>, isActive: [Bool])

  /// Begins a step and returns, while the environments are still at it where they can be; `finishStep` waits for them.
  /// Both together are `step`.
  func beginStep(_ actions: Span<Float>, isActive: [Bool])

  /// Waits for the step that was begun.
  func finishStep()

  /// What a lane's last step gave, and its observation (S): the true next one, also where the episode ended.
  ///
  /// - Throws: what the lane's step threw, such as `SimulatorFault`; then the step never happened.
  func outcome(lane: Int, into observation: inout MutableSpan<Float>) throws -> StepOutcome

  /// What `saveState` can do; exact, unless it says otherwise.
  var resumePromise: ResumePromise { get }

  /// Everything that a lane needs to go on from here, in mid-episode, to the bit.
  func saveState(lane: Int) throws -> EnvironmentState
  /// Goes on from a saved state in a lane.
  func restore(_ state: EnvironmentState, lane: Int) throws
}

extension VectorEnvironment {
  public func beginStep(_ actions: Span<Float>, isActive: [Bool]) { step(actions, isActive: isActive) }
  public func finishStep() {}
  public var goals: (any GoalEnvironment)? { nil }
  public var resumePromise: ResumePromise { .exact }
}
