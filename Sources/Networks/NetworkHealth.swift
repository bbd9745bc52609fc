// NetworkHealth.swift — measures of a network's health: dead units, norms, saturation. Nothing is changed.

import Kernels

extension Activations {
  /// The share of hidden units that pass no gradient back for any of the first `rows` rows: with ReLU units that are zero, with
  /// another activation units with |f′| of at most `flat`.
  package borrowing func deadUnits(rows: Int) -> Double {
    var (dead, total) = (0, 0)
    for k in 0..<hidden.count {
      let isRectified = blocks[k].activation == .relu
      for unit in 0..<hidden[k].columns {
        total += 1
        let isAlive = (0..<rows).contains { row in
          if normalizesFirst { return normalized[k + 1][row, unit] > 0 }
          return isRectified ? hidden[k][row, unit] > 0 : abs(slopes[k][row, unit]) > Self.flat
        }
        if !isAlive { dead += 1 }
      }
    }
    return Double(dead) / Double(max(1, total))
  }

  /// The largest slope of a saturated unit: tanh has it at an output of 0.995.
  private static var flat: Float { 0.01 }
}

/// ‖θ‖ over several networks together.
package func parameterNorm(_ networks: [Parameters]) -> Double {
  networks.reduce(0) { $0 + Double(squaredNorm($1.values, range: 0..<$1.values.count)) }.squareRoot()
}

/// ‖∂L/∂θ‖ of the last update over several networks together.
package func gradientNorm(_ networks: [Parameters]) -> Double {
  networks.reduce(0) { $0 + Double(squaredNorm($1.gradients, range: 0..<$1.gradients.count)) }.squareRoot()
}

/// The share of values in the first `rows` rows with an absolute value above `limit`.
package func share(of values: borrowing Matrix, above limit: Float, rows: Int) -> Double {
  var above = 0
  for row in 0..<rows {
    for column in 0..<values.columns where abs(values[row, column]) > limit { above += 1 }
  }
  return Double(above) / Double(max(1, rows * values.columns))
}

/// Critics that evaluate one observation and action at a time, with buffers of their own.
public struct CriticsOfOne: ~Copyable {
  private let networks: [Parameters]
  private let activations: Activations
  private let observation: Matrix  // (1 × S)
  private let action: Matrix  // (1 × A)
  private let values: FixedArray<Block>  // J × (1)

  /// Critics of one row that share the parameters of others.
  public init(_ critics: Critics, observationSize: Int, actionSize: Int) {
    networks = critics.networks
    activations = Activations(critics.networks[0].layout, rows: 1, forLearning: false)
    observation = Matrix(rows: 1, columns: observationSize)
    action = Matrix(rows: 1, columns: actionSize)
    values = FixedArray(count: critics.count) { _ in Block(count: 1) }
  }

  /// min_j Q_j(s, a); NaN if one of them is, which `Swift.min` would hide.
  public func minimum(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    self.observation.setRow(0, to: observation)
    self.action.setRow(0, to: action)
    for (j, network) in networks.enumerated() {
      network.forward(Input(self.observation, self.action), activations, into: values[j], rows: 0..<1)
    }
    return Double(rowMinimum(of: values, at: 0))
  }
}
