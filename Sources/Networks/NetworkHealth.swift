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
