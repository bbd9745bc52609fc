import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct CrossQTests {
  private static let small = ["policyHiddenSizes=null"]
  private static let renormalized =
    small + [
      "batchNormalization.renormalized.warmup=2", "batchNormalization.renormalized.ratioBound=1.5", "policyDelay=2",
    ]

  private func make(_ settings: [String] = [], workers: Int = 1, seed: UInt64 = 3) throws -> CrossQ {
    CrossQ(
      configuration: try CrossQ.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + Self.small + settings),
      observationSize: 5, actionSize: 2, seed: seed, workers: WorkerPool(count: workers))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(CrossQ.self, Self.small)
    try expectResumable(CrossQ.self, Self.renormalized)
    try expectResumable(
      CrossQ.self, Self.small + ["batchNormalization=plain", "criticActivation=silu", "policyDelay=1"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(CrossQ.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(CrossQ.self, Self.small)
    try expectSameBitsWithAnyWorkers(CrossQ.self, Self.renormalized)
    try expectSameBitsWithAnyWorkers(
      CrossQ.self, Self.small + ["policyActivation=tanh", "criticActivation=elu", "maximumGradientNorm=0.1"])
  }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(CrossQ.self, mean: "policy.mean.bias")
  }

  // the statistics of a batch are those of its drawn actions, too, so that values keep some noise
  @Test func `one batch is learned by heart, but for the noise of its statistics`() throws {
    let crossq = try make(["batchSize=32", "hiddenSizes=64,64", "discount=0", "criticLearningRate=0.003"])
    let batch = exampleBatch(32)
    batch.setDiscounts(0)
    let first = try crossq.update(batch).criticLoss
    var last = first
    for _ in 0..<600 { last = try crossq.update(batch).criticLoss }
    #expect(first > 0.1 && last < 0.02 * first, "from \(first) to \(last)")
  }

  // MARK: the joint pass

  @Test func `there are no target networks, and a target is the smaller of the critics themselves`() throws {
    let crossq = try make(["batchSize=2", "discount=0.9", "temperature.fixed.value=0.5"])
    #expect(!crossq.parameters.contains { $0.name.contains("target") })
    // policy and critics are constants
    try crossq.setTensors("policy", ["policy.mean.bias": [0.3, -0.2], "policy.log_std.bias": [-0.5, 0.1]])
    try crossq.setTensors("critic", ["critic.0.layer.2.bias": [4], "critic.1.layer.2.bias": [3]])
    let batch = exampleBatch(2)
    (batch.rewards[0], batch.rewards[1]) = (0.25, -1)
    (batch.terminated[0], batch.terminated[1]) = (0, 1)
    batch.setDiscounts(0.9)
    let noise = UpdateNoise(batchSize: 2, actionSize: 2)
    noise.next.set([0.7, -1.1, 0.2, 0.4])
    var logProbability = 0.0
    for (mean, deviation, e) in [(0.3, -0.5, 0.7), (-0.2, 0.1, -1.1)] {
      let u = mean + exp(deviation) * e
      logProbability += -0.5 * e * e - deviation - 0.5 * log(2 * Double.pi) - log(1 - tanh(u) * tanh(u))
    }
    let y = [0.25 + 0.9 * (3 - 0.5 * logProbability), -1]
    let metrics = try crossq.update(batch, noise: noise)
    #expect(abs(metrics.targetMean - (y[0] + y[1]) / 2) < 1e-5)
    let loss = [4.0, 3].reduce(0) { $0 + (pow($1 - y[0], 2) + pow($1 - y[1], 2)) / 2 }
    #expect(abs(metrics.criticLoss - loss) < 1e-4)
  }

  @Test func `the critics' statistics are those of states and next states together`() throws {
    let crossq = try make(["batchMomentum=0.75"])
    let batch = exampleBatch(40)
    for row in 0..<40 {
      for i in 0..<5 { batch.nextObservations[row, i] = 3 * batch.nextObservations[row, i] + 2 }
    }
    _ = try crossq.update(batch)
    let (mean, variance) = (
      try crossq.tensor("critic.0.batch_norm.0.running_mean"), try crossq.tensor("critic.0.batch_norm.0.running_var")
    )
    for i in 0..<5 {
      let values = (0..<40).flatMap { [Double(batch.observations[$0, i]), Double(batch.nextObservations[$0, i])] }
      let expected = values.reduce(0, +) / 80
      let spread = values.reduce(0) { $0 + ($1 - expected) * ($1 - expected) } / 80
      #expect(abs(Double(mean[i]) - 0.25 * expected) < 1e-5)
      #expect(abs(Double(variance[i]) - (0.75 + 0.25 * spread)) < 1e-4)
    }
    for i in 5..<7 {
      // half of the actions are drawn
      #expect(mean[i] != 0)
    }
    #expect(try crossq.tensor("critic.1.batch_norm.batches") == [1])
  }

  @Test func `policy, its statistics and the temperature step at every d-th update`() throws {
    let crossq = try make()
    for n in 1...9 {
      let (policy, temperature) = (crossq.bits("policy"), crossq.bits("log_temperature"))
      let action = crossq.action([1, 2, 3, 4, 5], size: 2, explore: false)
      let metrics = try crossq.update(exampleBatch(40, seed: UInt64(n)))
      let isStep = n % 3 == 0
      #expect((crossq.bits("policy") != policy) == isStep && (crossq.bits("log_temperature") != temperature) == isStep)
      #expect((crossq.action([1, 2, 3, 4, 5], size: 2, explore: false) != action) == isStep)
      #expect(metrics.policyLoss.isNaN != isStep && metrics.entropy.isNaN != isStep)
      #expect(metrics.further[0] > 0 && metrics.further[1].isNaN != isStep)
      #expect(try crossq.tensor("policy.batch_norm.batches") == [Float(n / 3)])
      #expect(try crossq.tensor("critic.0.batch_norm.batches") == [Float(n)])
    }
    #expect(CrossQ.metrics.further.map(\.name) == ["critic_statistics_lag", "policy_statistics_lag"])
  }

  @Test func `what a look tells of the statistics is what the last batch told`() throws {
    let crossq = try make()
    #expect(crossq.assess(exampleBatch(40)).statisticsLag.isNaN)
    var told = 0.0
    for n in 1...3 {
      let metrics = try crossq.update(exampleBatch(40, seed: UInt64(n)))
      told = max(metrics.further[0], n == 3 ? metrics.further[1] : 0)
    }
    #expect(crossq.assess(exampleBatch(40)).statisticsLag == told)
  }

  // MARK: settings

  @Test func `the statistics of a batch are a setting with defaults of its own`() throws {
    func statistics(_ settings: [String]) throws -> BatchStatistics {
      try CrossQ.Configuration().setting(settings).batchNormalization
    }
    #expect(try statistics(["batchNormalization=plain"]) == .plain)
    #expect(
      try statistics(["batchNormalization.renormalized.warmup=7"])
        == .renormalized(ratioBound: 3, distanceBound: 5, warmup: 7))
    #expect(
      try statistics(["batchNormalization=plain", "batchNormalization=renormalized"])
        == .renormalized(ratioBound: 3, distanceBound: 5, warmup: 100_000))
    for wrong in [
      "batchNormalization.renormalized.ratioBound=0.9", "batchNormalization.renormalized.warmup=20000000",
      "batchMomentum=1", "batchEpsilon=0", "batchNormalization=layer",
    ] {
      #expect(throws: ConfigurationError.self, "\(wrong)") { try CrossQ.Configuration().setting([wrong]) }
    }
  }
}
