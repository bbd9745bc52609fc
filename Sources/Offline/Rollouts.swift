// Rollouts.swift — what a policy does and gets in an environment, from given starts, until the rest no longer counts.

import Environments
import Kernels
import Platform
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
    discount <= 0 ? 1 : max(1, Int(clampingWhole: (log(tail) / log(discount)).rounded(.up)))
  }

  /// The longest episode that is run.
  static let longest = 1_000_000

  /// Throws when episodes until the rest no longer counts would be longer than that.
  static func check(_ discount: Double) throws(DatasetError) {
    guard horizon(discount) > longest else { return }
    throw DatasetError(
      "a discount of \(Float(discount))",
      "needs episodes of \(horizon(discount)) steps until the rest no longer counts, \(longest) are the most that are run: "
        + "lower it, or leave the environment out")
  }

  /// - Parameter makeEnvironment: the environment without its time limit, which is no part of a discounted value.
  func run(_ policy: Policy, drawsActions: Bool, purpose: String) throws -> [PolicyRollout] {
    let actor = try PolicyActor(
      policy, drawsActions: drawsActions, stream: RandomStream(seed: seed, purpose: purpose))
    let loop = CollectionLoop(ContractGuard(try makeEnvironment(), name: task))
    let collector = RolloutCollector(
      actor, actionSize: policy.description.actionLow.count, horizon: horizon, firstSeed: seed)
    while collector.rollouts.count < episodes {
      if !collector.isRunning && isCancelled() { break }
      let before = collector.rollouts.count
      try loop.round(collector)
      if collector.rollouts.count > before { progress(collector.rollouts.count) }
    }
    return collector.rollouts
  }
}

/// Keeps everything that a policy does, episode after episode, each for at most `horizon` steps.
private final class RolloutCollector: StepCollector {
  private(set) var rollouts: [PolicyRollout] = []
  private(set) var isRunning = false
  private let actor: PolicyActor
  private let horizon: Int
  private let firstSeed: UInt64
  private var rollout = PolicyRollout()
  private var observation: [Float] = []  // (S)
  private var action: [Float]  // (A), in [−1, 1]
  private var taskAction: [Float]  // (A)

  init(_ actor: PolicyActor, actionSize: Int, horizon: Int, firstSeed: UInt64) {
    (self.actor, self.horizon, self.firstSeed) = (actor, horizon, firstSeed)
    action = [Float](repeating: 0, count: actionSize)
    taskAction = action
  }

  func needsReset(lane: Int) -> Bool { !isRunning }
  func seed(lane: Int) -> UInt64? { firstSeed &+ UInt64(rollouts.count) }

  func begin(lane: Int, _ observation: Span<Float>) {
    rollout = PolicyRollout()
    isRunning = true
    keep(observation)
  }

  func action(into result: inout MutableSpan<Float>) {
    let logProbability = act(observation, &action, &taskAction)
    rollout.observations += observation
    rollout.actions += action
    rollout.logProbabilities.append(logProbability)
    for i in taskAction.indices { result[i] = taskAction[i] }
  }

  // the arrays are passed so that spans may reach into them
  private func act(_ observation: [Float], _ action: inout [Float], _ taskAction: inout [Float]) -> Double {
    actor.act(observation.span, into: &action, &taskAction)
  }

  func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) {
    keep(next)
    rollout.rewards.append(outcome.reward)
    guard outcome.endsEpisode || rollout.count >= horizon else { return }
    rollouts.append(rollout)
    isRunning = false
  }

  private func keep(_ values: Span<Float>) {
    observation = (0..<values.count).map { values[$0] }
  }
}
