// Critics.swift — one or several action values Q_j(s, a), their minimum, and the gradients that learning needs.

import Kernels

/// Critics that are evaluated, trained and tracked together: one for DDPG, two for TD3 and SAC.
package final class Critics: @unchecked Sendable {
  package let networks: [Parameters]
  /// Q_j at the rows of the last evaluation.
  private let values: FixedArray<Block>  // J × (B)
  private let valueGradients: FixedArray<Block>  // J × (B)
  private let activations: FixedArray<Activations>
  private let inputGradients: FixedArray<Matrix>  // J × (B × A)
  /// The rows of the batch that gathered rows belong to.
  private let owners: FixedArray<RowIndices>  // J × (B)

  /// - Parameter isLearned: false for target critics, which are only ever tracked.
  package init(
    count: Int, observationSize: Int, actionSize: Int, hiddenSizes: [Int], batchSize: Int, isLearned: Bool
  ) {
    let layout = Layout(
      inputs: observationSize + actionSize, gradientInputs: actionSize, hidden: hiddenSizes, outputs: [(nil, 1)],
      scalar: true)
    networks = (0..<count).map { _ in Parameters(layout, isLearned: isLearned) }
    values = FixedArray(count: count) { _ in Block(count: batchSize) }
    valueGradients = FixedArray(count: isLearned ? count : 0) { _ in Block(count: batchSize) }
    // targets leave nothing behind, so they share one set of hidden layers
    activations = FixedArray(count: isLearned ? count : 1) { _ in
      Activations(layout, rows: batchSize, forLearning: isLearned)
    }
    inputGradients = FixedArray(count: isLearned ? count : 0) { _ in Matrix(rows: batchSize, columns: actionSize) }
    owners = FixedArray(count: isLearned ? count : 0) { _ in RowIndices(count: batchSize) }
  }

  package var count: Int { networks.count }

  package func initialize(using generator: inout RandomStream) {
    for network in networks { network.initialize(using: &generator) }
  }

  /// θ ← other's θ, for targets at the start.
  package func copy(_ other: Critics) {
    for (network, source) in zip(networks, other.networks) { network.copy(source) }
  }

  /// θ ← rate · other + (1 − rate) · θ for a share of the parameters.
  package func track(_ other: Critics, rate: Float, _ share: Share) {
    for j in 0..<count { networks[j].track(other.networks[j], rate: rate, share) }
  }

  // MARK: values

  /// Q_j(s, a) of all critics, or of the first `members`, for some rows.
  package func evaluate(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, members: Int? = nil, rows: Range<Int>
  ) {
    let input = Input(observations, actions)
    for j in 0..<(members ?? count) {
      let network = networks[j]
      let last = activations[own(j)].last
      network.forwardHidden(input, activations[own(j)], rows: rows)
      headForward(
        activations[own(j)].hidden[last], network.values, at: network.layout.output.offset, into: values[j],
        rows: rows)
    }
  }

  /// Q_j at a row of the last evaluation.
  package func value(_ j: Int, at row: Int) -> Float { values[j][row] }

  /// min_j Q_j at a row of the last evaluation; NaN if one of them is, which `Swift.min` would hide.
  package func minimum(at row: Int) -> Float {
    var minimum = values[0][row]
    for j in 1..<max(1, count) where values[j][row] < minimum || values[j][row].isNaN { minimum = values[j][row] }
    return minimum
  }

  // MARK: gradients

  /// Back from Σ_j mean (Q_j − y)² to the hidden layers: ∂/∂Q_j = 2 (Q_j − y) · scale, for some rows.
  package func backwardSquaredError(to targets: borrowing Block, scale: Float, rows: Range<Int>) {
    for j in 0..<count {
      for row in rows { valueGradients[j][row] = 2 * (values[j][row] - targets[row]) * scale }
      backward(j, rows: rows)
    }
  }

  /// The same where each critic has a target of its own: ∂/∂Q_j = 2 (Q_j − y_j) · scale.
  package func backwardSquaredError(toEach targets: borrowing FixedArray<Block>, scale: Float, rows: Range<Int>) {
    for j in 0..<count {
      for row in rows { valueGradients[j][row] = 2 * (values[j][row] - targets[j][row]) * scale }
      backward(j, rows: rows)
    }
  }

  /// scale · ∂ min_j Q_j / ∂a for some rows. The parameters get no gradient.
  ///
  /// Each row goes back through its smallest critic only: the rows of each critic are gathered at the start of the range.
  package func minimumActionGradient(scale: Float, into gradient: borrowing Matrix, rows: Range<Int>) {
    for j in 0..<count {
      var end = rows.lowerBound
      for row in rows where smallest(at: row) == j {
        owners[j][end] = row
        valueGradients[j][end] = scale
        end += 1
      }
      let gathered = rows.lowerBound..<end
      let (network, last) = (networks[j], activations[j].last)
      headInputGradient(
        valueGradients[j], network.values, at: network.layout.output.offset, mask: activations[j].hidden[last],
        maskRows: owners[j], into: activations[j].gradients[last], rows: gathered)
      network.backwardHidden(activations[j], owners: owners[j], rows: gathered)
      network.backwardInput(activations[j], into: inputGradients[j], rows: gathered)
      for at in gathered { inputGradients[j].copyRow(at, to: gradient, row: owners[j][at]) }
    }
  }

  /// The critic with the smallest value at a row; ties go to the first.
  private func smallest(at row: Int) -> Int {
    var smallest = 0
    for j in 1..<max(1, count) where values[j][row] < values[smallest][row] { smallest = j }
    return smallest
  }

  /// scale · ∂Q_0/∂a for some rows. The parameters get no gradient.
  package func firstActionGradient(scale: Float, into gradient: borrowing Matrix, rows: Range<Int>) {
    for row in rows { valueGradients[0][row] = scale }
    backward(0, rows: rows)
    networks[0].backwardInput(activations[0], into: gradient, rows: rows)
  }

  /// ∂J_Q/∂θ of a share of every critic's parameters, over the first `rows` rows of the last backward pass.
  package func weightGradients(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Int, _ share: Share
  ) {
    let input = Input(observations, actions)
    for j in 0..<count {
      let network = networks[j]
      let output = network.layout.output
      network.hiddenWeightGradients(input, activations[j], rows: rows, share)
      headWeightGradient(
        valueGradients[j], activations[j].hidden[activations[j].last], rows: rows, into: network.gradients,
        at: output.offset, panels: share.range(of: output.panels))
    }
  }

  private func backward(_ j: Int, rows: Range<Int>) {
    let network = networks[j]
    let last = activations[j].last
    headInputGradient(
      valueGradients[j], network.values, at: network.layout.output.offset, mask: activations[j].hidden[last],
      into: activations[j].gradients[last], rows: rows)
    network.backwardHidden(activations[j], rows: rows)
  }

  /// Which hidden layers critic j writes.
  private func own(_ j: Int) -> Int { min(j, activations.count - 1) }

  // MARK: loss

  /// Σ_j mean (Q_j − y)² over the first `rows` rows.
  package func squaredError(to targets: borrowing Block, rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows {
        let error = Double(values[j][row]) - Double(targets[row])
        sum += error * error
      }
    }
    return sum / Double(max(1, rows))
  }

  /// Σ_j mean (Q_j − y_j)² over the first `rows` rows.
  package func squaredError(toEach targets: borrowing FixedArray<Block>, rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count {
      for row in 0..<rows {
        let error = Double(values[j][row]) - Double(targets[j][row])
        sum += error * error
      }
    }
    return sum / Double(max(1, rows))
  }

  /// The mean of min_j Q_j, or of Q_0 alone, over the first `rows` rows.
  package func meanMinimum(rows: Int, members: Int? = nil) -> Double {
    var sum = 0.0
    for row in 0..<rows { sum += Double(members == 1 ? values[0][row] : minimum(at: row)) }
    return sum / Double(max(1, rows))
  }

  /// The largest |Q_j| over the first `rows` rows.
  package func largestValue(rows: Int) -> Double {
    var largest = 0.0
    for j in 0..<count {
      for row in 0..<rows { largest = max(largest, Double(abs(values[j][row]))) }
    }
    return largest
  }

  /// The share of hidden units of all critics that are zero over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<activations.count { sum += activations[j].deadUnits(rows: rows) }
    return sum / Double(max(1, activations.count))
  }

  /// The mean of |Q_0| over the first `rows` rows.
  package func meanFirstMagnitude(rows: Int) -> Double {
    (0..<rows).reduce(0) { $0 + Double(abs(values[0][$1])) } / Double(max(1, rows))
  }

  // MARK: state

  /// The parameters as tensors `prefix.J.layer.K.…`.
  package func tensors(_ prefix: String) -> [Tensor] {
    networks.enumerated().flatMap { $1.tensors("\(prefix).\($0)") }
  }

  package func load(_ prefix: String, from find: (String) throws -> Tensor) throws {
    for (j, network) in networks.enumerated() { try network.load("\(prefix).\(j)", from: find) }
  }
}
