// Statistics.swift — the point estimates of a set of scores: mean, deviation, median, interquartile mean, optimality gap.
// Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice"; held against rliable.

/// Scores of runs, by environment: `scores[environment][run]`.
public typealias Scores = [[Double]]

/// Point estimates, as rliable's `metrics` defines them.
public enum Statistics {
  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// Standard deviation of a sample, with n − 1; NaN for fewer than two values.
  public static func standardDeviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let mean = mean(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  public static func median(_ values: [Double]) -> Double { percentile(values.sorted(), 0.5) }

  /// The interquartile mean: without the lowest and the highest ⌊n / 4⌋ values.
  public static func interquartileMean(_ values: [Double]) -> Double {
    let cut = values.count / 4
    return mean(Array(values.sorted()[cut..<(values.count - cut)]))
  }

  /// The quantile of sorted values at a share in [0, 1], interpolated linearly.
  public static func percentile(_ sorted: [Double], _ share: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }

  /// The mean over environments and runs.
  public static func aggregateMean(_ scores: Scores) -> Double { mean(scores.map(mean)) }

  /// The median over environments of their means.
  public static func aggregateMedian(_ scores: Scores) -> Double { median(scores.map(mean)) }

  /// The interquartile mean over all runs of all environments.
  public static func aggregateInterquartileMean(_ scores: Scores) -> Double { interquartileMean(scores.flatMap { $0 }) }

  /// The optimality gap: mean of max(0, target − score).
  public static func optimalityGap(_ scores: Scores, target: Double) -> Double {
    target - mean(scores.flatMap { $0 }.map { min($0, target) })
  }

  /// P(X > Y) + ½ P(X = Y) for a run of `x` and one of `y`, the mean over environments (Mann and Whitney's U / nm).
  public static func probabilityOfImprovement(_ x: Scores, over y: Scores) -> Double {
    precondition(x.count == y.count, "\(x.count) environments against \(y.count)")
    let shares = zip(x, y).map { x, y in
      var wins = 0.0
      for a in x { for b in y { wins += a > b ? 1 : a == b ? 0.5 : 0 } }
      return wins / Double(x.count * y.count)
    }
    return mean(shares)
  }

  /// The share of runs above each threshold: a performance profile.
  public static func performanceProfile(_ scores: Scores, at thresholds: [Double]) -> [Double] {
    let all = scores.flatMap { $0 }
    return thresholds.map { threshold in Double(all.count { $0 > threshold }) / Double(max(1, all.count)) }
  }
}
