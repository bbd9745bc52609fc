// DiscreteValueTests.swift — values and comparisons of policies over choices, against closed forms.

import Foundation
import OffPolicy
import Testing

@testable import Offline
@testable import Training

@Suite struct DiscreteValueTests {
  static let discount = 0.9

  /// A policy of three choices with the same logits log p for every state; with a temperature it draws.
  static func policy(_ probabilities: [Double], draws: Bool) throws -> Policy {
    let tensors = [
      Tensor(name: "policy.layer.0.weight", shape: [1, 2], values: [0, 0]),
      Tensor(name: "policy.layer.0.bias", shape: [1], values: [0]),
      Tensor(name: "policy.layer.1.weight", shape: [3, 1], values: [0, 0, 0]),
      Tensor(name: "policy.layer.1.bias", shape: [3], values: probabilities.map { Float(log($0)) }),
    ]
    var description = PolicyDescription(
      algorithm: draws ? "sac-discrete" : "dqn", environment: "Consequence-v0", observationSize: 2, hiddenSizes: [1],
      actionLow: [0], actionHigh: [2], step: 0, choices: 3)
    description.temperature = draws ? 0.1 : nil
    return try Policy(description) { name in
      guard let tensor = tensors.first(where: { $0.name == name }) else { throw MissingTensor() }
      return tensor
    }
  }

  private struct MissingTensor: Error {}

  static func data() throws -> Dataset {
    try Collector.collect(
      [.random], in: Probe.consequence(), of: "Consequence-v0", steps: 3000, seed: 4, source: "random actions")
  }

  static func settings() throws -> PolicyValueSettings {
    var settings = PolicyValueSettings(
      configuration: try FittedQEvaluation.Configuration().setting([
        "discount=\(discount)", "hiddenSizes=32", "batchSize=64", "criticLearningRate=0.003", "critics=2",
        "targetTracking.soft.rate=0.05",
      ]))
    (settings.updates, settings.episodes) = (2500, 400)
    return settings
  }

  // a first choice of 0 is worth 1 two steps later, whatever follows
  @Test(
    arguments: [
      ([0.7, 0.2, 0.1], false, 1), ([0.2, 0.7, 0.1], false, 0), ([0.5, 0.2, 0.3], true, 0.5),
    ] as [([Double], Bool, Double)])
  func `the value of a policy is that of its greatest output, or of its draws`(
    probabilities: [Double], draws: Bool, share: Double
  ) throws {
    let policy = try Self.policy(probabilities, draws: draws)
    #expect(policy.isStochastic == draws)
    let value = try PolicyValue(
      policy, from: try Self.data(), try Self.settings(), environment: ("Consequence-v0", { Probe.consequence() }))
    let expected = share * Self.discount * Self.discount
    #expect(abs(value.fitted.mean - expected) < 0.03, "\(value.fitted)")
    // three standard deviations of 400 draws of 0 or 0.81
    #expect(abs(try #require(value.monteCarlo).mean - expected) < (draws ? 0.061 : 1e-6))
    #expect(value.drawsActions == draws && value.nearestActions.shareOutside < 0.01)
  }

  @Test func `the entropy of a policy that draws is backed up exactly`() throws {
    let probabilities = [0.5, 0.2, 0.3]
    var settings = try Self.settings()
    settings.configuration.temperature = 0.3
    let value = try PolicyValue(
      try Self.policy(probabilities, draws: true), from: try Self.data(), settings,
      environment: ("Consequence-v0", { Probe.consequence() }))
    // three steps with −α log π each
    let bonus = -0.3 * probabilities.reduce(0) { $0 + $1 * log($1) }
    let expected = 0.5 * 0.81 + bonus * (1 + 0.9 + 0.81)
    #expect(abs(value.fitted.mean - expected) < 0.05, "\(value.fitted), not \(expected)")
    #expect(abs(try #require(value.monteCarlo).mean - expected) < 0.1)
  }

  @Test func `a comparison of a good policy with a bad one gives the difference by all three ways`() throws {
    let (bad, good) = (try Self.policy([0.2, 0.7, 0.1], draws: false), try Self.policy([0.7, 0.2, 0.1], draws: false))
    let result = try PolicyComparison(
      old: bad, new: good, from: try Self.data(), try Self.settings(),
      environment: ("Consequence-v0", { Probe.consequence() }))
    #expect(abs(try #require(result.returns).difference.mean - 0.81) < 1e-6 && result.improves == true)
    #expect(abs(try #require(result.lemma).mean - 0.81) < 0.05, "\(String(describing: result.lemma))")
  }

  @Test func `choices that the data never took are told as far outside`() throws {
    let data = try Collector.collect(
      [.policy(try Self.policy([0.2, 0.7, 0.1], draws: false), drawsActions: false, noise: 0)],
      in: Probe.consequence(), of: "Consequence-v0", steps: 600, seed: 4, source: "choice 1 alone")
    let nearest = NearestActions(
      of: try FixedPolicy(try Self.policy([0.7, 0.2, 0.1], draws: false), batchSize: 1000), drawsActions: false,
      in: data.buffer, distance: 0.5, seed: 1)
    #expect(nearest.shareOutside == 1 && nearest.meanDistance == 1)
    #expect(nearest.warning(choices: 3)?.contains("in 100.0 % of 600 states the data took its choice in none") == true)
  }
}
