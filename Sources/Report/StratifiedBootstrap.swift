// StratifiedBootstrap.swift — intervals of a statistic by resampling runs within each environment (Efron 1979; Agarwal 2021).

import Kernels

/// An interval with the number that it belongs to.
public struct Interval95: Sendable, Equatable {
  public var low: Double
  public var high: Double

  public static let unknown = Interval95(low: .nan, high: .nan)
}

/// Resamples runs with replacement, within each environment.
public struct StratifiedBootstrap {
  public var resamples: Int
  private var stream: RandomStream

  public init(resamples: Int = 2000, seed: UInt64 = 0) {
    self.resamples = resamples
    stream = RandomStream(seed: seed, purpose: "stratified bootstrap")
  }

  /// The 95 % percentile interval of a statistic; NaN where each environment has one run, which has no spread.
  public mutating func interval(_ scores: Scores, of statistic: (Scores) -> Double) -> Interval95 {
    intervals([scores]) { [statistic($0[0])] }[0]
  }

  /// The same of a statistic of two independent sets, such as the probability of improvement.
  public mutating func interval(_ x: Scores, _ y: Scores, of statistic: (Scores, Scores) -> Double) -> Interval95 {
    intervals([x, y]) { [statistic($0[0], $0[1])] }[0]
  }

  /// The pointwise intervals of several numbers that come from the same resampled sets.
  public mutating func intervals(_ sets: [Scores], of statistics: ([Scores]) -> [Double]) -> [Interval95] {
    let count = statistics(sets).count
    let isKnown = sets.allSatisfy { $0.contains { $0.count > 1 } && $0.allSatisfy { !$0.isEmpty } }
    guard isKnown, count > 0 else { return [Interval95](repeating: .unknown, count: count) }
    var results = [[Double]](repeating: [], count: count)
    for _ in 0..<resamples {
      for (index, value) in statistics(sets.map { resampled($0) }).enumerated() { results[index].append(value) }
    }
    return results.map { values in
      let sorted = values.filter { !$0.isNaN }.sorted()
      return Interval95(low: Statistics.percentile(sorted, 0.025), high: Statistics.percentile(sorted, 0.975))
    }
  }

  private mutating func resampled(_ scores: Scores) -> Scores {
    var result = scores
    for (environment, runs) in scores.enumerated() {
      for run in runs.indices { result[environment][run] = runs[stream.index(below: runs.count)] }
    }
    return result
  }
}
