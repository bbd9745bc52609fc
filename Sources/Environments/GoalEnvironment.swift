// GoalEnvironment.swift — an environment with goals: where they are in an observation, and what another goal is worth.

/// An environment whose reward and end depend on a goal that was asked for and on the one that was reached.
///
/// Its observation is one row: `observation` (O), `achieved_goal` (G), `desired_goal` (G), in this order, so S = O + 2 G.
/// Rewards and terminations can be computed anew for any desired goal, of many rows in one call: hindsight replay asks
/// what an episode would have been worth had its goal been another. It stands for `compute_reward` and `compute_terminated`
/// of gymnasium-robotics; the `info` that they may read beside the goals is not kept.
///
/// The step that led to an achieved goal gave what these functions give for it and the episode's desired goal, as they
/// stand in the observation that it wrote.
public protocol GoalEnvironment: Environment {
  /// Where the parts of an observation are.
  var goalLayout: GoalLayout { get }

  /// Computes the reward of each row's step, and whether the step ended the episode.
  ///
  /// - Parameters:
  ///   - achieved: the goals that were reached (n × G), row after row, from the observations after the steps.
  ///   - desired: the goals that are asked for (n × G).
  ///   - rewards: (n)
  ///   - terminated: (n), with what each step gave for its own goal: an environment whose ends do not depend on goals leaves it.
  func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) throws
}

extension Environment {
  /// The environment with goals that this one is or that it wraps; nil where there are no goals.
  public var goals: (any GoalEnvironment)? { nil }
}

extension GoalEnvironment {
  public var goals: (any GoalEnvironment)? { self }
}

/// The parts of a goal environment's observation.
public struct GoalLayout: Sendable, Equatable, Codable {
  /// O, values that belong to no goal.
  public var observationSize: Int
  /// G
  public var goalSize: Int

  /// - Precondition: goals have at least one value.
  public init(observationSize: Int, goalSize: Int) {
    precondition(observationSize >= 0 && goalSize > 0, "\(observationSize) values and goals of \(goalSize)")
    (self.observationSize, self.goalSize) = (observationSize, goalSize)
  }

  /// S, the values of the whole observation.
  public var count: Int { observationSize + 2 * goalSize }
  /// The columns of the goal that was reached.
  public var achieved: Range<Int> { observationSize..<(observationSize + goalSize) }
  /// The columns of the goal that is asked for.
  public var desired: Range<Int> { (observationSize + goalSize)..<count }
}
