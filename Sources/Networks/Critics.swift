// Critics.swift — one or several critics Q_j(s, a) of real-valued actions, their minimum, and their gradients.

import Kernels
import Platform

/// Critics that are evaluated, trained and tracked together: one for DDPG, two for TD3 and SAC, ten for REDQ.
public final class Critics: Ensemble, @unchecked Sendable {
  /// The parameters of each critic.
  public let networks: [Parameters]
  /// Q_j at the rows of the last evaluation.
  @usableFromInline let values: FixedArray<Block>  // J × (B)
  let valueGradients: FixedArray<Block>  // J × (B)
  let activations: FixedArray<Activations>
  private let inputGradients: FixedArray<Matrix>  // J × (B × A)
  /// The batch row of each gathered row.
  private let owners: FixedArray<RowIndices>  // J × (B)
  /// The number of rows gathered for each critic.
  package let gathered: RowIndices  // (J)

  private let batchSize: Int

  /// Critics with ReLU in hidden layers of the given sizes.
  public convenience init(
    count: Int, observationSize: Int, actionSize: Int, hiddenSizes: [Int], batchSize: Int, isLearned: Bool = true
  ) {
    self.init(
      count: count, observationSize: observationSize, actionSize: actionSize, blocks: [NetworkBlock](hiddenSizes),
      batchSize: batchSize, isLearned: isLearned)
  }

  /// - Parameters:
  ///   - isLearned: false for target critics, which are only ever tracked.
  ///   - batchNormalization: of what every layer reads. Such critics learn from `evaluateJointly`; elsewhere they are
  ///     normalised by their running statistics.
  public convenience init(
    count: Int, observationSize: Int, actionSize: Int, blocks: [NetworkBlock], batchSize: Int, isLearned: Bool = true,
    batchNormalization: BatchNormalization? = nil
  ) {
    let layout = Layout(
      inputs: observationSize + actionSize, gradientInputs: actionSize, blocks: blocks, outputs: [(nil, 1)],
      scalar: true, batchNormalization: batchNormalization)
    self.init(layout, count: count, actionSize: actionSize, batchSize: batchSize, isLearned: isLearned)
  }

  /// Target critics: of the same layout, with parameters of their own, which are only ever tracked.
  public convenience init(following other: Critics) {
    self.init(
      other.networks[0].layout, count: other.count, actionSize: 0, batchSize: other.batchSize, isLearned: false)
  }

  private init(_ layout: Layout, count: Int, actionSize: Int, batchSize: Int, isLearned: Bool) {
    self.batchSize = batchSize
    networks = (0..<count).map { _ in Parameters(layout, isLearned: isLearned) }
    values = FixedArray(count: count) { _ in Block(count: batchSize) }
    valueGradients = FixedArray(count: isLearned ? count : 0) { _ in Block(count: batchSize) }
    activations = FixedArray(count: count) { _ in Activations(layout, rows: batchSize, forLearning: isLearned) }
    inputGradients = FixedArray(count: isLearned ? count : 0) { _ in Matrix(rows: batchSize, columns: actionSize) }
    owners = FixedArray(count: isLearned ? count : 0) { _ in RowIndices(count: batchSize) }
    gathered = RowIndices(count: count)
  }

  // MARK: values

  /// Q_j(s, a) of all critics for some rows.
  public func evaluate(_ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Range<Int>) {
    for j in 0..<count { evaluate(j, observations, actions, rows: rows) }
  }

  /// Q_j(s, a) of critic j, for some rows, without dropout.
  public func evaluate(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Range<Int>
  ) {
    evaluate(j, observations, actions, dropout: nil, rows: rows)
  }

  /// Q_j(s, a) of critic j, for some rows, with the dropout of a draw if its blocks have dropout.
  package func evaluate(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, dropout: DropoutDraw?, rows: Range<Int>
  ) {
    let network = networks[j]
    network.forward(
      Input(observations, actions), activations[j], into: values[j],
      dropout: dropout.map { NetworkDropout($0, network: j, network.layout, rows: batchSize) }, rows: rows)
  }

