// FixedPolicy.swift — a policy that is read, not learned: over choices, squashed Gaussian or deterministic.

import Kernels

/// π(·|s) from tensors named `policy.…`: over choices if actions are discrete, else a squashed Gaussian if there are tensors of
/// log σ, else a deterministic policy.
package struct FixedPolicy: Sendable {
  private let network: Network
  /// A; 1 for discrete actions, whose action is an index.
  package let actionSize: Int
  /// Normalises observations before the network sees them; nil if they are not normalised.
  private let normalizer: RowNormalizer?

  private enum Network: Sendable {
    case gaussian(SquashedGaussian)
    case deterministic(DeterministicPolicy)
    case choosing(FixedChoices)
  }

  /// Random weights of a Gaussian policy, until others are loaded.
  package init(
    observationSize: Int, actionSize: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int,
    using generator: inout RandomStream
  ) {
    let policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: hiddenSizes, activation: activation,
      batchSize: batchSize)
    policy.parameters.initialize(using: &generator)
    (self.actionSize, normalizer) = (actionSize, nil)
    network = .gaussian(policy)
  }

  /// Reads a policy; the sizes of its hidden layers are those of its tensors.
  ///
  /// - Parameters:
  ///   - choices: the number of choices; nil for real-valued actions.
  ///   - activation: the activation of its hidden layers; the tensors do not tell it.
  ///   - normalizer: with room for `batchSize` rows, where the policy was learned on normalised observations.
  /// - Throws: what `find` throws for a tensor that is missing, `TensorMismatch` for one of another shape.
  package init(
    observationSize: Int, actionSize: Int, choices: Int? = nil, activation: Activation = .relu, batchSize: Int,
    normalizer: RowNormalizer? = nil, from find: (String) throws -> Tensor
  ) throws {
    precondition(normalizer.map { $0.normalized.rows >= batchSize } ?? true, "no room for \(batchSize) rows")
    if let choices {
      // it normalises by itself
      (self.actionSize, self.normalizer) = (1, nil)
      network = .choosing(
        try FixedChoices(
          observationSize: observationSize, choices: choices, activation: activation, batchSize: batchSize,
          normalizer: normalizer, from: find))
      return
    }
    var sizes = try policySizes(from: find)
    func has(_ name: String) -> Bool { (try? find("policy.\(name)")) != nil }
    let isGaussian = ["mean.weight", "mean.bias", "log_std.weight", "log_std.bias"].contains(where: has)
    if !isGaussian { sizes = sizes.dropLast() }
    guard !sizes.isEmpty else {
      // throws an error that names the missing tensor
      _ = try find("policy.layer.0.weight")
      throw TensorMismatch("the policy has no hidden layer")
    }
    (self.actionSize, self.normalizer) = (actionSize, normalizer)
    if isGaussian {
      let policy = SquashedGaussian(
        observationSize: observationSize, actionSize: actionSize, hiddenSizes: sizes, activation: activation,
        batchSize: batchSize)
      try policy.parameters.load("policy", from: find)
      network = .gaussian(policy)
    } else {
      let policy = DeterministicPolicy(
        observationSize: observationSize, actionSize: actionSize, hiddenSizes: sizes, activation: activation,
        batchSize: batchSize, isLearned: false)
      try policy.parameters.load("policy", from: find)
      network = .deterministic(policy)
    }
  }

  /// Whether it can draw actions: from a Gaussian, or by the probabilities of choices.
  package var isStochastic: Bool {
    if case .deterministic = network { false } else { true }
  }

  /// a ~ π(·|s) and log π(a|s) for some rows, from the given ε. ε = 0 gives the mean action tanh μ(s), or the likeliest choice.
  ///
  /// A deterministic policy does not read ε; its log π is written as 0.
  package func draw(
    _ observations: borrowing Matrix, noise: borrowing Block, into draw: borrowing PolicyDraw, rows: Range<Int>
  ) {
    guard let normalizer else { return evaluate(observations, noise: noise, into: draw, rows: rows) }
    normalizer.normalize(observations, rows: rows)
    evaluate(normalizer.normalized, noise: noise, into: draw, rows: rows)
  }

  private func evaluate(
    _ observations: borrowing Matrix, noise: borrowing Block, into draw: borrowing PolicyDraw, rows: Range<Int>
  ) {
    switch network {
    case .gaussian(let policy): policy.sample(observations, noise: noise, into: draw, rows: rows)
    case .deterministic(let policy):
      policy.evaluate(observations, into: draw.actions, rows: rows)
      for row in rows { draw.logProbabilities[row] = 0 }
    case .choosing(let policy):
      policy.evaluate(observations, rows: rows)
      for row in rows {
        let choice = policy.choice(at: row, noise: noise[row])
        draw.actions[row, 0] = Float(choice)
        draw.logProbabilities[row] = policy.logProbability(of: choice, at: row, drawn: noise[row] != 0)
      }
    }
  }

  /// Whether an action is the index of a choice.
  package var chooses: Bool {
    if case .choosing = network { true } else { false }
  }

  package func tensors(_ prefix: String) -> [Tensor] {
    switch network {
    case .gaussian(let policy): policy.parameters.tensors(prefix)
    case .deterministic(let policy): policy.parameters.tensors(prefix)
    case .choosing(let policy): policy.tensors(prefix)
    }
  }
}
