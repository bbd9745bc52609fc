// Records.swift — the rows of a run's logs.

import Algorithms

/// One finished training episode.
public struct EpisodeRecord: Sendable {
  /// Environment steps at the episode's end.
  public let step: Int
  /// Its number, from 1.
  public let episode: Int
  /// Σ r, undiscounted, with exploration.
  public let episodeReturn: Double
  /// Its steps.
  public let length: Int
  /// Whether it terminated.
  public let terminated: Bool
  /// Whether it was cut off by a limit of time.
  public let truncated: Bool
}

/// Means over a window of updates.
public struct MetricsRecord: Sendable {
  /// Environment steps so far.
  public let step: Int
  /// Updates so far.
  public let updates: Int
  /// Mean critic loss since the last row.
  public let criticLoss: Double
  /// Mean objective of the policy since the last row.
  public let policyLoss: Double
  /// Mean target since the last row.
  public let targetMean: Double
  /// α after the last update; NaN where there is none.
  public let temperature: Double
  /// Mean entropy since the last row; NaN where there is none.
  public let entropy: Double
  /// The algorithm's own metrics, in the order in which it declares them.
  public let further: [Double]
}

/// One evaluation.
public struct EvaluationRecord: Sendable {
  /// Environment steps so far.
  public let step: Int
  /// The episodes' returns and lengths.
  public let evaluation: Evaluation
  /// Its mean return is above that of every evaluation before.
  public let isBest: Bool
}

/// Sums of what updates told since the last row of metrics.csv.
public struct MetricsWindow: Sendable, Equatable {
  /// Environment steps between rows.
  static let steps = 1000

  /// Sums and counts of: critic loss, policy loss, target mean, entropy, the algorithm's own; then the last temperature.
  var sums: [Double]
  var counts: [Double]
  var temperature = Double.nan

  /// - Parameter further: how many metrics of its own the algorithm has.
  init(further: Int = 0) {
    sums = [Double](repeating: 0, count: 4 + further)
    counts = sums
  }

  init(sums: [Double], counts: [Double], temperature: Double) {
    (self.sums, self.counts, self.temperature) = (sums, counts, temperature)
  }

  /// Takes a saved window over; metrics that the algorithm has got or lost since then begin anew.
  mutating func restore(_ saved: MetricsWindow) {
    if saved.sums.count == sums.count { self = saved } else { self = MetricsWindow(further: sums.count - 4) }
  }

  mutating func add(_ metrics: UpdateMetrics) {
    add(metrics.criticLoss, 0)
    add(metrics.policyLoss, 1)
    add(metrics.targetMean, 2)
    add(metrics.entropy, 3)
    for index in 4..<sums.count { add(metrics.further[index - 4], index) }
    temperature = metrics.temperature
  }

  private mutating func add(_ value: Double, _ index: Int) {
    guard !value.isNaN else { return }
    sums[index] += value
    counts[index] += 1
  }

  /// The means, and an empty window again.
  mutating func finish(step: Int, updates: Int) -> MetricsRecord {
    func mean(_ index: Int) -> Double { counts[index] > 0 ? sums[index] / counts[index] : .nan }
    let record = MetricsRecord(
      step: step, updates: updates, criticLoss: mean(0), policyLoss: mean(1), targetMean: mean(2),
      temperature: temperature, entropy: mean(3), further: (4..<sums.count).map(mean))
    self = MetricsWindow(further: sums.count - 4)
    return record
  }
}
