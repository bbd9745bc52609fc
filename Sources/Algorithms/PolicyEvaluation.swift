// PolicyEvaluation.swift — the protocol of fitted Q evaluation, for real-valued and discrete actions.

import Kernels
import Networks
import Replay

/// Learns Q^π of a given policy with several critics.
package protocol PolicyEvaluation: Algorithm where Configuration == FittedQEvaluation.Configuration {
  /// Whether a stochastic policy is evaluated by its draws, as it explores, or by its best guess.
  var drawsActions: Bool { get set }

  /// Takes the policy to be evaluated from tensors named `policy.…`.
  ///
  /// - Parameters:
  ///   - activation: that of the policy's hidden layers, which no tensor shows; nil: as configured.
  ///   - normalization: what the policy normalises observations by. The critics see them as the data have them: they
  ///     estimate the environment's own value, whatever the policy makes of what it sees.
  func loadPolicy(
    activation: Activation?, normalization: ObservationNormalization?, from find: (String) throws -> Tensor
  ) throws

  /// Q_j(s, a) of every critic (J × n) for n observations (n × S) and actions (n × A, or n × 1: their indices), row by row.
  func actionValues(_ observations: [Float], _ actions: [Float]) -> [[Double]]

  /// V_j(s) = E_{a ~ π(·|s)}[ Q_j(s, a) − α log π(a|s) ] of every critic (J × n).
  ///
  /// - Parameter draws: of actions for each state, where the expectation is not exact.
  func stateValues(_ observations: [Float], draws: Int, using stream: inout RandomStream) -> [[Double]]
}

extension PolicyEvaluation {
  /// Takes the policy to be evaluated, with the activation that is configured.
  package func loadPolicy(normalization: ObservationNormalization?, from find: (String) throws -> Tensor) throws {
    try loadPolicy(activation: nil, normalization: normalization, from: find)
  }

  /// Copies some of n observations (n × S) at a time into the rows of a matrix (B × S).
  func forEachChunk(
    of observations: [Float], into matrix: borrowing Matrix, _ body: (_ rows: Int, _ start: Int) -> Void
  ) {
    let (size, count) = (matrix.columns, observations.count / matrix.columns)
    var start = 0
    while start < count {
      let rows = min(matrix.rows, count - start)
      for row in 0..<rows {
        let at = (start + row) * size
        matrix.setRow(row, to: observations.span.extracting(at..<(at + size)))
      }
      body(rows, start)
      start += rows
    }
  }
}
