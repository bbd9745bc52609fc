// PolicyActor.swift — a policy that acts in an environment: drawn or by its mean, with or without noise.

import Environments
import Kernels
import Networks
import Training

/// Acts one observation at a time, with random numbers of its own.
final class PolicyActor {
  private let policy: FixedPolicy
  private let scaling: ActionScaling
  private let drawsActions: Bool
  private let noise: Double
  private var stream: RandomStream
  private let row: ActingRow

  /// - Parameters:
  ///   - drawsActions: a stochastic policy draws from its distribution; else its mean or its likeliest choice acts. A
  ///     deterministic policy draws nothing.
  ///   - noise: standard deviation of normal noise on top, in units of [−1, 1].
  init(_ policy: Policy, drawsActions: Bool, noise: Double = 0, stream: RandomStream) throws {
    let choices = policy.description.choices
    guard choices == nil || noise == 0 else {
      throw DatasetError("the policy", "chooses one of \(choices ?? 0) actions: normal noise cannot be added to it")
    }
    self.policy = try FixedPolicy(policy, batchSize: 1)
    scaling = ActionScaling(
      low: policy.description.actionLow, high: policy.description.actionHigh, choices: choices)
    (self.drawsActions, self.noise, self.stream) = (drawsActions && policy.isStochastic, noise, stream)
    row = ActingRow(observationSize: policy.description.observationSize, actionSize: scaling.count)
  }

  /// Writes the action (A) in [−1, 1] and in the environment's units; returns log π(a|s), 0 if nothing is drawn.
  func act(_ observation: Span<Float>, into action: inout [Float], _ taskAction: inout [Float]) -> Double {
    row.observation.setRow(0, to: observation)
    // without a draw ε stays 0
    if drawsActions { stream.fillNormal(row.noise) }
    policy.draw(row.observation, noise: row.noise, into: row.draw, rows: 0..<1)
    for i in action.indices { action[i] = row.draw.actions[0, i] }
    if noise > 0 {
      let extra = Block(count: action.count)
      stream.fillNormal(extra)
      for i in action.indices { action[i] = min(1, max(-1, action[i] + Float(noise) * extra[i])) }
    }
    for i in action.indices { taskAction[i] = action[i] }
    var span = taskAction.mutableSpan
    scaling.denormalize(&span)
    return drawsActions ? Double(row.draw.logProbabilities[0]) : 0
  }
}

extension FixedPolicy {
  /// A policy file's policy for batches.
  init(_ policy: Policy, batchSize: Int) throws {
    let tensors = Dictionary(uniqueKeysWithValues: policy.tensors.map { ($0.name, $0) })
    try self.init(
      observationSize: policy.description.observationSize, actionSize: policy.description.actionLow.count,
      choices: policy.description.choices, activation: policy.description.activation, batchSize: batchSize,
      normalizer: policy.description.normalization?.rowNormalizer(rows: batchSize)
    ) { name in
      guard let tensor = tensors[name] else { throw DatasetError(name, "is not in the policy") }
      return tensor
    }
  }
}