  /// Q_j at a row of the last evaluation.
  @inlinable
  public func value(_ j: Int, at row: Int) -> Float { values[j][row] }

  /// min_j Q_j at a row of the last evaluation; NaN if one of them is, which `Swift.min` would hide.
  @inlinable
  public func minimum(at row: Int) -> Float { rowMinimum(of: values, at: row) }

  /// The smallest Q_j of some critics at a row of the last evaluation; NaN if one of them is.
  package func minimum(of members: borrowing RowIndices, at row: Int) -> Float {
    var minimum = values[members[0]][row]
    for i in 1..<max(1, members.count) {
      let value = values[members[i]][row]
      if value < minimum || value.isNaN { minimum = value }
    }
    return minimum
  }

  // MARK: gradients

  /// The backward pass of mean w ℓ(Q_j − y) to critic j's hidden layers: ∂/∂Q_j = w ℓ′(Q_j − y) · scale, for some rows.
  public func backward(
    _ j: Int, _ loss: ValueLoss, to targets: borrowing Block, weights: borrowing Block, scale: Float, rows: Range<Int>
  ) {
    Self.errorGradient(loss, values[j], targets, weights, scale: scale, into: valueGradients[j], rows: rows)
    backward(j, rows: rows)
  }

  static func errorGradient(
    _ loss: ValueLoss, _ values: borrowing Block, _ targets: borrowing Block, _ weights: borrowing Block,
    scale: Float, into gradients: borrowing Block, rows: Range<Int>
  ) {
    for row in rows { gradients[row] = loss.derivative(values[row] - targets[row]) * scale * weights[row] }
  }

  /// Finds the rows where each critic is the smallest. The backward pass of a row goes through its smallest critic only.
  package func gatherMinimum(rows: Int) { gatherSmallest(of: values, rows: rows, into: owners, counts: gathered) }

  /// scale · ∂ min_j Q_j / ∂a for some of the `gathered[j]` rows of critic j. No gradient of the parameters is computed.
  package func minimumActionGradient(
    _ j: Int, scale: Float, into gradient: borrowing Matrix, rows: Range<Int>
  ) {
    valueGradients[j].fill(scale, rows)
    let network = networks[j]
    network.backwardOutput(valueGradients[j], activations[j], owners: owners[j], rows: rows)
    network.backwardInput(activations[j], into: inputGradients[j], rows: rows)
    for at in rows { inputGradients[j].copyRow(at, to: gradient, row: owners[j][at]) }
  }

  /// scale · ∂Q_0/∂a for some rows. No gradient of the parameters is computed.
  public func firstActionGradient(scale: Float, into gradient: borrowing Matrix, rows: Range<Int>) {
    valueGradients[0].fill(scale, rows)
    backward(0, rows: rows)
    networks[0].backwardInput(activations[0], into: gradient, rows: rows)
  }

  /// scale · ∂Q_j/∂a for some rows, kept to be added up over the critics. No gradient of the parameters is computed.
  package func backwardToActions(_ j: Int, scale: Float, rows: Range<Int>) {
    valueGradients[j].fill(scale, rows)
    backward(j, rows: rows)
    networks[j].backwardInput(activations[j], into: inputGradients[j], rows: rows)
  }

  /// The sum over all critics of their gradients at the actions, for some rows.
  package func addActionGradients(into gradient: borrowing Matrix, rows: Range<Int>) {
    inputGradients.sum(into: gradient, rows: rows)
  }

  /// ∂J_Q/∂θ_j of a share of critic j's parameters, over the first `rows` rows of the last backward pass.
  public func weightGradients(
    _ j: Int, _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Int, _ share: Share
  ) {
    networks[j].weightGradients(
      Input(observations, actions), activations[j], output: valueGradients[j], rows: rows, share)
  }

  private func backward(_ j: Int, rows: Range<Int>) {
    networks[j].backwardOutput(valueGradients[j], activations[j], rows: rows)
  }

