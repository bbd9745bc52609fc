// MeantNamesTests.swift — names mistyped, and names of other libraries.

import Testing

@testable import Algorithms

@Suite struct MeantNamesTests {
  @Test func `the nearest name is one that may be meant, or none`() {
    let names = ["discount", "batchSize", "hiddenSizes"]
    #expect(nearestName(to: "discont", among: names) == "discount")
    #expect(nearestName(to: "BATCHSIZE", among: names) == "batchSize")
    #expect(nearestName(to: "hiddenSize", among: names) == "hiddenSizes")
    #expect(nearestName(to: "temperature", among: names) == nil)
    #expect(nearestName(to: "x", among: []) == nil)
  }

  @Test(arguments: [
    ("gamma", "sac", ["discount"]), ("tau", "td3", ["targetTracking"]), ("buffer_size", "ddpg", ["bufferCapacity"]),
    ("learning-starts", "dqn", ["randomSteps"]), ("net_arch", "sac", ["hiddenSizes"]),
    ("learning_rate", "td3", ["policyLearningRate", "criticLearningRate"]), ("lr", "dqn", ["criticLearningRate"]),
    ("batch_size", "sac", ["batchSize"]), ("ent_coef", "sac", ["temperature"]), ("ent_coef", "td3", []),
    ("target_policy_noise", "td3", ["targetNoise"]), ("exploration_final_eps", "dqn", ["finalEpsilon"]),
    ("max_grad_norm", "td3", ["maximumGradientNorm"]), ("optimizer_eps", "dqn", ["adamEpsilon"]),
    ("critic_hidden_dims", "ddpg", ["criticHiddenSizes"]), ("critic_hidden_dims", "dqn", []),
    ("lr_schedule", "sac", ["learningRateSchedule"]), ("adam_beta1", "sac", ["adamBeta1"]),
    ("activation_fn", "sac", ["policyActivation"]), ("top_quantiles_to_drop_per_net", "tqc", ["droppedQuantiles"]),
    ("n_critics", "redq", ["critics"]), ("dropout_rate", "redq", ["criticDropout"]),
    ("utd_ratio", "redq", ["updatesPerStep"]),
    ("policyDelay", "sac", []), ("", "sac", []),
  ])
  func `a name of another library is told with ours, where the algorithm has it`(
    name: String, algorithm: String, meant: [String]
  ) throws {
    let names = try AlgorithmRegistry.entry(algorithm).hyperparameters.map(\.name)
    #expect(meantNames(by: name, among: names) == meant)
  }
}
