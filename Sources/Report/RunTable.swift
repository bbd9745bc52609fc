// RunTable.swift — compares runs of several environments and settings, as numbers for a terminal or a program.

import Training

/// Statistics of the last evaluations of runs, by environment and setting.
public struct RunTable: Sendable, Encodable {
  /// One setting in one environment.
  public struct Row: Sendable, Encodable {
    public var environment: String
    public var setting: String
    /// Runs that have an evaluation.
    public var count: Int
    public var seeds: [UInt64]
    public var mean: Double
    /// Standard deviation of the sample, with n − 1; NaN for one run.
    public var standardDeviation: Double
    public var median: Double
    public var interquartileMean: Double
    /// 95 % interval of the interquartile mean; NaN for one run.
    public var interval: [Double]
    public var best: Double
  }

  /// The probability that a run of one setting ends higher than a run of another.
  public struct Improvement: Sendable, Encodable {
    /// Nil: over all environments, with equal weights.
    public var environment: String?
    public var setting: String
    public var against: String
    public var probability: Double
    /// 95 % interval; NaN where a setting has one run.
    public var interval: [Double]
  }

  /// A setting in which the groups of an environment differ.
  public struct Difference: Sendable, Encodable {
    public var environment: String
    public var name: String
    /// The value by the label of the group; "–" where the group's algorithm has no such setting.
    public var values: [String: String]
  }

  public private(set) var rows: [Row] = []
  public private(set) var improvements: [Improvement] = []
  public private(set) var differences: [Difference] = []

  /// - Parameter runs: of any environments; those that differ in the seed alone are one setting.
  public init(_ runs: [RunData]) {
    var order: [String] = []
    for run in runs where !order.contains(run.run.environment) { order.append(run.run.environment) }
    var byEnvironment: [[RunGroup]] = []
    for environment in order {
      let groups = RunGroups.of(runs.filter { $0.run.environment == environment })
      byEnvironment.append(groups)
      add(groups, environment)
    }
    if order.count > 1 { addOverall(byEnvironment) }
  }

  private mutating func add(_ groups: [RunGroup], _ environment: String) {
    let comparison = Comparison(groups, threshold: nil)
    let known = groups.filter { !$0.lastReturns.isEmpty }
    for (row, group) in zip(comparison.rows, known) {
      rows.append(
        Row(
          environment: environment, setting: row.label, count: row.count, seeds: group.runs.map(\.run.seed),
          mean: row.mean, standardDeviation: row.deviation, median: row.median,
          interquartileMean: row.interquartileMean, interval: [row.interval.low, row.interval.high], best: row.best))
    }
    improvements += comparison.improvements.map {
      Improvement(
        environment: environment, setting: $0.first, against: $0.second, probability: $0.probability,
        interval: [$0.interval.low, $0.interval.high])
    }
    guard groups.count > 1 else { return }
    for difference in RunGroups.differences(groups) {
      let values = zip(groups.map(\.label), difference.values)
      differences.append(
        Difference(
          environment: environment, name: difference.name, values: Dictionary(values, uniquingKeysWith: { $1 })))
    }
  }

  /// Pairs of settings that every environment has, each environment with the same weight.
  private mutating func addOverall(_ environments: [[RunGroup]]) {
    let labels = environments[0].map(\.label).filter { label in
      environments.allSatisfy { groups in groups.contains { $0.label == label && !$0.lastReturns.isEmpty } }
    }
    func scores(_ label: String) -> Scores {
      environments.map { groups in groups.first { $0.label == label }?.lastReturns ?? [] }
    }
    var bootstrap = StratifiedBootstrap()
    for (a, first) in labels.prefix(8).enumerated() {
      for second in labels.prefix(8).dropFirst(a + 1) {
        let (x, y) = (scores(first), scores(second))
        let interval = bootstrap.interval(x, y) { Statistics.probabilityOfImprovement($0, over: $1) }
        improvements.append(
          Improvement(
            environment: nil, setting: first, against: second,
            probability: Statistics.probabilityOfImprovement(x, over: y), interval: [interval.low, interval.high]))
      }
    }
  }
}