  // MARK: loss

  /// Σ_j mean w ℓ(Q_j − y) over the first `rows` rows.
  public func mean(
    _ loss: ValueLoss, to targets: borrowing Block, weights: borrowing Block, rows: Int
  ) -> Double {
    var sum = 0.0
    for j in 0..<count { sum += Self.sum(loss, values[j], targets, weights, rows: rows) }
    return sum / Double(max(1, rows))
  }

  /// Σ_j mean w ℓ(Q_j − y_j) over the first `rows` rows.
  package func mean(
    _ loss: ValueLoss, toEach targets: borrowing FixedArray<Block>, weights: borrowing Block, rows: Int
  ) -> Double {
    var sum = 0.0
    for j in 0..<count { sum += Self.sum(loss, values[j], targets[j], weights, rows: rows) }
    return sum / Double(max(1, rows))
  }

  private static func sum(
    _ loss: ValueLoss, _ values: borrowing Block, _ targets: borrowing Block, _ weights: borrowing Block, rows: Int
  ) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      sum += loss.value(Double(values[row]) - Double(targets[row])) * Double(weights[row])
    }
    return sum
  }

  /// |Q_j − y_j|, the mean over j, of the first `rows` rows.
  package func absoluteErrors(toEach targets: borrowing FixedArray<Block>, into errors: borrowing Block, rows: Int) {
    let share = 1 / Float(count)
    for row in 0..<rows {
      var sum: Float = 0
      for j in 0..<count { sum += abs(values[j][row] - targets[j][row]) }
      errors[row] = sum * share
    }
  }

  /// |Q_j − y|, the mean over j, of the first `rows` rows.
  package func absoluteErrors(to targets: borrowing Block, into errors: borrowing Block, rows: Int) {
    values.absoluteErrors(to: targets, into: errors, rows: rows)
  }

  /// The mean of min_j Q_j, or of Q_0 alone, over the first `rows` rows.
  public func meanMinimum(rows: Int, members: Int? = nil) -> Double {
    var sum = 0.0
    for row in 0..<rows { sum += Double(members == 1 ? values[0][row] : minimum(at: row)) }
    return sum / Double(max(1, rows))
  }

  /// The mean of all Q_j over the first `rows` rows.
  package func meanValue(rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows { sum += Double(values[j][row]) }
    }
    return sum / Double(max(1, rows * count))
  }

  /// How much the critics differ over the first `rows` rows.
  ///
  /// - Returns: `spread`, √ mean_j (Q_j − mean_j Q_j)², the mean over the rows; `relative`, the spread over the deviation of
  ///   mean_j Q_j among the rows, NaN for one critic, or where all rows have one value.
  package func disagreement(rows: Int) -> (spread: Double, relative: Double) {
    let meanValue = meanValue(rows: rows)
    var (spread, squaresOfMeans) = (0.0, 0.0)
    for row in 0..<rows {
      var mean = 0.0
      for j in 0..<count { mean += Double(values[j][row]) }
      mean /= Double(count)
      var squares = 0.0
      for j in 0..<count { squares += (Double(values[j][row]) - mean) * (Double(values[j][row]) - mean) }
      spread += (squares / Double(count)).squareRoot()
      squaresOfMeans += (mean - meanValue) * (mean - meanValue)
    }
    spread /= Double(max(1, rows))
    let deviation = (squaresOfMeans / Double(max(1, rows))).squareRoot()
    return (spread, count > 1 && deviation > 0 ? spread / deviation : .nan)
  }

  /// The largest |Q_j| over the first `rows` rows; NaN if one of them is.
  package func largestValue(rows: Int) -> Double { values.largestMagnitude(rows: rows) }

  /// The share of hidden units of all critics that are zero over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }

  /// The mean of |Q_0| over the first `rows` rows.
  package func meanFirstMagnitude(rows: Int) -> Double {
    (0..<rows).reduce(0) { $0 + Double(abs(values[0][$1])) } / Double(max(1, rows))
  }
}
