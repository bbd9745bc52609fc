// GivenNormalization.swift — normalisation by statistics that the caller of a run keeps, such as a wrapper of its environments.
//
//   s̃ = clip((s − μ) / σ, ±c)   in double precision, rounded once        r̃ = clip(r / D, ±C)
//
// The buffer keeps raw numbers, and rows follow the statistics as they are when they are gathered.

import Kernels

/// Mean, scale and bound of each value of an observation; divisor and bound of rewards.
public struct GivenNormalization: Sendable, Equatable {
  /// μ
  public let mean: [Double]  // (S)
  /// σ, above 0.
  public let scale: [Double]  // (S)
  /// c, above 0; infinity where a value is not clipped.
  public let bound: [Double]  // (S)
  /// D, above 0.
  public let rewardDivisor: Double
  /// C, above 0; infinity where rewards are not clipped.
  public let rewardBound: Double

  /// Nil where the numbers do not normalise: of different counts, not finite, or not above 0.
  public init?(
    mean: [Double], scale: [Double], bound: [Double], rewardDivisor: Double = 1, rewardBound: Double = .infinity
  ) {
    guard mean.count == scale.count, mean.count == bound.count, mean.allSatisfy({ $0.isFinite }) else { return nil }
    for values in [scale, [rewardDivisor]] where !values.allSatisfy({ $0.isFinite && $0 > 0 }) { return nil }
    for values in [bound, [rewardBound]] where !values.allSatisfy({ $0 > 0 }) { return nil }
    (self.mean, self.scale, self.bound) = (mean, scale, bound)
    (self.rewardDivisor, self.rewardBound) = (rewardDivisor, rewardBound)
  }

  /// One value of an observation, normalised.
  func value(_ value: Float, at i: Int) -> Float {
    Float(max(-bound[i], min(bound[i], (Double(value) - mean[i]) / scale[i])))
  }

  /// An observation (S), normalised.
  public func normalized(_ observation: [Float]) -> [Float] {
    precondition(observation.count == mean.count, "\(observation.count) values for \(mean.count) means")
    return observation.indices.map { value(observation[$0], at: $0) }
  }

  /// Writes some rows of observations (B × S), normalised, into another matrix or themselves.
  public func normalize(_ source: borrowing Matrix, rows: Range<Int>, into target: borrowing Matrix) {
    precondition(
      source.columns == mean.count && target.columns == mean.count, "\(source.columns) columns for \(mean.count) means")
    for row in rows {
      for i in 0..<mean.count { target[row, i] = value(source[row, i], at: i) }
    }
  }

  // differs: a sum of n rewards is divided and not clipped; Stable-Baselines3 clips each of them
  /// Normalises a batch that was gathered from the buffer.
  ///
  /// - Parameter steps: n, the rewards in each row's sum.
  public func apply(to batch: borrowing Batch, steps: Int) {
    normalize(batch.observations, rows: 0..<batch.count, into: batch.observations)
    normalize(batch.nextObservations, rows: 0..<batch.count, into: batch.nextObservations)
    let limit = steps == 1 ? rewardBound : .infinity
    for row in 0..<batch.count {
      batch.rewards[row] = Float(max(-limit, min(limit, Double(batch.rewards[row]) / rewardDivisor)))
    }
  }
}
