import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct TQCTests {
  private static let targets = ["target_critic": "critic"]

  private func make(_ settings: [String] = [], actionSize: Int = 2) throws -> TQC {
    TQC(
      configuration: try TQC.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: actionSize, seed: 3, workers: WorkerPool(count: 1))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(TQC.self)
    try expectResumable(TQC.self, ["critics=5", "quantiles=7", "droppedQuantiles=0", "targetTracking.hard.every=3"])
    try expectResumable(TQC.self, ["temperature.fixed.value=0", "criticNormalization=layer", "criticActivation=silu"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(TQC.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(TQC.self)
    try expectSameBitsWithAnyWorkers(TQC.self, ["critics=5", "quantiles=33", "criticNormalization=layer"])
    try expectSameBitsWithAnyWorkers(TQC.self, ["critics=1", "quantiles=1", "droppedQuantiles=0"])
  }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(TQC.self, mean: "policy.mean.bias")
  }

  @Test func `targets lag by Polyak's recursion, exactly`() throws {
    try expectPolyakTargets(TQC.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(TQC.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws {
    let tqc = try make(["discount=0", "criticLearningRate=0.003", "hiddenSizes=64,64"])
    let batch = exampleBatch(40)
    batch.setDiscounts(0)
    let first = try tqc.update(batch).criticLoss
    var last = first
    for _ in 0..<800 { last = try tqc.update(batch).criticLoss }
    #expect(first > 0.02 && last < 5e-3 * first, "from \(first) to \(last)")
  }

  @Test func `a target must keep an atom`() throws {
    for setting in [["quantiles=2"], ["droppedQuantiles=25"], ["quantiles=9", "droppedQuantiles=9"]] {
      let error = #expect(throws: ConfigurationError.self) { try TQC.Configuration().setting(setting) }
      #expect(error?.description.contains("a target would have no atom") == true)
    }
    // the order in which both are set is no matter
    #expect(try TQC.Configuration().setting(["quantiles=2", "droppedQuantiles=1"]).quantiles == 2)
  }

  // MARK: target

  @Test func `the target leaves the largest atoms of all critics out, adds the entropy, and ends where the task did`()
    throws
  {
    // policy and critics are constants: the atoms are the biases
    let tqc = try make([
      "batchSize=2", "discount=0.9", "temperature.fixed.value=0.5", "quantiles=3", "droppedQuantiles=1",
    ])
    try tqc.setTensors("policy", ["policy.mean.bias": [0.3, -0.2], "policy.log_std.bias": [-0.5, 0.1]])
    try tqc.setTensors(
      "target_critic", ["target_critic.0.layer.2.bias": [1, 9, 2], "target_critic.1.layer.2.bias": [8, 3, 7]])
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
    // of 1, 9, 2, 8, 3 and 7 the two largest are left out, whichever critic has them
    let y = [0.25 + 0.9 * ((1 + 2 + 3 + 7) / 4 - 0.5 * logProbability), -1]
    let metrics = try tqc.update(batch, noise: noise)
    #expect(abs(metrics.targetMean - (y[0] + y[1]) / 2) < 1e-5)
  }

  @Test func `its value is the mean of the atoms that a target would keep`() throws {
    let tqc = try make(["quantiles=3", "droppedQuantiles=1"])
    try tqc.setTensors("critic", ["critic.0.layer.2.bias": [1, 9, 2], "critic.1.layer.2.bias": [8, 3, 7]])
    let (observation, action): ([Float], [Float]) = ([1, 2, 3, 4, 5], [0.5, -0.5])
    #expect(abs(tqc.value(observation.span, action.span) - 13 / 4) < 1e-6)
    #expect(abs(tqc.assess(exampleBatch(40)).largestValue - 6) < 1e-6)
  }

  @Test func `crossed quantiles are told by an update and by a look`() throws {
    let tqc = try make(["quantiles=3", "droppedQuantiles=0"])
    try tqc.setTensors("critic", ["critic.0.layer.2.bias": [1, 9, 2], "critic.1.layer.2.bias": [1, 2, 3]])
    #expect(tqc.assess(exampleBatch(40)).crossedQuantiles == 0.25)
    #expect(try tqc.update(exampleBatch(40)).further[0] == 0.25)
    #expect(TQC.metrics.further == [.crossedQuantiles])
  }

  @Test func `a new network's quantiles are in no order, and a trained one's are`() throws {
    let tqc = try make(["discount=0", "criticLearningRate=0.003"])
    let batch = exampleBatch(40)
    batch.setDiscounts(0)
    let first = try tqc.update(batch).further[0]
    #expect(first > 0.3 && first < 0.7)
    // rewards of the same state that differ: a distribution to learn
    var stream = RandomStream(seed: 1, purpose: "test")
    for _ in 0..<1500 {
      for row in 0..<40 { batch.rewards[row] = 2 * stream.uniform() - 1 }
      _ = try tqc.update(batch)
    }
    #expect(try tqc.update(batch).further[0] < 0.2)
  }
}
