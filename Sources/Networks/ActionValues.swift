// ActionValues.swift — critics of discrete actions, Q_j(s, ·): a value for each of A choices, and their gradients.

import Kernels
import Platform

/// Critics of discrete actions, evaluated, trained and tracked together: one for DQN, two for discrete SAC.
package final class ActionValues: Ensemble, @unchecked Sendable {
  package let networks: [Parameters]
  /// A, the number of choices.
  package let choices: Int
  /// Q_j at the rows of the last evaluation.
  private let values: FixedArray<Matrix>  // J × (B × A)
  private let valueGradients: FixedArray<Matrix>  // J × (B × A)
  private let activations: FixedArray<Activations>

  /// - Parameter isLearned: false for target critics, which have no gradients.
  package convenience init(
    count: Int, observationSize: Int, choices: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int,
    isLearned: Bool = true
  ) {
    let layout = Layout(
      inputs: observationSize, gradientInputs: 0, blocks: [NetworkBlock](hiddenSizes, activation: activation),
      outputs: [(nil, choices)], scalar: false)
    self.init(
      (0..<count).map { _ in Parameters(layout, isLearned: isLearned) }, choices: choices, batchSize: batchSize,
      forLearning: isLearned)
  }

  /// Target critics: of the same layout, with parameters of their own, which are only ever tracked.
  package convenience init(following other: ActionValues) {
    self.init(
      other.networks.map { Parameters($0.layout, isLearned: false) }, choices: other.choices,
      batchSize: other.values[0].rows, forLearning: false)
  }

  /// The same networks with buffers of their own, for acting.
  package convenience init(sharing other: ActionValues, batchSize: Int) {
    self.init(other.networks, choices: other.choices, batchSize: batchSize, forLearning: false)
  }

  private init(_ networks: [Parameters], choices: Int, batchSize: Int, forLearning: Bool) {
    self.networks = networks
    self.choices = choices
    values = FixedArray(count: networks.count) { _ in Matrix(rows: batchSize, columns: choices) }
    valueGradients = FixedArray(count: forLearning ? networks.count : 0) { _ in
      Matrix(rows: batchSize, columns: choices)
    }
    activations = FixedArray(count: networks.count) { _ in
      Activations(networks[0].layout, rows: batchSize, forLearning: forLearning)
    }
  }

  // MARK: values

  /// Q_j(s, ·) of critic j for some rows.
  package func evaluate(_ j: Int, _ observations: borrowing Matrix, rows: Range<Int>) {
    networks[j].forward(Input(observations), activations[j], into: values[j], rows: rows)
  }

  /// Q_j(s, a) at a row of the last evaluation.
  package func value(_ j: Int, of choice: Int, at row: Int) -> Float { values[j][row, choice] }

  /// min_j Q_j(s, a) at a row of the last evaluation.
  package func minimum(of choice: Int, at row: Int) -> Float {
    var minimum = values[0][row, choice]
    // NaN must not be hidden by the other value
    for j in 1..<max(1, count) where values[j][row, choice] < minimum || values[j][row, choice].isNaN {
      minimum = values[j][row, choice]
    }
    return minimum
  }

  /// The largest |Q_j(s, a)| of one choice in each of the first `rows` rows of the last evaluation; NaN if one of them is.
  package func largestValue(rows: Int, of choice: (_ row: Int) -> Int) -> Double {
    var largest: Float = 0
    for row in 0..<rows {
      let taken = choice(row)
      for j in 0..<count {
        let size = abs(values[j][row, taken])
        if size > largest || size.isNaN { largest = size }
      }
    }
    return Double(largest)
  }

  /// The share of the critics' hidden units that are zero over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }

  /// argmax_a Q_0(s, a) at a row of the last evaluation; ties go to the first.
  package func best(at row: Int) -> Int { values[0].indexOfMaximum(inRow: row) }

  // MARK: gradients

  /// The backward pass of the loss mean w ℓ(Q_j(s, a) − y) to critic j's hidden layers, for some rows:
  /// ∂/∂Q_j(s, a) = w ℓ′(Q_j(s, a) − y) · scale, and 0 for the actions that were not taken.
  ///
  /// - Parameter actions: the index of the action taken (B × 1).
  package func backward(
    _ j: Int, _ loss: ValueLoss, to targets: borrowing Block, weights: borrowing Block, actions: borrowing Matrix,
    scale: Float, rows: Range<Int>
  ) {
    valueGradients[j].fill(0, rows: rows)
    for row in rows {
      let taken = actions.choice(at: row, below: choices)
      valueGradients[j][row, taken] = loss.derivative(values[j][row, taken] - targets[row]) * scale * weights[row]
    }
    networks[j].backwardOutput(valueGradients[j], activations[j], rows: rows)
  }

  /// ∂J_Q/∂θ_j of a share of critic j's parameters, over the first `rows` rows of the last backward pass.
  package func weightGradients(_ j: Int, _ observations: borrowing Matrix, rows: Int, _ share: Share) {
    networks[j].weightGradients(Input(observations), activations[j], output: valueGradients[j], rows: rows, share)
  }

  // MARK: loss

  /// Σ_j mean w ℓ(Q_j(s, a) − y) over the first `rows` rows.
  package func mean(
    _ loss: ValueLoss, to targets: borrowing Block, weights: borrowing Block, actions: borrowing Matrix, rows: Int
  ) -> Double {
    var sum = 0.0
    for j in 0..<count { sum = add(loss, j, targets, weights, actions, rows: rows, to: sum) }
    return sum / Double(max(1, rows))
  }

  /// Σ_j mean w ℓ(Q_j(s, a) − y_j) over the first `rows` rows.
  package func mean(
    _ loss: ValueLoss, toEach targets: borrowing FixedArray<Block>, weights: borrowing Block,
    actions: borrowing Matrix, rows: Int
  ) -> Double {
    var sum = 0.0
    for j in 0..<count { sum = add(loss, j, targets[j], weights, actions, rows: rows, to: sum) }
    return sum / Double(max(1, rows))
  }

  private func add(
    _ loss: ValueLoss, _ j: Int, _ targets: borrowing Block, _ weights: borrowing Block, _ actions: borrowing Matrix,
    rows: Int, to start: Double
  ) -> Double {
    var sum = start
    for row in 0..<rows {
      let value = values[j][row, actions.choice(at: row, below: choices)]
      sum += loss.value(Double(value) - Double(targets[row])) * Double(weights[row])
    }
    return sum
  }

  /// |Q_j(s, a) − y|, the mean over j, of the first `rows` rows.
  package func absoluteErrors(
    to targets: borrowing Block, actions: borrowing Matrix, into errors: borrowing Block, rows: Int
  ) {
    let share = 1 / Float(count)
    for row in 0..<rows {
      let (taken, target) = (actions.choice(at: row, below: choices), targets[row])
      var sum: Float = 0
      for j in 0..<count { sum += abs(values[j][row, taken] - target) }
      errors[row] = sum * share
    }
  }

  /// |Q_j(s, a) − y_j|, the mean over j, of the first `rows` rows.
  package func absoluteErrors(
    toEach targets: borrowing FixedArray<Block>, actions: borrowing Matrix, into errors: borrowing Block, rows: Int
  ) {
    let share = 1 / Float(count)
    for row in 0..<rows {
      let taken = actions.choice(at: row, below: choices)
      var sum: Float = 0
      for j in 0..<count { sum += abs(values[j][row, taken] - targets[j][row]) }
      errors[row] = sum * share
    }
  }
}

