// Environment.swift — the protocol of environments: spaces, step, reset, and a state that can be saved.

/// An environment to learn in: a Markov decision process with box-shaped observations.
///
/// An environment is owned by one trainer and used from one thread; make another for another thread.
/// All buffers belong to the caller; `step` allocates nothing.
public protocol Environment: AnyObject {
  /// The observations: S values with their bounds.
  var observationSpace: Box { get }  // (S)
  /// The actions: A values with their bounds, or a number of choices (then A = 1, the index as a `Float`).
  var actionSpace: Space { get }  // (A)

  // differs: before any seed the generator is that of seed 0, not one that the machine's entropy has seeded
  /// Starts an episode and writes its first observation (S).
  ///
  /// The same seed gives the same episode on the same machine and library version; the seeds mean what they mean to
  /// Gymnasium. Without a seed the generator of the last seeded reset goes on.
  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws

  /// Advances one control step with `action` (A), in the units of `actionSpace`, and writes the next observation (S).
  ///
  /// - Throws: `SimulatorFault` when the simulator failed; the step then never happened.
  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome

  /// Everything needed to go on from here, in mid-episode, to the bit.
  func saveState() throws -> EnvironmentState
  /// Goes on from a saved state. The next `step` gives what it would have given then.
  func restore(_ state: EnvironmentState) throws

  /// What `saveState` can do; exact, unless it says otherwise. One that cannot save throws from it, and is never asked.
  var resumePromise: ResumePromise { get }

  /// The environment with goals that this one is or wraps; nil, unless it says otherwise. See `GoalEnvironment`.
  var goals: (any GoalEnvironment)? { get }
}

extension Environment {
  public var resumePromise: ResumePromise { .exact }
}

/// What one step gave. There is no `done`: a termination and a clock that ran out are different things.
public struct StepOutcome: Sendable, Equatable {
  /// The step's reward.
  public var reward: Double
  /// The episode ended by itself: there is no value after this state (d = 1).
  public var terminated: Bool
  /// The clock ended: the state still has value (d = 0). Both may hold on one step.
  public var truncated: Bool

  /// An outcome; an episode goes on unless it is said to end.
  public init(reward: Double, terminated: Bool = false, truncated: Bool = false) {
    self.reward = reward
    self.terminated = terminated
    self.truncated = truncated
  }

  /// No further step may follow before a reset.
  public var endsEpisode: Bool { terminated || truncated }
}

/// The state of an environment in mid-episode: the numbers that its simulator needs and its random generator.
public struct EnvironmentState: Sendable, Equatable {
  /// The simulator's variables, in an order that only the environment knows.
  public var values: [Double]
  /// The generator that later resets and steps draw from.
  public var generator: NumPyGenerator

  /// A state of given numbers.
  public init(values: [Double], generator: NumPyGenerator) {
    self.values = values
    self.generator = generator
  }
}

extension EnvironmentState {
  /// For `restore`: refuses a state that another environment has saved.
  public func requireValues(_ count: Int, for task: String) throws(MismatchedState) {
    if values.count != count { throw MismatchedState(task: task, expected: count, actual: values.count) }
  }
}

/// A state was restored into an environment that cannot have saved it.
public struct MismatchedState: Error, Equatable, CustomStringConvertible {
  /// The environment's id.
  public let task: String
  /// The numbers that it saves.
  public let expected: Int
  /// The numbers that the state has.
  public let actual: Int

  /// An error about an environment's state.
  public init(task: String, expected: Int, actual: Int) {
    self.task = task
    self.expected = expected
    self.actual = actual
  }

  /// The environment, both counts and what to do, in one line.
  public var description: String {
    "\(task) saves \(expected) values, this state has \(actual): it belongs to another environment or version; "
      + "restore it with the environment that saved it"
  }
}

/// The simulator failed within a step: a diverged state, a control that is not a number.
public struct SimulatorFault: Error, CustomStringConvertible {
  /// What failed, in one line.
  public var description: String

  /// A fault that is told by these words.
  public init(_ description: String) { self.description = description }
}

/// An episode that was lost because another environment in the same process had a fault. It has no last step, and only the other
/// environment's fault is counted.
public struct LostEpisode: Error, CustomStringConvertible {
  /// What happened, in one line.
  public var description: String { "the environment's process ended with a fault of another environment in it" }

  /// An episode that was lost.
  public init() {}
}
