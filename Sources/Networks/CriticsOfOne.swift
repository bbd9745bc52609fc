// CriticsOfOne.swift — critics, evaluated for one observation and action.

import Kernels

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
