// QuantileCritics.swift — critics whose outputs are quantiles of the return, θ_j(s, a), and their gradients.

import Kernels
import Platform

/// Critics Z_j(s, a) = mean_m δ(θ_jm(s, a)): M atoms each, at the levels τ_m = (m + ½) / M.
package final class QuantileCritics: Ensemble, @unchecked Sendable {
  package let networks: [Parameters]
  /// M
  package let quantiles: Int
  /// θ_j at the rows of the last evaluation.
  private let atoms: FixedArray<Matrix>  // J × (B × M)
  private let atomGradients: FixedArray<Matrix>  // J × (B × M)
  /// The loss of each row in the last backward pass: the sum over pairs of an atom and a target.
  private let losses: FixedArray<Block>  // J × (B)
  private let activations: FixedArray<Activations>
  private let inputGradients: FixedArray<Matrix>  // J × (B × A)
  private let levels: Block  // (M)

  package convenience init(
    count: Int, quantiles: Int, observationSize: Int, actionSize: Int, blocks: [NetworkBlock], batchSize: Int
  ) {
    let layout = Layout(
      inputs: observationSize + actionSize, gradientInputs: actionSize, blocks: blocks, outputs: [(nil, quantiles)],
      scalar: false)
    self.init(
      (0..<count).map { _ in Parameters(layout, isLearned: true) }, quantiles: quantiles, actionSize: actionSize,
      batchSize: batchSize, forLearning: true)
  }

  /// Target critics: of the same layout, with parameters of their own, which are only ever tracked.
  package convenience init(following other: QuantileCritics) {
    self.init(
      other.networks.map { Parameters($0.layout, isLearned: false) }, quantiles: other.quantiles, actionSize: 0,
      batchSize: other.atoms[0].rows, forLearning: false)
  }

  /// The same networks with buffers of their own, to evaluate other rows.
  package convenience init(sharing other: QuantileCritics, batchSize: Int) {
    self.init(other.networks, quantiles: other.quantiles, actionSize: 0, batchSize: batchSize, forLearning: false)
  }

  private init(_ networks: [Parameters], quantiles: Int, actionSize: Int, batchSize: Int, forLearning: Bool) {
    (self.networks, self.quantiles) = (networks, quantiles)
    let learned = forLearning ? networks.count : 0
    atoms = FixedArray(count: networks.count) { _ in Matrix(rows: batchSize, columns: quantiles) }
    atomGradients = FixedArray(count: learned) { _ in Matrix(rows: batchSize, columns: quantiles) }
    losses = FixedArray(count: learned) { _ in Block(count: batchSize) }
    activations = FixedArray(count: networks.count) { _ in
      Activations(networks[0].layout, rows: batchSize, forLearning: forLearning)
    }
    inputGradients = FixedArray(count: learned) { _ in Matrix(rows: batchSize, columns: actionSize) }
    levels = quantileLevels(quantiles)
  }

  // MARK: values

  /// θ_j(s, a) of critic j, for some rows.
  package func evaluate(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Range<Int>
  ) {
    networks[j].forward(Input(observations, actions), activations[j], into: atoms[j], rows: rows)
  }

  /// θ_jm at a row of the last evaluation.
  package func atom(_ j: Int, _ m: Int, at row: Int) -> Float { atoms[j][row, m] }

  /// mean_m θ_jm at a row of the last evaluation.
  package func mean(_ j: Int, at row: Int) -> Float {
    var sum: Float = 0
    for m in 0..<quantiles { sum += atoms[j][row, m] }
    return sum / Float(quantiles)
  }

  /// |mean_m θ_jm − mean_k y_k|, the mean over j, of a row.
  ///
  /// - Parameters:
  ///   - targets: y (B × K).
  ///   - targetCount: K.
  package func absoluteError(to targets: borrowing Block, targetCount: Int, at row: Int) -> Float {
    var target: Float = 0
    for k in (row * targetCount)..<((row + 1) * targetCount) { target += targets[k] }
    target /= Float(targetCount)
    var sum: Float = 0
    for j in 0..<count { sum += abs(mean(j, at: row) - target) }
    return sum / Float(count)
  }

  /// The atoms of all critics but the `dropped` largest, for some rows: (B × (J M − dropped)).
  ///
  /// - Parameter largest: a buffer for the atoms that are left out (B × dropped).
  package func truncated(
    dropping dropped: Int, room largest: borrowing Block, into kept: borrowing Block, rows: Range<Int>
  ) {
    leaveOutLargest(dropped, of: atoms, room: largest, into: kept, rows: rows)
  }

  // MARK: gradients

  /// The backward pass of the quantile Huber loss of critic j's atoms to its hidden layers, for some rows: `scale` times ∂/∂θ of
  /// the sum over pairs of an atom and one of the row's K targets, times the row's weight.
  package func backward(
    _ j: Int, to targets: borrowing Block, targetCount: Int, weights: borrowing Block, scale: Float, rows: Range<Int>
  ) {
    quantileHuber(
      atoms[j], levels: levels, targets: targets, targetCount: targetCount, weights: weights, scale: scale,
      into: atomGradients[j], losses: losses[j], rows: rows)
    networks[j].backwardOutput(atomGradients[j], activations[j], rows: rows)
  }

  /// The gradient of `scale` · Σ_m θ_jm at the action, for some rows. No gradient of the parameters is computed.
  package func backwardToActions(_ j: Int, scale: Float, rows: Range<Int>) {
    atomGradients[j].fill(scale, rows: rows)
    networks[j].backwardOutput(atomGradients[j], activations[j], rows: rows)
    networks[j].backwardInput(activations[j], into: inputGradients[j], rows: rows)
  }

  /// The sum over all critics of their gradients at the actions, for some rows.
  package func addActionGradients(into gradient: borrowing Matrix, rows: Range<Int>) {
    inputGradients.sum(into: gradient, rows: rows)
  }

  /// ∂J_Z/∂θ_j of a share of critic j's parameters, over the first `rows` rows of the last backward pass.
  package func weightGradients(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Int, _ share: Share
  ) {
    networks[j].weightGradients(
      Input(observations, actions), activations[j], output: atomGradients[j], rows: rows, share)
  }

  // MARK: metrics of the last pass

  /// Σ_j Σ_i w_i Σ_m Σ_k ρ of the last backward pass over the first `rows` rows.
  package func weightedLoss(weights: borrowing Block, rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows { sum += Double(losses[j][row]) * Double(weights[row]) }
    }
    return sum
  }

  /// mean_j mean_m θ_jm, the mean over the first `rows` rows.
  package func meanValue(rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows { sum += Double(mean(j, at: row)) }
    }
    return sum / Double(max(1, rows * count))
  }

  /// The largest |mean_m θ_jm| over the first `rows` rows; NaN if one of them is.
  package func largestValue(rows: Int) -> Double {
    var largest = 0.0
    for j in 0..<count {
      for row in 0..<rows {
        let value = Double(abs(mean(j, at: row)))
        if value > largest || value.isNaN { largest = value }
      }
    }
    return largest
  }

  /// The share of pairs of neighbouring atoms, over the first `rows` rows, in which the atom of the lower level is larger; NaN for
  /// a single atom.
  package func crossedQuantiles(rows: Int) -> Double {
    var crossed = 0
    for j in 0..<count {
      for row in 0..<rows {
        for m in 1..<max(1, quantiles) where atoms[j][row, m - 1] > atoms[j][row, m] { crossed += 1 }
      }
    }
    return Double(crossed) / Double(count * rows * (quantiles - 1))
  }

  /// The share of hidden units of all critics that pass nothing back over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }
}
