import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct SACTests {
  private static let targets = ["target_critic": "critic"]

  private func make(_ settings: [String] = [], actionSize: Int = 2) throws -> SAC {
    SAC(
      configuration: try SAC.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: actionSize, seed: 3, workers: WorkerPool(count: 1))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(SAC.self)
    try expectResumable(SAC.self, ["temperature.fixed.value=0.2", "targetTracking.hard.every=3"])
    try expectResumable(SAC.self, ["temperature.fixed.value=0"])
    try expectResumable(SAC.self, ["policyGradient.scoreFunction.samples=3"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(SAC.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(SAC.self)
    try expectSameBitsWithAnyWorkers(SAC.self, ["policyGradient.scoreFunction.samples=5"])
  }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(SAC.self, mean: "policy.mean.bias")
  }

  @Test func `with exploration it acts by tanh(μ + σ ε), ε from its acting stream`() throws {
    let sac = try make()
    try sac.setTensors("policy", ["policy.mean.bias": [0.5, -1.25], "policy.log_std.bias": [-1, 0.25]])
    var stream = RandomStream(seed: 3, purpose: "acting")
    let noise = Block(count: 2)
    for _ in 0..<3 {
      stream.fillNormal(noise)
      let action = sac.action([1, 2, 3, 4, 5], size: 2, explore: true)
      #expect(abs(Double(action[0]) - tanh(0.5 + exp(-1) * Double(noise[0]))) < 1e-6)
      #expect(abs(Double(action[1]) - tanh(-1.25 + exp(0.25) * Double(noise[1]))) < 1e-6)
    }
  }

  @Test func `targets lag by Polyak's recursion, exactly`() throws {
    try expectPolyakTargets(SAC.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(SAC.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(SAC.self) }

  // MARK: target

  @Test func `the target bootstraps from the smaller target critic and the entropy, and not where the task ended`()
    throws
  {
    // policy and critics are constants: log π depends on ε alone
    let sac = try make(["batchSize=2", "discount=0.9", "temperature.fixed.value=0.5"])
    try sac.setTensors("policy", ["policy.mean.bias": [0.3, -0.2], "policy.log_std.bias": [-0.5, 0.1]])
    try sac.setTensors(
      "target_critic", ["target_critic.0.layer.2.bias": [4], "target_critic.1.layer.2.bias": [3]])
    let batch = exampleBatch(2)
    batch.rewards[0] = 0.25
    batch.rewards[1] = -1
    batch.terminated[0] = 0
    batch.terminated[1] = 1
    batch.setDiscounts(0.9)
    let noise = UpdateNoise(batchSize: 2, actionSize: 2)
    noise.next.set([0.7, -1.1, 0.2, 0.4])
    var logProbability = 0.0
    for (mean, deviation, e) in [(0.3, -0.5, 0.7), (-0.2, 0.1, -1.1)] {
      let u = mean + exp(deviation) * e
      logProbability += -0.5 * e * e - deviation - 0.5 * log(2 * Double.pi) - log(1 - tanh(u) * tanh(u))
    }
    let y = [0.25 + 0.9 * (3 - 0.5 * logProbability), -1]
    let metrics = try sac.update(batch, noise: noise)
    #expect(abs(metrics.targetMean - (y[0] + y[1]) / 2) < 1e-5)
  }

  // MARK: temperature

  @Test func `the temperature rises where the entropy is below its target and falls where it is above`() throws {
    for (target, rises) in [(50, true), (-50, false)] {
      let sac = try make(["targetEntropy=\(target)", "temperature.learned.initial=0.5"])
      let metrics = try sac.update(exampleBatch(40))
      #expect((metrics.entropy < Double(target)) == rises)
      #expect((metrics.temperature > 0.5) == rises)
      // Adam's first step is the learning rate, whatever the gradient
      #expect(abs(abs(log(metrics.temperature / 0.5)) - 3e-4) < 1e-8)
    }
  }

  @Test func `the gradient of the temperature is that of −log α · mean(log π + H̄)`() throws {
    // with the entropy on its target the gradient is zero; past it, its sign turns
    let first = try make(["targetEntropy=0"]).update(exampleBatch(40))
    for (offset, sign) in [(0.01, 1.0), (-0.01, -1.0)] {
      let sac = try make(["targetEntropy=\(first.entropy + offset)"])
      let metrics = try sac.update(exampleBatch(40))
      #expect(abs(metrics.entropy - first.entropy) < 1e-12)
      #expect(log(metrics.temperature) * sign > 0)
      #expect(abs((sac.state.numbers["temperature_optimizer.first"] ?? 0) + 0.1 * offset) < 1e-6)
    }
  }

  @Test func `the default target entropy is −A`() throws {
    let byDefault = try make(actionSize: 3)
    let given = try make(["targetEntropy=-3"], actionSize: 3)
    _ = try byDefault.update(exampleBatch(40, actionSize: 3))
    _ = try given.update(exampleBatch(40, actionSize: 3))
    #expect(differences(byDefault.state, given.state) == [])
    let other = try make(["targetEntropy=-2"], actionSize: 3)
    _ = try other.update(exampleBatch(40, actionSize: 3))
    #expect(
      byDefault.state.numbers["temperature_optimizer.first"] != other.state.numbers["temperature_optimizer.first"])
  }

  @Test func `a fixed temperature stays, zero among them`() throws {
    for value in [0, 0.2, 1] as [Float] {
      let sac = try make(["temperature.fixed.value=\(value)"])
      for seed in 1...3 as ClosedRange<UInt64> {
        #expect(abs(try sac.update(exampleBatch(40, seed: seed)).temperature - Double(value)) < 1e-7)
      }
    }
  }

  // MARK: metrics

  @Test func `every metric is a number`() throws {
    for settings in [[], ["policyGradient.scoreFunction.samples=2"]] {
      let metrics = try make(settings).update(exampleBatch(40))
      for value in [
        metrics.criticLoss, metrics.policyLoss, metrics.targetMean, metrics.temperature, metrics.entropy,
      ] { #expect(value.isFinite) }
    }
  }
}
