// Estimate.swift — a mean and how sure it is: Student's interval for the mean of independent values.
//
//   x̄ ± t_{n−1, (1+level)/2} s / √n                                                                     (Student 1908)
//
// It holds its level for a few values too, where percentiles of resampled means do not: of two values these give an interval
// that is too short by a factor of 9. For values that are symmetric about their mean, such as differences of a policy with
// itself, it is exact or too long whatever their distribution is, but for the smallest counts: with values of ±1 alone all
// of n agree in 2^(1−n) of all cases.

/// A mean and the interval that holds the true one.
public struct Estimate: Codable, Sendable, Equatable {
  /// The mean of the values.
  public let mean: Double
  /// The lower end of the interval.
  public let low: Double
  /// The upper end of the interval.
  public let high: Double
  /// How often [low, high] holds the true mean.
  public let level: Double
  /// Values that the mean is of.
  public let count: Int

  /// The mean of values that were drawn independently.
  ///
  /// - Precondition: at least two values: one says nothing about the next.
  public init(of values: [Double], level: Double = 0.95) {
    precondition(values.count >= 2, "an interval from \(values.count) values")
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let half = StudentT.quantile((1 + level) / 2, degrees: values.count - 1) * sampleDeviation(values) / n.squareRoot()
    (self.mean, low, high) = (mean, mean - half, mean + half)
    (self.level, count) = (level, values.count)
  }

  /// Whether a value is in the interval.
  public func contains(_ value: Double) -> Bool { low <= value && value <= high }
}
