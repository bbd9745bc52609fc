// PlainTD3+Declarations.swift — PlainTD3's name, hyperparameters, metrics, policy and cost, and what it keeps by name.

import OffPolicy

extension PlainTD3 {
  struct Configuration: CollectingConfiguration {
    var discount: Float = 0.99
    var learningRate: Float = 3e-4
    var batchSize = 256
    var hiddenSizes = [256, 256]
    var bufferCapacity = 1_000_000
    var randomSteps = 10_000
    var updateEvery = 1
    var updatesPerStep = 1.0

    static let hyperparameters: [Hyperparameter] = [
      .discount("Fujimoto 2018"), .learningRate("learningRate", "Adam's rate for all networks", "sfujim/TD3"),
      .batchSize("sfujim/TD3"), .hiddenSizes("sfujim/TD3"), .bufferCapacity("Fujimoto 2018"),
      .randomSteps("Fujimoto 2018"), .updateEvery, .updatesPerStep,
    ]
  }

  static let entry = AlgorithmEntry("plain-td3", "TD3 as plain as it can be written", PlainTD3.self)

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

  func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("policy", policy.parameters)
    try coder.code("critic", critics)
    try coder.code("target_policy", targetPolicy.parameters)
    try coder.code("target_critic", targetCritics)
  }

  func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("policy_optimizer", policyOptimizer)
    try coder.code("critic_optimizer", criticOptimizer)
    try coder.code("updates", &updates)
    try coder.code("update_stream", &updateStream)
    try exploration.codeProgress(&coder)
  }
}