/// The loss ℓ(e) of an error e = Q − y.
public enum ValueLoss: Sendable, Equatable {
  /// e²
  case squared
  /// ½ e² where |e| ≤ δ, δ (|e| − ½ δ) outside (Huber 1964).
  case huber(threshold: Float)

  package func value(_ error: Double) -> Double {
    switch self {
    case .squared: error * error
    case .huber(let threshold):
      abs(error) <= Double(threshold)
        ? 0.5 * error * error : Double(threshold) * (abs(error) - 0.5 * Double(threshold))
    }
  }

  /// ℓ′(e): 2 e, or e within ±δ.
  package func derivative(_ error: Float) -> Float {
    switch self {
    case .squared: 2 * error
    case .huber(let threshold): min(threshold, max(-threshold, error))
    }
  }
}

extension Matrix {
  /// The column of a row's greatest value; ties go to the first.
  func indexOfMaximum(inRow row: Int) -> Int {
    var best = 0
    for column in 1..<max(1, columns) where self[row, column] > self[row, best] { best = column }
    return best
  }

  /// The index that a row of a (B × 1) matrix of discrete actions holds.
  func choice(at row: Int, below count: Int) -> Int {
    let value = self[row, 0]
    precondition(value >= 0 && value < Float(count), "action \(value) of \(count) choices")
    return Int(value)
  }
}
