// ObservationNormalization.swift — a fixed normalisation of observations: from data, or from a run at one moment.

import Kernels

/// A fixed normalisation of observations: clip((s − mean) / scale, ±clip).
///
/// It is computed in `Float`, as in acting and learning, so a policy file with it gives the same bits as the run. Rounding the
/// mean to `Float` moves a value by at most half a unit in the mean's last place, no more than the observation itself was
/// rounded.
public struct ObservationNormalization: Sendable, Equatable {
  /// The mean that is subtracted.
  public let mean: [Float]  // (S)
  /// The divisor.
  public let scale: [Float]  // (S)
  /// The bound of the result on both sides; nil for none.
  public let clip: Float?

  /// - Precondition: there is a scale for each mean, and all are above 0.
  public init(mean: [Float], scale: [Float], clip: Float? = nil) {
    precondition(mean.count == scale.count && scale.allSatisfy { $0 > 0 }, "\(mean.count) means, scales \(scale)")
    (self.mean, self.scale, self.clip) = (mean, scale, clip)
  }

  /// Over the states of all transitions of fixed data: scale = standard deviation of the population + ε, nothing clipped
  /// (Fujimoto 2021, sec. 5).
  public init(of buffer: borrowing ReplayBuffer, epsilon: Float) {
    let size = buffer.observationSize
    var (sums, squares, count) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size), 0.0)
    // two passes, the second about the mean
    for pass in 0..<2 {
      let mean = pass == 0 ? sums : sums.map { $0 / max(1, count) }
      buffer.forEachFrame { frame in
        let begin = frame.startIndex
        guard frame[frame.endIndex - 1] >= 0 else { return }
        for i in 0..<size {
          if pass == 0 {
            sums[i] += Double(frame[begin + i])
          } else {
            let difference = Double(frame[begin + i]) - mean[i]
            squares[i] += difference * difference
          }
        }
        if pass == 0 { count += 1 }
      }
    }
    mean = sums.map { Float($0 / max(1, count)) }
    scale = squares.map { Float(($0 / max(1, count)).squareRoot()) + epsilon }
    clip = nil
  }

  /// Normalises one observation in place.
  public func apply(to observation: inout [Float]) {
    precondition(observation.count == mean.count, "\(observation.count) values for \(mean.count) means")
    for i in observation.indices {
      let value = (observation[i] - mean[i]) / scale[i]
      observation[i] = clip.map { value > $0 ? $0 : value < -$0 ? -$0 : value } ?? value
    }
  }

  /// A normaliser for whole matrices of up to `rows` rows.
  package func rowNormalizer(rows: Int = 0) -> RowNormalizer {
    let normalizer = RowNormalizer(size: mean.count, bound: clip ?? .infinity, rows: rows)
    for i in mean.indices { normalizer.set(i, mean: mean[i], scale: scale[i]) }
    return normalizer
  }
}
