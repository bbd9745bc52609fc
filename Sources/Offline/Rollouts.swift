// Rollouts.swift — what a policy does and gets in an environment, from given starts, until the rest no longer counts.

import Environments
import Kernels
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One episode of a policy without a time limit: it ends where the environment ends it, or where γᵗ is negligible.
struct PolicyRollout {
  var observations: [Float] = []  // (n × S), s_t
  var actions: [Float] = []  // (n × A), a_t in [−1, 1]
  var rewards: [Double] = []  // (n)
  var logProbabilities: [Double] = []  // (n), log π(a_t|s_t)

  var count: Int { rewards.count }

  /// Σ γᵗ (r_t − α log π(a_t|s_t))                                                                            (N11)
  func discountedReturn(_ discount: Double, temperature: Double = 0) -> Double {
    discountedSum(rewards.indices.map { rewards[$0] - temperature * logProbabilities[$0] }, discount)
  }
}

/// Σ γᵗ x_t
func discountedSum(_ values: [Double], _ discount: Double) -> Double {
  values.reversed().reduce(0) { $1 + discount * $0 }
}

/// Runs policies from the same starts: episode k has seed `firstSeed + k`, whoever acts.
struct PolicyRunner {
  let makeEnvironment: () throws -> any Environment
  let task: String
  let discount: Double
  let episodes: Int
  let seed: UInt64
  /// Asked after each episode.
  var isCancelled: () -> Bool = { false }
  var progress: (Int) -> Void = { _ in }

  /// γᴴ: the part of a value that the horizon leaves out.
  static let tail = 1e-4
  /// Steps after which γᵗ is below `tail`.
  var horizon: Int { Self.horizon(discount) }

  static func horizon(_ discount: Double) -> Int {
    discount <= 0 ? 1 : min(1_000_000, max(1, Int((log(tail) / log(discount)).rounded(.up))))
  }

  /// - Parameter makeEnvironment: the environment without its time limit, which is no part of a discounted value.
  func run(_ policy: Policy, drawsActions: Bool, purpose: String) throws -> [PolicyRollout] {
    let environment = ContractGuard(try makeEnvironment(), name: task)
    let size = environment.observationSpace.count
    let actor = try PolicyActor(
      policy, drawsActions: drawsActions, stream: RandomStream(seed: seed, purpose: purpose))
    var observation = [Float](repeating: 0, count: size)
    var action = [Float](repeating: 0, count: policy.description.actionLow.count)
    var taskAction = action
    var rollouts: [PolicyRollout] = []
    for episode in 0..<episodes where !isCancelled() {
      var rollout = PolicyRollout()
      var span = observation.mutableSpan
      try environment.reset(seed: seed &+ UInt64(episode), into: &span)
      while rollout.count < horizon {
        let logProbability = actor.act(observation.span, into: &action, &taskAction)
        rollout.observations += observation
        rollout.actions += action
        rollout.logProbabilities.append(logProbability)
        var span = observation.mutableSpan
        let outcome = try environment.step(taskAction.span, into: &span)
        rollout.rewards.append(outcome.reward)
        if outcome.endsEpisode { break }
      }
      rollouts.append(rollout)
      progress(episode + 1)
    }
    return rollouts
  }
}
