// Collector.swift — fixed data from an environment: a policy's steps, or random ones.

import Environments
import Kernels
import Platform
import Replay
import Training

/// Collects data from an environment.
public enum Collector {
  /// Who acts.
  public enum Actor {
    /// Uniform in the box of actions.
    case random
    /// A policy, by draws or by its mean, with normal noise of the given standard deviation in units of [−1, 1].
    case policy(Policy, drawsActions: Bool, noise: Double)
  }

  /// Takes `steps` steps in an environment, episode after episode; several actors take turns.
  ///
  /// - Parameter progress: called after each step; true asks to stop, and what was collected is returned.
  public static func collect(
    _ actors: [Actor], in environment: any Environment, of task: String, steps: Int, seed: UInt64, source: String,
    progress: (Int) -> Bool = { _ in false }
  ) throws -> Dataset {
    let scaling = try ActionScaling(environment.actionSpace, of: task)
    let policies = try actors.enumerated().map { index, actor -> PolicyActor? in
      guard case .policy(let given, let drawsActions, let noise) = actor else { return nil }
      return try PolicyActor(
        given, drawsActions: drawsActions, noise: noise, stream: RandomStream(seed: seed, purpose: "acting \(index)"))
    }
    let steps = try CollectedSteps(
      policies, scaling, observationSize: environment.observationSpace.count, steps: steps, seed: seed)
    let loop = CollectionLoop(ContractGuard(environment, name: task))
    while !steps.isDone {
      let before = steps.count
      try loop.round(steps)
      if steps.count > before && progress(steps.count) { break }
    }
    return try Dataset(
      DatasetDescription(
        environment: task, observationSize: environment.observationSpace.count, actionLow: scaling.low,
        actionHigh: scaling.high, choices: scaling.choices, source: source),
      buffer: steps.takeBuffer(), path: source)
  }
}

/// Acts in one environment and keeps the transitions.
private final class CollectedSteps: StepCollector {
  private let policies: [PolicyActor?]
  private let scaling: ActionScaling
  private let steps: Int
  private let seed: UInt64
  private var randomActions: RandomStream
  /// Transitions so far.
  private(set) var count = 0
  private var episodes = 0
  private var hasEnded = true
  private var room: Int
  private var buffer: ReplayBuffer
  private var observation: [Float]  // (S)
  private var action: [Float]  // (A), in [−1, 1]
  private var taskAction: [Float]  // (A)

  /// - Parameter policies: who acts, an episode each in turn; nil acts at random.
  init(_ policies: [PolicyActor?], _ scaling: ActionScaling, observationSize: Int, steps: Int, seed: UInt64) throws {
    (self.policies, self.scaling, self.steps, self.seed) = (policies, scaling, steps, seed)
    randomActions = RandomStream(seed: seed, purpose: "random actions")
    room = steps.clampedSum(steps / 8 + 16)
    buffer = try ReplayBuffer(frames: room, observationSize: observationSize, actionSize: scaling.count)
    observation = [Float](repeating: 0, count: observationSize)
    action = [Float](repeating: 0, count: scaling.count)
    taskAction = action
  }

  var isDone: Bool { count >= steps }

  /// Hands the transitions over, broken off where an episode runs.
  func takeBuffer() throws -> ReplayBuffer {
    if !hasEnded { buffer.breakOff() }
    hasEnded = true
    var taken = try ReplayBuffer(frames: 1, observationSize: buffer.observationSize, actionSize: buffer.actionSize)
    swap(&taken, &buffer)
    return taken
  }

  func needsReset(lane: Int) -> Bool { hasEnded }
  func seed(lane: Int) -> UInt64? { count == 0 ? seed : nil }

  func begin(lane: Int, _ observation: Span<Float>) {
    buffer.beginEpisode(observation)
    keep(observation)
    episodes += 1
    hasEnded = false
  }

  func action(into result: inout MutableSpan<Float>) throws {
    act(observation, &action, &taskAction)
    for i in taskAction.indices { result[i] = taskAction[i] }
    if buffer.frameRange.count + 2 >= room {
      // short episodes: more final observations than were reckoned with
      room += room / 2
      buffer = try buffer.copy(frames: room)
      resume(observation)
    }
  }

  // the arrays are passed so that spans may reach into them

  private func act(_ observation: [Float], _ action: inout [Float], _ taskAction: inout [Float]) {
    if let policy = policies[(episodes - 1) % policies.count] {
      _ = policy.act(observation.span, into: &action, &taskAction)
    } else {
      var span = action.mutableSpan
      scaling.drawUniformly(into: &span, using: &randomActions)
      for i in action.indices { taskAction[i] = scaling.denormalizedInDouble(action[i], at: i) }
    }
  }

  private func resume(_ observation: [Float]) { buffer.resumeEpisode(observation.span) }

  func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) {
    buffer.add(
      action: action.span, reward: Float(outcome.reward), terminated: outcome.terminated, truncated: outcome.truncated,
      next: next)
    keep(next)
    count += 1
    hasEnded = outcome.endsEpisode
  }

  private func keep(_ values: Span<Float>) {
    for i in observation.indices { observation[i] = values[i] }
  }
}
