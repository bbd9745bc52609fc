// GaussianActor.swift — acting with a squashed Gaussian policy in several lanes.

import Kernels
import Networks

/// Acts by a squashed Gaussian policy: with exploration a draw, which needs no other noise (N14); without, the mean, tanh μ(s).
final class GaussianActor {
  private let policy: SquashedGaussian
  private let noise: Block  // (N × A)
  private let draw: PolicyDraw  // (N × A)
  private var stream: RandomStream

  /// - Parameters:
  ///   - policy: whose parameters it acts by, as they change.
  ///   - lanes: N, the environments that it acts in at once.
  init(sharing policy: SquashedGaussian, lanes: Int, actionSize: Int, seed: UInt64) {
    self.policy = SquashedGaussian(sharing: policy, batchSize: lanes)
    noise = Block(count: lanes * actionSize)
    draw = PolicyDraw(rows: lanes, actionSize: actionSize)
    stream = RandomStream(seed: seed, purpose: "acting")
  }

  /// Actions (n × A) for the first n rows of some observations (N × S); with exploration n is N.
  func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    guard explore else { return policy.mean(observations, into: actions, rows: 0..<rows) }
    stream.fillNormal(noise)
    policy.sample(observations, noise: noise, into: draw, rows: 0..<rows)
    for row in 0..<rows { draw.actions.copyRow(row, to: actions, row: row) }
  }

  /// Draws (n × A) by another stream: nothing that training depends on is touched.
  func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix
  ) {
    let draw = PolicyDraw(rows: rows, actionSize: actions.columns)
    let noise = Block(count: rows * actions.columns)
    stream.fillNormal(noise)
    policy.sample(observations, noise: noise, into: draw, rows: 0..<rows)
    for row in 0..<rows { draw.actions.copyRow(row, to: actions, row: row) }
  }

  /// log π(a|s) of a lane's last action chosen with exploration.
  func logProbability(lane: Int) -> Double { Double(draw.logProbabilities[lane]) }

  /// Where its stream stands.
  func codeProgress(_ coder: inout StateCoder) throws { try coder.code("acting_stream", &stream) }
}
