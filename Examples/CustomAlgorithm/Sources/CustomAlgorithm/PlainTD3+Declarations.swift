// PlainTD3+Declarations.swift — what PlainTD3 declares, and its state by name.

import OffPolicy

extension PlainTD3 {
  static let metrics: [Metric] = [
    .criticLoss, .policyLoss, Metric("critic_gap", "mean |Q_1 − Q_2|", unit: "return"),
  ]

  static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    UpdateDraws(next: [configuration.batchSize, actionSize])
  }

  static func policy(_ configuration: Configuration) -> PolicyForm {
    PolicyForm(.deterministic, hiddenSizes: configuration.hiddenSizes)
  }

  /// The products are those of the package's TD3.
  static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    var same = TD3.Configuration()
    (same.batchSize, same.hiddenSizes) = (configuration.batchSize, configuration.hiddenSizes)
    return TD3.cost(same, observationSize: observationSize, actionSize: actionSize)
  }
}
