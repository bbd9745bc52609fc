// QuantilesOfOne.swift — quantile critics, evaluated for one observation and action.

import Kernels

/// Quantile critics of one row that share the parameters of others.
package struct QuantilesOfOne: ~Copyable {
  private let critics: QuantileCritics
  private let observation: Matrix  // (1 × S)
  private let action: Matrix  // (1 × A)
  private let largest: Block  // (dropped), the atoms that are left out
  private let kept: Block  // (J M − dropped)

  /// - Parameter dropped: how many of all atoms are left out, the largest.
  package init(_ critics: QuantileCritics, dropping dropped: Int, observationSize: Int, actionSize: Int) {
    self.critics = QuantileCritics(sharing: critics, batchSize: 1)
    observation = Matrix(rows: 1, columns: observationSize)
    action = Matrix(rows: 1, columns: actionSize)
    largest = Block(count: dropped)
    kept = Block(count: critics.count * critics.quantiles - dropped)
  }

  /// The mean of the atoms that a target would keep: the value that is backed up.
  package func truncatedMean(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    self.observation.setRow(0, to: observation)
    self.action.setRow(0, to: action)
    for j in 0..<critics.count { critics.evaluate(j, self.observation, self.action, rows: 0..<1) }
    critics.truncated(dropping: largest.count, room: largest, into: kept, rows: 0..<1)
    return mean(kept, count: kept.count)
  }
}
