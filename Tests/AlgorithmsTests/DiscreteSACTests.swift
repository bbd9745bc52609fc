import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct DiscreteSACTests {
  private static let targets = ["target_critic": "critic"]

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(DiscreteSAC.self)
    try expectResumable(DiscreteSAC.self, ["temperature.fixed.value=0.1", "targetTracking.hard.every=3"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(DiscreteSAC.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(DiscreteSAC.self)
  }

  @Test func `soft targets lag by Polyak's recursion, exactly, at every update`() throws {
    try expectPolyakTargets(DiscreteSAC.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(DiscreteSAC.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(DiscreteSAC.self) }

  private func make(_ settings: [String] = []) throws -> DiscreteSAC {
    let sac = DiscreteSAC(
      configuration: try DiscreteSAC.Configuration().setting(
        ["batchSize=1", "hiddenSizes=4", "discount=0.9"] + settings),
      observationSize: 1, actionSize: 3, seed: 1, workers: WorkerPool(count: 1))
    // π = (1/2, 1/3, 1/6) everywhere
    try sac.setTensors("policy", ["policy.layer.1.bias": [0, -0.405_465_1, -1.098_612_3]])
    return sac
  }

  static let probabilities = [1.0 / 2, 1.0 / 3, 1.0 / 6]

  @Test
  func `its value is the smaller of its critics', its entropy bonus that of the last action, and a look tells both`()
    throws
  {
    let sac = try make(["temperature.fixed.value=0.5"])
    try sac.setTensors("critic", ["critic.0.layer.1.bias": [1, 5, 3], "critic.1.layer.1.bias": [2, -4, 3]])
    for (action, value) in [(0, 1.0), (1, -4), (2, 3)] {
      #expect(sac.value([0.5].span, [Float(action)].span) == value)
    }
    for _ in 0..<10 {
      let action = Int(sac.action([0.3], size: 1, explore: true)[0])
      #expect(abs(sac.entropyBonus(lane: 0) + 0.5 * log(Self.probabilities[action])) < 1e-6)
    }
    // at the likeliest action, the first, both critics; all weights are 0, so every hidden unit is dead
    let look = sac.assess(exampleBatch(1, observationSize: 1, choices: 3))
    #expect(look.largestValue == 2 && look.deadCriticUnits == 1 && look.deadPolicyUnits == 1)
    #expect(look.criticNorm == Double(1 + 25 + 9 + 4 + 16 + 9).squareRoot())
  }

  @Test func `with exploration it draws from its policy, without it takes the likeliest action`() throws {
    let sac = try make()
    var counts = [0, 0, 0]
    for _ in 0..<6000 { counts[Int(sac.action([0.3], size: 1, explore: true)[0])] += 1 }
    for (count, probability) in zip(counts, Self.probabilities) {
      let deviation = (6000 * probability * (1 - probability)).squareRoot()
      #expect(abs(Double(count) - 6000 * probability) < 4.5 * deviation)
    }
    let before = sac.state
    for seed in 1...20 as ClosedRange<UInt64> {
      #expect(sac.action(numbers(1, seed: seed), size: 1, explore: false) == [0])
    }
    #expect(differences(sac.state, before) == [])
  }

  @Test(arguments: [0, 1] as [Float])
  func `the target is the exact expectation of the smaller value and the entropy`(terminated: Float) throws {
    let sac = try make(["temperature.fixed.value=0.25"])
    try sac.setTensors(
      "target_critic", ["target_critic.0.layer.1.bias": [4, -2, 1], "target_critic.1.layer.1.bias": [3, 5, 2]])
    let batch = exampleBatch(1, observationSize: 1, choices: 3)
    batch.rewards[0] = 0.5
    batch.terminated[0] = terminated
    batch.setDiscounts(0.9)
    var value = 0.0
    for (probability, q) in zip(Self.probabilities, [3.0, -2, 1]) {
      value += probability * (q - 0.25 * log(probability))
    }
    let expected = 0.5 + (terminated == 1 ? 0 : 0.9 * value)
    #expect(abs(try sac.update(batch).targetMean - expected) < 1e-6)
  }

  @Test func `the policy's objective and entropy are exact, with the smaller of both critics`() throws {
    let sac = try make(["temperature.fixed.value=0.25", "criticLearningRate=1e-9"])
    try sac.setTensors("critic", ["critic.0.layer.1.bias": [4, -2, 1], "critic.1.layer.1.bias": [3, 5, 2]])
    let metrics = try sac.update(exampleBatch(1, observationSize: 1, choices: 3))
    var (objective, entropy) = (0.0, 0.0)
    for (probability, q) in zip(Self.probabilities, [3.0, -2, 1]) {
      objective += probability * (0.25 * log(probability) - q)
      entropy -= probability * log(probability)
    }
    #expect(abs(metrics.policyLoss - objective) < 1e-5 && abs(metrics.entropy - entropy) < 1e-6)
  }

  @Test(arguments: [(0.99, 1.0), (0.5, -1.0)])
  func `α rises where the entropy is under its target and falls where it is above`(scale: Double, sign: Double) throws {
    // the entropy is 1.01, log 3 is 1.10; Adam's first step has the size of its rate
    let sac = try make(["targetEntropyScale=\(scale)", "temperatureLearningRate=0.01", "temperature.learned.initial=2"])
    let metrics = try sac.update(exampleBatch(1, observationSize: 1, choices: 3))
    #expect(abs(log(metrics.temperature) - (log(2) + sign * 0.01)) < 1e-6)
  }

  @Test func `a fixed temperature stays`() throws {
    let sac = try make(["temperature.fixed.value=0.25"])
    for seed in 1...3 as ClosedRange<UInt64> {
      #expect(
        abs(try sac.update(exampleBatch(1, observationSize: 1, choices: 3, seed: seed)).temperature - 0.25) < 1e-7)
    }
  }
}
