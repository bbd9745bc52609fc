// Assessment.swift — measures of a learner's health over one batch: values, actions, dead units, norms.

import Kernels
import Networks
import Replay

/// Measures of a learner over one batch; NaN if the algorithm has no such measure.
public struct Assessment: Sendable, Equatable {
  /// Largest |Q_j(s, π(s))| over the batch and the critics.
  public var largestValue = Double.nan
  /// Share of the components of π(s) with |a| > 0.99.
  public var saturatedActions = Double.nan
  /// Share of hidden units that are zero over the whole batch.
  public var deadPolicyUnits = Double.nan
  /// The same share of the critics' hidden units.
  public var deadCriticUnits = Double.nan
  /// ‖θ‖, biases included.
  public var policyNorm = Double.nan
  /// Norm of all parameters of the critics.
  public var criticNorm = Double.nan
  /// ‖∂L/∂θ‖ of the last update; NaN where it took no such step.
  public var policyGradientNorm = Double.nan
  /// Norm of the critics' gradient at their last step.
  public var criticGradientNorm = Double.nan
  /// Share of neighbouring quantiles that are in the wrong order.
  public var crossedQuantiles = Double.nan
  /// How far the means of the last batch were from the running ones, in running deviations: the mean over all normalised columns, the
  /// larger of the critics' and the policy's.
  public var statisticsLag = Double.nan

  /// Share of the probability of critics' distributions that is at the smallest and the largest value.
  public var saturatedBins = Double.nan

  /// How far the critics of an ensemble disagree, by how much their mean differs among the rows.
  public var criticDisagreement = Double.nan

  /// All measures NaN.
  public init() {}

  /// Above this an action counts as saturated.
  package static let saturation: Float = 0.99

  /// Adds the measures of critics that were evaluated over the first `rows` rows.
  public mutating func add(_ critics: Critics, rows: Int) {
    largestValue = critics.largestValue(rows: rows)
    deadCriticUnits = critics.deadUnits(rows: rows)
    addNorms(of: critics)
  }

  /// Adds the measures of quantile critics that were evaluated over the first `rows` rows.
  package mutating func add(_ critics: QuantileCritics, rows: Int) {
    largestValue = critics.largestValue(rows: rows)
    deadCriticUnits = critics.deadUnits(rows: rows)
    addNorms(of: critics)
    crossedQuantiles = critics.crossedQuantiles(rows: rows)
  }

  /// Adds the measures of critics whose outputs are distributions over fixed values.
  package mutating func add(_ critics: CategoricalCritics, rows: Int) {
    largestValue = critics.largestValue(rows: rows)
    deadCriticUnits = critics.deadUnits(rows: rows)
    addNorms(of: critics)
    saturatedBins = critics.saturatedBins(rows: rows)
  }

  /// Adds the measures of critics over choices, at one choice in each row.
  package mutating func add(_ critics: ActionValues, rows: Int, of choice: (_ row: Int) -> Int) {
    largestValue = critics.largestValue(rows: rows, of: choice)
    deadCriticUnits = critics.deadUnits(rows: rows)
    addNorms(of: critics)
  }

  private mutating func addNorms(of critics: some Ensemble) {
    criticNorm = parameterNorm(critics.networks)
    criticGradientNorm = gradientNorm(critics.networks)
  }

  /// Adds the measures of a policy over choices that was evaluated over the first `rows` rows.
  package mutating func add(_ policy: CategoricalPolicy, rows: Int) {
    deadPolicyUnits = policy.deadUnits(rows: rows)
    policyNorm = parameterNorm([policy.parameters])
    policyGradientNorm = gradientNorm([policy.parameters])
  }

  /// Adds the measures of a policy that was evaluated over the first `rows` rows.
  public mutating func add(
    _ parameters: Parameters, deadUnits: Double, actions: borrowing Matrix, rows: Int, isPolicyStep: Bool = true
  ) {
    saturatedActions = share(of: actions, above: Self.saturation, rows: rows)
    deadPolicyUnits = deadUnits
    policyNorm = parameterNorm([parameters])
    if isPolicyStep { policyGradientNorm = gradientNorm([parameters]) }
  }
}

/// For algorithms that have no such thing: nothing is known, and there is no entropy term.
extension Algorithm {
  public func assess(_ batch: borrowing Batch) -> Assessment { Assessment() }
  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double { .nan }
  public func entropyBonus(lane: Int) -> Double { 0 }
}
