// Rollout.swift — given actions replayed in an environment, so that anybody can hold it against Gymnasium.

import Environments
import Formats

/// Actions that do not fit the environment.
public struct RolloutError: Error, CustomStringConvertible {
  /// What does not fit, in one line.
  public let description: String
}

/// Replays given actions in an environment.
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
    let replay = Replay(try file.floats("actions"), count: shape[0], size: size, seed: seed)
    let loop = CollectionLoop(ContractGuard(environment, name: id))
    repeat { try loop.round(replay) } while replay.isRunning
    var result = SafeTensors()
    result.metadata = ["environment": id, "seed": "\(seed)"]
    let count = replay.rewards.count
    result.add("observations", floats: replay.observations, shape: [count + 1, environment.observationSpace.count])
    result.add("rewards", doubles: replay.rewards, shape: [count])
    result.add("terminated", bytes: replay.terminated, shape: [count])
    result.add("truncated", bytes: replay.truncated, shape: [count])
    return result
  }

  /// Applies given actions and keeps what came.
  private final class Replay: StepCollector {
    private let actions: [Float]  // (T × A)
    private let (count, size): (Int, Int)
    private let seed: UInt64
    private var hasBegun = false
    /// Neither has the episode ended nor have the actions run out.
    private(set) var isRunning = true
    private(set) var observations: [Float] = []
    private(set) var rewards: [Double] = []
    private(set) var terminated: [UInt8] = []
    private(set) var truncated: [UInt8] = []

    init(_ actions: [Float], count: Int, size: Int, seed: UInt64) {
      (self.actions, self.count, self.size, self.seed) = (actions, count, size, seed)
    }

    func needsReset(lane: Int) -> Bool { !hasBegun || !isRunning }
    func seed(lane: Int) -> UInt64? { seed }

    func begin(lane: Int, _ observation: Span<Float>) {
      hasBegun = true
      isRunning = count > 0
      keep(observation)
    }

    func action(into result: inout MutableSpan<Float>) {
      for i in 0..<size { result[i] = actions[rewards.count * size + i] }
    }

    func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) {
      keep(next)
      rewards.append(outcome.reward)
      terminated.append(outcome.terminated ? 1 : 0)
      truncated.append(outcome.truncated ? 1 : 0)
      isRunning = !outcome.endsEpisode && rewards.count < count
    }

    private func keep(_ observation: Span<Float>) {
      for i in 0..<observation.count { observations.append(observation[i]) }
    }
  }
}
