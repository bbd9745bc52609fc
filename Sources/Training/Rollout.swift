// Rollout.swift — given actions replayed in a task, so that anybody can hold it against Gymnasium.

import Environments
import Formats

/// Actions that do not fit the task.
public struct RolloutError: Error, CustomStringConvertible {
  public let description: String
}

public enum Rollout {
  /// Resets with the seed and applies `actions` [T, A], unclipped, until the episode ends or they run out.
  ///
  /// Writes `observations` [n + 1, S], `rewards` [n] (float64), `terminated` [n], `truncated` [n] (uint8).
  public static func run(_ environment: any Environment, of id: String, seed: UInt64, _ file: SafeTensors) throws
    -> SafeTensors
  {
    let shape = try file.shape("actions")
    let size = environment.actionSpace.count
    // one value per step may also come as [T]
    guard shape.count == 2 && shape[1] == size || shape.count == 1 && size == 1 else {
      throw RolloutError(description: "actions have shape \(shape), \(id) needs [T, \(size)]")
    }
    let actions = try file.floats("actions")
    let guarded = ContractGuard(environment, name: id)
    var observation = [Float](repeating: 0, count: environment.observationSpace.count)
    var span = observation.mutableSpan
    try guarded.reset(seed: seed, into: &span)
    var observations = observation
    var rewards: [Double] = []
    var terminated: [UInt8] = []
    var truncated: [UInt8] = []
    for t in 0..<shape[0] {
      var span = observation.mutableSpan
      let outcome = try guarded.step(actions.span.extracting((t * size)..<((t + 1) * size)), into: &span)
      observations += observation
      rewards.append(outcome.reward)
      terminated.append(outcome.terminated ? 1 : 0)
      truncated.append(outcome.truncated ? 1 : 0)
      if outcome.endsEpisode { break }
    }
    var result = SafeTensors()
    result.metadata = ["environment": id, "seed": "\(seed)"]
    result.add("observations", floats: observations, shape: [rewards.count + 1, observation.count])
    result.add("rewards", doubles: rewards, shape: [rewards.count])
    result.add("terminated", bytes: terminated, shape: [rewards.count])
    result.add("truncated", bytes: truncated, shape: [rewards.count])
    return result
  }
}
