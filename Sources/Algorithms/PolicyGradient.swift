// PolicyGradient.swift — how the gradient of a stochastic policy is estimated (N8, N9), and what the score function keeps.

import Kernels
import Networks

/// The estimator of ∇_φ E[f(s, ã)], ã from π_φ(·|s). Both are unbiased; see Guides/PolicyGradients.md.
public enum PolicyGradient: Codable, Sendable, Equatable {
  /// Through f and the draw ã = tanh(μ + σ ⊙ ε), with one draw of each state: the reparametrisation trick.
  case pathwise
  /// E[∇_φ log π_φ(ã|s) (f − b)] with K draws of each state; the baseline b is the mean f of the other K − 1.
  case scoreFunction(samples: Int)

  /// K of the score function.
  var samples: Int? { if case .scoreFunction(let samples) = self { samples } else { nil } }
}

/// The score function's estimate from K draws of each of B states, with the draws ã held fixed:
///
///     ∇J = E[ ∇_φ log π_φ(ã|s) (f − b) ],   f = α log π_φ(ã|s) − min_j Q_θj(s, ã)                                  (N8)
///
/// Draw k of row i is at k · B + i.
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

  /// Draws for some rows of the states, values them and goes back to φ.
  ///
  /// - Parameters:
  ///   - noise: ε (K × B × A).
  ///   - room: for one draw of every state.
  ///   - scale: what each state counts, such as 1 / B.
  func backward(
    _ policy: SquashedGaussian, _ critics: Critics, _ observations: borrowing Matrix, noise: borrowing Block,
    room: borrowing PolicyDraw, temperature: Float, scale: Float, rows: Range<Int>
  ) {
    policy.evaluate(observations, rows: rows)
    for k in 0..<count {
      policy.sampleAgain(k, noise: noise, into: room, rows: rows)
      critics.evaluate(observations, room.actions, rows: rows)
      for i in rows {
        logProbabilities[index(k, i)] = room.logProbabilities[i]
        objectives[index(k, i)] = temperature * room.logProbabilities[i] - critics.minimum(at: i)
      }
    }
    // differs: b is the mean f of the state's other K − 1 draws (Kool 2019), not a learned value of the state
    //   mean_k ∇ log π_k (f_k − b_k) = Σ_k ∇ log π_k (f_k − f̄) / (K − 1);   E[ α ∇ log π ] = 0 is left out
    for i in rows {
      let mean = meanObjective(at: i)
      for k in 0..<count { weights[index(k, i)] = (objectives[index(k, i)] - mean) * scale / Float(count - 1) }
    }
    policy.backward(scoreWeights: weights, draws: count, noise: noise, rows: rows)
  }

  private func index(_ k: Int, _ row: Int) -> Int { k * rows + row }

  /// f̄ of a state, over all its draws.
  private func meanObjective(at row: Int) -> Float {
    var sum: Float = 0
    for k in 0..<count { sum += objectives[index(k, row)] }
    return sum / Float(count)
  }
}
