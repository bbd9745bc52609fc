// Collector.swift — fixed data from an environment: a policy's steps, or random ones.

import Algorithms
import Environments
import Kernels
import Replay
import Training

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
    guard scaling.choices == nil else {
      throw DatasetError(
        task, "has discrete actions; data of real-valued ones can be collected: pick another environment")
    }
    let environment = ContractGuard(environment, name: task)
    let size = environment.observationSpace.count
    var stream = RandomStream(seed: seed, purpose: "random actions")
    let policies = try actors.enumerated().map { index, actor -> PolicyActor? in
      guard case .policy(let given, let drawsActions, let noise) = actor else { return nil }
      return try PolicyActor(
        given, drawsActions: drawsActions, noise: noise, stream: RandomStream(seed: seed, purpose: "acting \(index)"))
    }
    var episodes = 0
    var room = steps + steps / 8 + 16
    var buffer = try ReplayBuffer(frames: room, observationSize: size, actionSize: scaling.count)
    var observation = [Float](repeating: 0, count: size)
    var action = [Float](repeating: 0, count: scaling.count)
    var taskAction = action
    var needsReset = true
    for step in 0..<steps {
      if needsReset {
        var span = observation.mutableSpan
        try environment.reset(seed: step == 0 ? seed : nil, into: &span)
        buffer.beginEpisode(observation.span)
        episodes += 1
      }
      if let policy = policies[(episodes - 1) % policies.count] {
        _ = policy.act(observation.span, into: &action, &taskAction)
      } else {
        for i in action.indices { action[i] = 2 * stream.uniform() - 1 }
        for i in action.indices { taskAction[i] = scaling.denormalizedInDouble(action[i], at: i) }
      }
      if buffer.frameRange.count + 2 >= room {
        // short episodes: more final observations than were reckoned with
        room += room / 2
        buffer = try buffer.copy(frames: room)
        buffer.resumeEpisode(observation.span)
      }
      var span = observation.mutableSpan
      let outcome = try environment.step(taskAction.span, into: &span)
      buffer.add(
        action: action.span, reward: Float(outcome.reward), terminated: outcome.terminated,
        truncated: outcome.truncated, next: observation.span)
      needsReset = outcome.endsEpisode
      if progress(step + 1) { break }
    }
    if !needsReset { buffer.breakOff() }
    return try Dataset(
      DatasetDescription(
        environment: task, observationSize: size, actionLow: scaling.low, actionHigh: scaling.high, source: source),
      buffer: buffer, path: source)
  }
}
