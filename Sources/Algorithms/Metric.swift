// Metric.swift — a metric of updates: a column of metrics.csv, with its formula and unit.

/// A number that each update returns. The log has its mean over a window of updates; of α it has the last value.
public struct Metric: Sendable, Equatable, Codable {
  /// The column's name.
  public let name: String
  /// Its formula, in the paper's symbols.
  public let formula: String
  /// Its unit: `return`, `nat`, or empty for a plain number.
  public let unit: String

  /// A metric with a formula and a unit.
  public init(_ name: String, _ formula: String, unit: String) {
    (self.name, self.formula, self.unit) = (name, formula, unit)
  }

  // what `UpdateMetrics` has for all algorithms
  /// `critic_loss`
  public static let criticLoss = Metric("critic_loss", "Σ_j mean (Q_j − y)²", unit: "return²")
  /// `policy_loss`
  public static let policyLoss = Metric("policy_loss", "the objective that the policy descends", unit: "return")
  /// `target_mean`
  public static let targetMean = Metric("target_mean", "mean y", unit: "return")
  /// `temperature`
  public static let temperature = Metric("temperature", "α", unit: "return per nat")
  /// `entropy`
  public static let entropy = Metric("entropy", "−mean log π(a|s)", unit: "nat")

  /// The metric of quantile critics, by the name that the health report reads.
  public static let crossedQuantiles = Metric(
    "crossed_quantiles", "share of neighbouring quantiles with θ_m > θ_{m+1}", unit: "")

  /// The metrics of batch normalisation, of critics and policy, by the names that the health report reads.
  public static let statisticsLags = ["critic", "policy"].map {
    Metric(
      "\($0)_statistics_lag", "mean |μ − M| / √(V + ε), the \($0)'s batch against its running statistics", unit: "")
  }

  /// The metric of critics of distributions over fixed values, by the name that the health report reads.
  public static let saturatedBins = Metric(
    "saturated_bins", "share of probability at the smallest and the largest value", unit: "")

  /// How far the critics of an ensemble disagree, by the name that the health report reads.
  public static let criticDisagreement = Metric(
    "critic_disagreement", "critic_spread / the deviation of mean_j Q_j among the rows", unit: "")

  /// The metrics that are properties of `UpdateMetrics` and columns of every log, in the log's order.
  public static let common = [criticLoss, policyLoss, targetMean, temperature, entropy]
}

extension [Metric] {
  /// The algorithm's own metrics, in the order of `UpdateMetrics.further`.
  public var further: [Metric] { filter { metric in !Metric.common.contains { $0.name == metric.name } } }

  /// - Precondition: names that a log can have as its columns, and no more further ones than `UpdateMetrics` holds.
  func check(of algorithm: String) {
    precondition(
      further.count <= UpdateMetrics.furtherLimit,
      "\(algorithm) has \(further.count) further metrics, at most \(UpdateMetrics.furtherLimit) are kept")
    var names: Set = ["step", "updates", "seconds"]
    for metric in self {
      let isPlain =
        !metric.name.isEmpty && metric.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      precondition(isPlain, "\(algorithm)'s metric \(metric.name.debugDescription) is not of letters, digits and _")
      precondition(names.insert(metric.name).inserted, "\(algorithm) has two metrics called \(metric.name)")
    }
  }
}
