// CategoricalCritics.swift — critics whose outputs are a distribution of the return over fixed values (C51), and their gradients.

import Kernels
import Platform

/// Critics Z_j(s, a) = Σ_i p_ji δ(z_i) with p_j = softmax l_j over M values z, of networks that normalise batches.
///
/// They learn from `evaluateJointly`, whose rows 0 ..< B are (s, a) and B ..< 2B are (s′, a′); elsewhere they are normalised by
/// their running statistics.
package final class CategoricalCritics: Ensemble, @unchecked Sendable {
  package let networks: [Parameters]
  private let support: ReturnSupport
  /// Q_j = Σ_i p_ji z_i at the rows of the last evaluation.
  private let values: FixedArray<Block>  // J × (2B)
  private let logits: FixedArray<Matrix>  // J × (2B × M)
  private let probabilities: FixedArray<Matrix>  // J × (2B × M)
  private let normalizers: FixedArray<Block>  // J × (2B), log Σ exp(l)
  private let logitGradients: FixedArray<Matrix>  // J × (2B × M)
  /// The cross-entropy of each row in the last backward pass.
  private let losses: FixedArray<Block>  // J × (B)
  private let activations: FixedArray<Activations>
  private let inputGradients: FixedArray<Matrix>  // J × (B × A)
  /// The batch row of each gathered row.
  private let owners: FixedArray<RowIndices>  // J × (B)
  /// The number of rows gathered for each critic.
  package let gathered: RowIndices  // (J)
  private let bounds: (low: Float, high: Float)

  /// What a network's buffers are for.
  private enum Purpose { case learning, following, looking }

  /// - Parameters:
  ///   - atoms: M.
  ///   - bounds: the smallest and the largest value of a return.
  ///   - batchSize: B.
  package convenience init(
    count: Int, atoms: Int, bounds: (low: Float, high: Float), observationSize: Int, actionSize: Int,
    hiddenSizes: [Int], batchSize: Int, batchNormalization: BatchNormalization
  ) {
    let layout = Layout(
      inputs: observationSize + actionSize, gradientInputs: actionSize, blocks: [NetworkBlock](hiddenSizes),
      outputs: [(nil, atoms)], scalar: false, batchNormalization: batchNormalization, hasUnitLengths: true)
    self.init(
      (0..<count).map { _ in Parameters(layout, isLearned: true) }, bounds, actionSize: actionSize,
      rows: 2 * batchSize, .learning)
  }

  /// Target critics: of the same layout, with parameters of their own, which are only ever tracked. They are only ever evaluated
  /// jointly, so that they keep no running statistics.
  package convenience init(following other: CategoricalCritics) {
    self.init(
      other.networks.map { Parameters($0.layout, isLearned: false, keepsStatistics: false) }, other.bounds,
      actionSize: 0, rows: other.values[0].count, .following)
  }

  /// The same networks with buffers of their own, to look at other rows.
  package convenience init(sharing other: CategoricalCritics, rows: Int) {
    self.init(other.networks, other.bounds, actionSize: 0, rows: rows, .looking)
  }

  private init(
    _ networks: [Parameters], _ bounds: (low: Float, high: Float), actionSize: Int, rows: Int, _ purpose: Purpose
  ) {
    let layout = networks[0].layout
    let atoms = layout.output.outputs
    (self.networks, self.bounds) = (networks, bounds)
    support = ReturnSupport(low: bounds.low, high: bounds.high, count: atoms)
    let learned = purpose == .learning ? networks.count : 0
    values = FixedArray(count: networks.count) { _ in Block(count: rows) }
    logits = FixedArray(count: networks.count) { _ in Matrix(rows: rows, columns: atoms) }
    probabilities = FixedArray(count: networks.count) { _ in Matrix(rows: rows, columns: atoms) }
    normalizers = FixedArray(count: networks.count) { _ in Block(count: rows) }
    logitGradients = FixedArray(count: learned) { _ in Matrix(rows: rows, columns: atoms) }
    losses = FixedArray(count: learned) { _ in Block(count: rows / 2) }
    activations = FixedArray(count: networks.count) { _ in
      Activations(layout, rows: rows, forLearning: purpose == .learning, forBatches: purpose != .looking)
    }
    inputGradients = FixedArray(count: learned) { _ in Matrix(rows: rows / 2, columns: actionSize) }
    owners = FixedArray(count: learned) { _ in RowIndices(count: rows / 2) }
    gathered = RowIndices(count: networks.count)
  }

  // MARK: values

  /// Z_j at B pairs and at the next ones, normalised together; the running statistics move.
  package func evaluateJointly(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, next nextObservations: borrowing Matrix,
    _ nextActions: borrowing Matrix, by workers: WorkerPool
  ) {
    workers.join(observations, actions, next: nextObservations, nextActions, into: activations)
    workers.forwardBatch(networks, activations, rows: 2 * observations.rows) { j, rows in
      let layout = networks[j].layout
      denseForward(
        Input(activations[j].normalized[layout.blocks.count]), networks[j].values, at: layout.output.offset,
        into: logits[j], rectify: false, rows: rows)
      describe(j, rows: rows)
    }
  }

  /// Z_j(s, a) of critic j by its running statistics, for some rows.
  package func evaluate(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Range<Int>
  ) {
    networks[j].forward(Input(observations, actions), activations[j], into: logits[j], rows: rows)
    describe(j, rows: rows)
  }

  private func describe(_ j: Int, rows: Range<Int>) {
    categoricalForward(
      logits[j], support, into: probabilities[j], means: values[j], normalizers: normalizers[j], rows: rows)
  }

  /// Q_j at a row of the last evaluation.
  package func value(_ j: Int, at row: Int) -> Float { values[j][row] }

  /// p_ji at a row of the last evaluation.
  package func probability(_ j: Int, _ i: Int, at row: Int) -> Float { probabilities[j][row, i] }

  /// z_i
  package func atom(_ i: Int) -> Float { support.value(i) }

  /// min_j Q_j at a row of the last evaluation; NaN if one of them is.
  package func minimum(at row: Int) -> Float { rowMinimum(of: values, at: row) }

  /// The distribution of clip(c + g z), z as the critic with the smaller Q_j has it at (s′, a′) of the last joint pass over B rows,
  /// for some rows, and its mean; NaN where one of the Q_j is.
  ///
  /// - Parameters:
  ///   - shifts: c (B).
  ///   - factors: g (B).
  ///   - targets: (B × M).
  ///   - means: (B).
  package func projectNext(
    of batch: Int, shifts: borrowing Block, factors: borrowing Block, into targets: borrowing Matrix,
    means: borrowing Block, rows: Range<Int>
  ) {
    for row in rows {
      var smallest = 0
      for j in 1..<max(1, count) where values[j][batch + row] < values[smallest][batch + row] { smallest = j }
      let isKnown = !minimum(at: batch + row).isNaN
      categoricalProjection(
        probabilities[smallest], from: batch, support, shifts: shifts, factors: factors, into: targets, means: means,
        rows: row..<(row + 1))
      if !isKnown {
        targets.fill(.nan, rows: row..<(row + 1))
        means[row] = .nan
      }
    }
  }

  // MARK: gradients

  /// Back from Σ_j mean w H(m, p_j) over the first B rows of a joint pass to all that its 2B rows went through, H the cross-entropy:
  /// ∂/∂l_j = w (p_j − m) · scale in the first half and 0 in the second.
  package func backwardJointly(
    to targets: borrowing Matrix, weights: borrowing Block, scale: Float, rows: Int, by workers: WorkerPool
  ) {
    workers.forEachChunk(ofRows: rows, of: count) { j, part in
      crossEntropy(
        logits[j], probabilities[j], normalizers: normalizers[j], targets: targets, weights: weights, scale: scale,
        into: logitGradients[j], losses: losses[j], rows: part)
      logitGradients[j].fill(0, rows: (part.lowerBound + rows)..<(part.upperBound + rows))
    }
    workers.backwardBatch(networks, activations, rows: 2 * rows) { j, rows in
      networks[j].backwardBatchOutput(logitGradients[j], activations[j], rows: rows)
    }
  }

  /// ∂J_Z/∂θ_j of a share of critic j's parameters after `backwardJointly` over B rows.
  package func jointWeightGradients(_ j: Int, rows: Int, _ share: Share) {
    networks[j].weightGradients(
      Input(activations[j].input), activations[j], output: logitGradients[j], rows: 2 * rows, share)
  }

  /// Finds the rows where each critic's Q_j is the smallest. The backward pass of a row goes through its smallest critic only.
  package func gatherMinimum(rows: Int) { gatherSmallest(of: values, rows: rows, into: owners, counts: gathered) }

  /// scale · ∂ min_j Q_j / ∂a for some of the `gathered[j]` rows of critic j. No gradient of the parameters is computed.
  package func minimumActionGradient(
    _ j: Int, scale: Float, into gradient: borrowing Matrix, rows: Range<Int>
  ) {
    categoricalMeanGradient(
      probabilities[j], support, means: values[j], owners: owners[j], scale: scale, into: logitGradients[j],
      rows: rows)
    networks[j].backwardOutput(logitGradients[j], activations[j], owners: owners[j], rows: rows)
    networks[j].backwardInput(activations[j], into: inputGradients[j], rows: rows)
    for at in rows { inputGradients[j].copyRow(at, to: gradient, row: owners[j][at]) }
  }

  // MARK: metrics of the last pass

  /// Σ_j mean w H(m, p_j) of the last backward pass over the first `rows` rows.
  package func meanLoss(weights: borrowing Block, rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows { sum += Double(losses[j][row]) * Double(weights[row]) }
    }
    return sum / Double(max(1, rows))
  }

  /// |Q_j − y|, the mean over j, of the first `rows` rows.
  package func absoluteErrors(to means: borrowing Block, into errors: borrowing Block, rows: Int) {
    values.absoluteErrors(to: means, into: errors, rows: rows)
  }

  /// The mean of min_j Q_j over the first `rows` rows.
  package func meanMinimum(rows: Int) -> Double {
    (0..<rows).reduce(0) { $0 + Double(minimum(at: $1)) } / Double(max(1, rows))
  }

  /// The largest |Q_j| over the first `rows` rows; NaN if one of them is.
  package func largestValue(rows: Int) -> Double { values.largestMagnitude(rows: rows) }

  /// The probability of the smallest and the largest value together, the mean over the critics and the first `rows` rows.
  package func saturatedBins(rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows {
        sum += Double(probabilities[j][row, 0]) + Double(probabilities[j][row, support.count - 1])
      }
    }
    return sum / Double(max(1, rows * count))
  }

  /// The distance of the last batch's means from the running means, in running deviations; the mean over the critics.
  package var statisticsLag: Double { activations.statisticsLag(networks) }

  /// The share of hidden units of all critics that pass nothing back over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }
}

/// Categorical critics of one row that share the parameters of others.
package struct CategoricalCriticsOfOne: ~Copyable {
  private let critics: CategoricalCritics
  private let observation: Matrix  // (1 × S)
  private let action: Matrix  // (1 × A)

  /// Critics of one row that share the parameters of others.
  package init(_ critics: CategoricalCritics, observationSize: Int, actionSize: Int) {
    self.critics = CategoricalCritics(sharing: critics, rows: 1)
    observation = Matrix(rows: 1, columns: observationSize)
    action = Matrix(rows: 1, columns: actionSize)
  }

  /// min_j Q_j(s, a); NaN if one of them is.
  package func minimum(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    self.observation.setRow(0, to: observation)
    self.action.setRow(0, to: action)
    for j in 0..<critics.count { critics.evaluate(j, self.observation, self.action, rows: 0..<1) }
    return Double(critics.minimum(at: 0))
  }
}
