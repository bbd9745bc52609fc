// NearestActions.swift — how far a policy is from the data: its actions against those taken in the nearest states.

import Algorithms
import Kernels
import Networks
import Platform
import Replay

/// The share of states in which the data hold no action near the policy's.
///
/// For a sample of the data's next states s′, where targets ask Q̄(s′, a′): the k nearest of a sample of the data's states,
/// each coordinate divided by its standard deviation, and the least distance of a′ ~ π(·|s′) to the actions taken there,
/// as the root mean square over the A values, in units of [−1, 1]. A choice is 0 away from itself and 1 from any other.
public struct NearestActions: Codable, Sendable, Equatable {
  /// Share of the states asked whose nearest action is farther than `distance`.
  public let shareOutside: Double
  /// The distance that counts as far.
  public let distance: Double
  /// Mean least distance.
  public let meanDistance: Double
  /// k, how many states were asked, and among how many neighbours were sought.
  public let neighbours: Int
  /// States at which the policy's action was looked at.
  public let statesAsked: Int
  /// States of the data among which neighbours were sought.
  public let statesSearched: Int

  /// How far is far: the root mean square distance that two uniformly drawn actions have is 0.82.
  public static let defaultDistance = 0.5
  /// The share outside from which a result carries a warning.
  public static let warningShare = 0.1

  init(
    of policy: FixedPolicy, drawsActions: Bool, in buffer: borrowing ReplayBuffer, distance: Double, seed: UInt64,
    asked: Int = 1000, searched: Int = 20_000, neighbours: Int = 10
  ) {
    let (s, a) = (buffer.observationSize, buffer.actionSize)
    var stream = RandomStream(seed: seed, purpose: "nearest actions")
    let workers = WorkerPool(count: 1)
    func draw(_ count: Int) -> Batch {
      let batch = Batch(count: count, observationSize: s, actionSize: a)
      buffer.sample(into: batch, using: &stream, workers: workers)
      return batch
    }
    let asked = min(asked, buffer.count)
    let searched = min(searched, buffer.count)
    let queries = draw(asked)
    let data = draw(searched)
    var (mean, deviation) = ([Float](repeating: 0, count: s), [Float](repeating: 0, count: s))
    for i in 0..<s {
      var (sum, squares) = (0.0, 0.0)
      for row in 0..<searched { sum += Double(data.observations[row, i]) }
      for row in 0..<searched {
        let difference = Double(data.observations[row, i]) - sum / Double(searched)
        squares += difference * difference
      }
      (mean[i], deviation[i]) = (Float(sum / Double(searched)), Float((squares / Double(searched)).squareRoot()))
    }
    func normalized(_ matrix: borrowing Matrix, _ rows: Int) -> [Float] {
      var values: [Float] = []
      values.reserveCapacity(rows * s)
      for row in 0..<rows {
        for i in 0..<s { values.append(deviation[i] > 0 ? (matrix[row, i] - mean[i]) / deviation[i] : 0) }
      }
      return values
    }
    let (points, states) = (normalized(queries.nextObservations, asked), normalized(data.observations, searched))

    let drawn = PolicyDraw(rows: asked, actionSize: a)
    let noise = Block(count: asked * a)
    if drawsActions { stream.fillNormal(noise) }
    policy.draw(queries.nextObservations, noise: noise, into: drawn, rows: 0..<asked)

    var (far, total) = (0, 0.0)
    for query in 0..<asked {
      var best: [(distance: Float, row: Int)] = []
      for row in 0..<searched {
        var sum: Float = 0
        for i in 0..<s {
          let difference = points[query &* s &+ i] - states[row &* s &+ i]
          sum += difference * difference
        }
        if best.count < neighbours || sum < best[best.count - 1].distance {
          if best.count == neighbours { best.removeLast() }
          best.insert((sum, row), at: best.firstIndex { $0.distance > sum } ?? best.count)
        }
      }
      let least =
        best.map { neighbour in
          (0..<a).reduce(0.0) {
            let difference = Double(drawn.actions[query, $1]) - Double(data.actions[neighbour.row, $1])
            return $0 + (policy.chooses ? (difference == 0 ? 0 : 1) : difference * difference)
          }
        }.min() ?? 0
      let nearest = (least / Double(a)).squareRoot()
      total += nearest
      if nearest > distance { far += 1 }
    }
    shareOutside = Double(far) / Double(asked)
    self.distance = distance
    meanDistance = total / Double(asked)
    (self.neighbours, statesAsked, statesSearched) = (min(neighbours, searched), asked, searched)
  }

  /// One line for a result, where too much is outside; nil where not.
  ///
  /// - Parameter choices: how many there are; nil where actions are real-valued.
  func warning(choices: Int?) -> String? {
    guard shareOutside > Self.warningShare else { return nil }
    let percent = (1000 * shareOutside).rounded() / 10
    if choices != nil {
      return
        "the policy is far outside the data: in \(percent) % of \(statesAsked) states the data took its choice in none of the "
        + "\(neighbours) nearest; Q is guessed there, not learned"
    }
    return
      "the policy is far outside the data: in \(percent) % of \(statesAsked) states the nearest action of the data "
      + "is more than \(distance) away (root mean square per action value, of [−1, 1]); Q is guessed there, not learned"
  }
}
