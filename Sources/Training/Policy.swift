// Policy.swift — a learned policy on its own: observation in, action in the environment's units out.

import Algorithms
import Kernels
import Networks
import Replay

/// A policy that acts deterministically: tanh of the mean for a squashed Gaussian, the greatest output for choices.
public final class Policy {
  /// What its file says of it.
  public let description: PolicyDescription
  private let network: Network
  private let normalizer: RowNormalizer?
  private let scaling: ActionScaling
  private let row: ActingRow

  private enum Network {
    case gaussian(SquashedGaussian)
    case deterministic(DeterministicPolicy)
    /// One output for each choice: a value or a logit.
    case choosing(ActionValues)

    var parameters: Parameters {
      switch self {
      case .gaussian(let policy): policy.parameters
      case .deterministic(let policy): policy.parameters
      case .choosing(let policy): policy.networks[0]
      }
    }
  }

  init(_ description: PolicyDescription, from find: (String) throws -> Tensor) throws {
    self.description = description
    normalizer = description.normalization?.rowNormalizer()
    scaling = ActionScaling(
      low: description.actionLow, high: description.actionHigh, choices: description.choices)
    let actionSize = scaling.count
    // files of 0.1.0 do not say it, but their tensors show it
    let isGaussian = (try? find("policy.log_std.bias")) != nil
    switch description.kind
      ?? (description.choices != nil ? .choosing : isGaussian ? .squashedGaussian : .deterministic)
    {
    case .choosing:
      network = .choosing(
        ActionValues(
          count: 1, observationSize: description.observationSize, choices: description.choices ?? 1,
          hiddenSizes: description.hiddenSizes, activation: description.activation, batchSize: 1, isLearned: false))
    case .squashedGaussian:
      network = .gaussian(
        SquashedGaussian(
          observationSize: description.observationSize, actionSize: actionSize, hiddenSizes: description.hiddenSizes,
          activation: description.activation, batchSize: 1))
    case .deterministic:
      network = .deterministic(
        DeterministicPolicy(
          observationSize: description.observationSize, actionSize: actionSize, hiddenSizes: description.hiddenSizes,
          activation: description.activation, batchSize: 1, isLearned: false))
    }
    row = ActingRow(observationSize: description.observationSize, actionSize: actionSize)
    try network.parameters.load("policy", from: find)
  }

  /// The policy's parameters, named `policy.…`.
  public var tensors: [Tensor] { network.parameters.tensors("policy") }

  /// Whether it can draw its actions: a squashed Gaussian can, and choices whose outputs are logits: those with a temperature.
  public var isStochastic: Bool {
    switch network {
    case .gaussian: true
    case .deterministic: false
    case .choosing: description.temperature != nil
    }
  }

  /// Writes the action (A), in the environment's units, for an observation (S); the index of a discrete one.
  public func act(_ observation: Span<Float>, into action: inout MutableSpan<Float>) {
    row.observation.setRow(0, to: observation)
    normalizer?.apply(to: row.observation, rows: 0..<1)
    switch network {
    case .gaussian(let policy): policy.mean(row.observation, into: row.draw.actions, rows: 0..<1)
    case .deterministic(let policy): policy.evaluate(row.observation, into: row.draw.actions, rows: 0..<1)
    case .choosing(let policy):
      policy.evaluate(0, row.observation, rows: 0..<1)
      row.draw.actions[0, 0] = Float(policy.best(at: 0))
    }
    row.draw.actions.copyRow(0, into: &action)
    scaling.denormalize(&action)
  }
}
