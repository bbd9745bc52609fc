// Bootstrap.swift — how sure a mean is: resampling what it is the mean of (Efron 1979), percentiles of the results.

import Kernels

/// A mean and the interval that its resampled twins lie in.
public struct Estimate: Codable, Sendable, Equatable {
  public let mean: Double
  public let low: Double
  public let high: Double
  /// The share of resampled means within [low, high].
  public let level: Double
  /// Values that the mean is of.
  public let count: Int

  /// The mean of values that were drawn independently.
  ///
  /// - Precondition: at least two values: one says nothing about the next.
  public init(of values: [Double], level: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0) {
    precondition(values.count >= 2, "an interval from \(values.count) values")
    var stream = RandomStream(seed: seed, purpose: "bootstrap")
    var means: [Double] = []
    for _ in 0..<resamples {
      var sum = 0.0
      for _ in values.indices { sum += values[stream.index(below: values.count)] }
      means.append(sum / Double(values.count))
    }
    means.sort()
    /// The value that a share of the means is below, between two of them if need be.
    func percentile(_ share: Double) -> Double {
      let place = share * Double(means.count - 1)
      let below = Int(place)
      let above = min(below + 1, means.count - 1)
      return means[below] + (place - Double(below)) * (means[above] - means[below])
    }
    mean = values.reduce(0, +) / Double(values.count)
    (low, high) = (percentile((1 - level) / 2), percentile((1 + level) / 2))
    (self.level, count) = (level, values.count)
  }

  public func contains(_ value: Double) -> Bool { low <= value && value <= high }
}
