// SingleActor.swift — an algorithm asked about one observation at a time.

import Algorithms
import Kernels
import Replay

/// Room for one observation and its action.
final class SingleActor {
  private let observation: Matrix  // (1 × S)
  private let action: Matrix  // (1 × A)
  private var values: [Float]  // (A)
  private var state: [Float]  // (S), an observation as the networks see it
  /// What the networks see observations by; it is only read. Nil: as they are.
  private let normalizer: ObservationNormalizer?

  init(observationSize: Int, actionSize: Int, normalizer: ObservationNormalizer? = nil) {
    self.normalizer = normalizer
    state = [Float](repeating: 0, count: observationSize)
    observation = Matrix(rows: 1, columns: observationSize)
    action = Matrix(rows: 1, columns: actionSize)
    values = [Float](repeating: 0, count: actionSize)
  }

  /// π(s), in [−1, 1].
  func act(_ algorithm: any Algorithm, _ observation: Span<Float>, into result: inout MutableSpan<Float>) {
    self.observation.setRow(0, to: observation)
    normalizer?.apply(to: self.observation, rows: 0..<1)
    algorithm.act(self.observation, rows: 1, explore: false, into: action)
    action.copyRow(0, into: &result)
  }

  /// An action drawn from the policy; without a stream its best guess.
  func act(
    _ algorithm: any Algorithm, _ observation: Span<Float>, drawingFrom stream: inout RandomStream?,
    into result: inout MutableSpan<Float>
  ) {
    guard var drawing = stream else { return act(algorithm, observation, into: &result) }
    self.observation.setRow(0, to: observation)
    normalizer?.apply(to: self.observation, rows: 0..<1)
    algorithm.sample(self.observation, rows: 1, using: &drawing, into: action)
    action.copyRow(0, into: &result)
    stream = drawing
  }

  /// Q(s, π(s)).
  func value(of algorithm: any Algorithm, _ observation: [Float]) -> Double {
    value(of: algorithm, observation, &values)
  }

  /// Q(s, a), with a in [−1, 1].
  func value(of algorithm: any Algorithm, _ observation: Span<Float>, _ action: Span<Float>) -> Double {
    guard let normalizer else { return algorithm.value(observation, action) }
    return value(of: algorithm, normalizer, observation, action, &state)
  }

  // `values` and `state` are passed so that spans may reach into them
  private func value(of algorithm: any Algorithm, _ observation: [Float], _ values: inout [Float]) -> Double {
    var span = values.mutableSpan
    act(algorithm, observation.span, into: &span)
    return value(of: algorithm, observation.span, values.span)
  }

  private func value(
    of algorithm: any Algorithm, _ normalizer: ObservationNormalizer, _ observation: Span<Float>,
    _ action: Span<Float>, _ state: inout [Float]
  ) -> Double {
    var span = state.mutableSpan
    normalizer.normalize(observation, into: &span)
    return algorithm.value(state.span, action)
  }
}
