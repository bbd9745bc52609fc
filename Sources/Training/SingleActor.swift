// SingleActor.swift — an algorithm asked about one observation at a time, without exploration and without allocating.

import Algorithms
import Kernels

/// Room for one observation and its action.
final class SingleActor {
  private let observation: Matrix  // (1 × S)
  private let action: Matrix  // (1 × A)
  private var values: [Float]  // (A)

  init(observationSize: Int, actionSize: Int) {
    observation = Matrix(rows: 1, columns: observationSize)
    action = Matrix(rows: 1, columns: actionSize)
    values = [Float](repeating: 0, count: actionSize)
  }

  /// π(s), in [−1, 1].
  func act(_ algorithm: any Algorithm, _ observation: Span<Float>, into result: inout MutableSpan<Float>) {
    self.observation.setRow(0, to: observation)
    algorithm.act(self.observation, rows: 1, explore: false, into: action)
    action.copyRow(0, into: &result)
  }

  /// Q(s, π(s)).
  func value(of algorithm: any Algorithm, _ observation: [Float]) -> Double {
    value(of: algorithm, observation, &values)
  }

  // `values` is passed so that spans may reach into it
  private func value(of algorithm: any Algorithm, _ observation: [Float], _ values: inout [Float]) -> Double {
    var span = values.mutableSpan
    act(algorithm, observation.span, into: &span)
    return algorithm.value(observation.span, values.span)
  }
}
