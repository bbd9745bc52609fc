// FixedChoices.swift — a policy over A choices that is read, not learned: its probabilities, its best choice, its draws.

import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// π(·|s) over A choices from tensors `policy.layer.K.…`, whose last layer has an output for each choice.
///
/// If actions are drawn, the outputs are logits: π = softmax. Else the action is the greatest output: π is 1 there and 0
/// elsewhere, with log π = 0.
package struct FixedChoices: Sendable {
  private let policy: CategoricalPolicy
  /// Normalises observations before the network sees them; nil if they are not normalised.
  private let normalizer: RowNormalizer?

  /// A, the number of choices.
  package var count: Int { policy.choices }

  /// Random weights, until others are loaded.
  package init(
    observationSize: Int, choices: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int,
    using generator: inout RandomStream
  ) {
    policy = CategoricalPolicy(
      observationSize: observationSize, choices: choices, hiddenSizes: hiddenSizes, activation: activation,
      batchSize: batchSize)
    policy.parameters.initialize(using: &generator)
    normalizer = nil
  }

  /// Reads a policy; the sizes of its hidden layers are those of its tensors.
  ///
  /// - Parameters:
  ///   - activation: the activation of its hidden layers; the tensors do not tell it.
  ///   - normalizer: with room for `batchSize` rows, where the policy was learned on normalised observations.
  /// - Throws: what `find` throws for a tensor that is missing, `TensorMismatch` for one of another shape.
  package init(
    observationSize: Int, choices: Int, activation: Activation = .relu, batchSize: Int,
    normalizer: RowNormalizer? = nil, from find: (String) throws -> Tensor
  ) throws {
    precondition(normalizer.map { $0.normalized.rows >= batchSize } ?? true, "no room for \(batchSize) rows")
    let sizes = try policySizes(from: find).dropLast()
    guard !sizes.isEmpty else {
      // throws an error that names the missing tensor
      for layer in 0...1 { _ = try find("policy.layer.\(layer).weight") }
      throw TensorMismatch("the policy has no hidden layer")
    }
    policy = CategoricalPolicy(
      observationSize: observationSize, choices: choices, hiddenSizes: Array(sizes), activation: activation,
      batchSize: batchSize)
    try policy.parameters.load("policy", from: find)
    self.normalizer = normalizer
  }

  /// π(·|s) for some rows of observations.
  package func evaluate(_ observations: borrowing Matrix, rows: Range<Int>) {
    guard let normalizer else { return policy.evaluate(observations, rows: rows) }
    normalizer.normalize(observations, rows: rows)
    policy.evaluate(normalizer.normalized, rows: rows)
  }

  /// π(a|s) at a row of the last evaluation.
  package func probability(of choice: Int, at row: Int, drawn: Bool) -> Float {
    drawn ? policy.probability(of: choice, at: row) : choice == policy.best(at: row) ? 1 : 0
  }

  /// log π(a|s) at a row of the last evaluation, for an action with π(a|s) > 0.
  package func logProbability(of choice: Int, at row: Int, drawn: Bool) -> Float {
    drawn ? policy.logProbability(of: choice, at: row) : 0
  }

  /// The action at a row of the last evaluation for a standard normal number ε: the action at Φ(ε) of the cumulative
  /// probabilities, or the likeliest one for ε = 0.
  package func choice(at row: Int, noise: Float) -> Int {
    guard noise != 0 else { return policy.best(at: row) }
    // Φ(ε) = ½ erfc(−ε / √2); the last action if rounding leaves none
    let draw = 0.5 * erfc(-Double(noise) / 2.0.squareRoot())
    var sum = 0.0
    for choice in 0..<(count - 1) {
      sum += Double(policy.probability(of: choice, at: row))
      if draw < sum { return choice }
    }
    return count - 1
  }

  package func tensors(_ prefix: String) -> [Tensor] { policy.parameters.tensors(prefix) }
}

/// The number of rows of each tensor `policy.layer.K.weight`: the sizes of the layers, for a Gaussian policy of its hidden layers.
func policySizes(from find: (String) throws -> Tensor) throws -> [Int] {
  var sizes: [Int] = []
  func has(_ name: String) -> Bool { (try? find("policy.\(name)")) != nil }
  while has("layer.\(sizes.count).weight") || has("layer.\(sizes.count).bias") {
    // throws an error that names which of the two is missing
    let weight = try find("policy.layer.\(sizes.count).weight")
    guard let size = weight.shape.first, size > 0, size <= 1 << 20 else {
      throw TensorMismatch("\(weight.name) has the impossible shape \(weight.shape)")
    }
    sizes.append(size)
  }
  return sizes
}
