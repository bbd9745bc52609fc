// ChoicesOfOne.swift — critics over choices, evaluated for one observation.

import Kernels

/// Critics over A choices that evaluate one observation at a time, with buffers of their own.
package struct ChoicesOfOne: ~Copyable {
  private let critics: ActionValues
  private let observation: Matrix  // (1 × S)

  /// Critics of one row that share the parameters of others.
  package init(_ critics: ActionValues, observationSize: Int) {
    self.critics = ActionValues(sharing: critics, batchSize: 1)
    observation = Matrix(rows: 1, columns: observationSize)
  }

  /// min_j Q_j(s, a) of a choice a; NaN if one of them is.
  package func minimum(_ observation: Span<Float>, of choice: Int) -> Double {
    self.observation.setRow(0, to: observation)
    for j in 0..<critics.count { critics.evaluate(j, self.observation, rows: 0..<1) }
    return Double(critics.minimum(of: choice, at: 0))
  }
}
