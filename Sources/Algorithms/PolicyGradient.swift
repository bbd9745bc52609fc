// PolicyGradient.swift — how the gradient of a stochastic policy is estimated (N8, N9), and what the score function keeps.

import Kernels

/// The estimator of ∇_φ E[f(s, ã)], ã from π_φ(·|s). Both are unbiased; see Guides/PolicyGradients.md.
public enum PolicyGradient: Codable, Sendable, Equatable {
  /// Through f and the draw ã = tanh(μ + σ ⊙ ε), with one draw of each state: the reparametrisation trick.
  case pathwise
  /// E[∇_φ log π_φ(ã|s) (f − b)] with K draws of each state; the baseline b is the mean f of the other K − 1.
  case scoreFunction(samples: Int)

  /// K of the score function.
  var samples: Int? { if case .scoreFunction(let samples) = self { samples } else { nil } }
}

/// What K draws of each of B states gave. Draw k of row i is at k · B + i.
struct ScoreDraws: ~Copyable {
  let count: Int
  let rows: Int
  let logProbabilities: Block  // (K × B)
  /// f, what the policy descends.
  let objectives: Block  // (K × B)
  /// What ∇ log π of each draw is multiplied by.
  let weights: Block  // (K × B)

  init(count: Int, rows: Int) {
    (self.count, self.rows) = (count, rows)
    logProbabilities = Block(count: count * rows)
    objectives = Block(count: count * rows)
    weights = Block(count: count * rows)
  }

  func index(_ k: Int, _ row: Int) -> Int { k * rows + row }

  func set(_ k: Int, at row: Int, objective: Float, logProbability: Float) {
    objectives[index(k, row)] = objective
    logProbabilities[index(k, row)] = logProbability
  }

  /// f̄ of a state, over all its draws.
  func meanObjective(at row: Int) -> Float {
    var sum: Float = 0
    for k in 0..<count { sum += objectives[index(k, row)] }
    return sum / Float(count)
  }
}
