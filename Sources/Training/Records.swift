// Records.swift — the rows of a run's logs.

import Algorithms

/// One finished training episode.
public struct EpisodeRecord: Sendable {
  public let step: Int
  public let episode: Int
  public let episodeReturn: Double
  public let length: Int
  public let terminated: Bool
  public let truncated: Bool
}

/// Means over a window of updates.
public struct MetricsRecord: Sendable {
  public let step: Int
  public let updates: Int
  public let criticLoss: Double
  public let policyLoss: Double
  public let targetMean: Double
  public let temperature: Double
  public let entropy: Double
}

/// One evaluation.
public struct EvaluationRecord: Sendable {
  public let step: Int
  public let evaluation: Evaluation
  /// Its mean return is above that of every evaluation before.
  public let isBest: Bool
}

/// Sums of what updates told since the last row of metrics.csv.
public struct MetricsWindow: Sendable, Equatable {
  /// Environment steps between rows.
  static let steps = 1000

  /// Sums and counts of: critic loss, policy loss, target mean, entropy; then the last temperature.
  var sums: [Double] = [0, 0, 0, 0]
  var counts: [Double] = [0, 0, 0, 0]
  var temperature = Double.nan

  mutating func add(_ metrics: UpdateMetrics) {
    add(metrics.criticLoss, 0)
    add(metrics.policyLoss, 1)
    add(metrics.targetMean, 2)
    add(metrics.entropy, 3)
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
      temperature: temperature, entropy: mean(3))
    self = MetricsWindow()
    return record
  }
}
