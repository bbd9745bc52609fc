import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

/// What each soft actor-critic has from `SoftActing`: tried on one, as it is the same code for all.
@Suite struct SoftActingTests {
  private func make(_ settings: [String]) throws -> SAC {
    SAC(
      configuration: try SAC.Configuration().setting(["batchSize=16", "hiddenSizes=12"] + settings),
      observationSize: 3, actionSize: 2, seed: 5, workers: WorkerPool(count: 1))
  }

  @Test func `a rate that is set is that of policy, critics and temperature`() throws {
    let rates = ["policyLearningRate", "criticLearningRate", "temperatureLearningRate"].map { "\($0)=0.01" }
    let (made, set) = (try make(rates), try make([]))
    set.setLearningRate(0.01)
    let batch = exampleBatch(16, observationSize: 3)
    for _ in 0..<3 {
      _ = try made.update(batch)
      _ = try set.update(batch)
    }
    #expect(made.state == set.state)
  }

  @Test(arguments: ["crossq", "xqc"])
  func `a policy that normalises batches has the tensors of a plain one that acts as it does`(name: String) throws {
    let algorithm = try AlgorithmRegistry.entry(name).defaults.setting([
      "batchSize=40", "hiddenSizes=20,33", "policyHiddenSizes=null", "policyDelay=2",
    ]).makeAlgorithm(observationSize: 5, actionSize: 2, seed: 3, workers: WorkerPool(count: 1))
    for n in 1...5 { _ = try algorithm.update(exampleBatch(40, seed: UInt64(n))) }
    let tensors = Dictionary(uniqueKeysWithValues: algorithm.policyTensors.map { ($0.name, $0) })
    #expect(!tensors.keys.contains { $0.contains("batch_norm") } && tensors["log_temperature"] != nil)
    let plain = SquashedGaussian(observationSize: 5, actionSize: 2, hiddenSizes: [20, 33], batchSize: 1)
    try plain.parameters.load("policy") { try #require(tensors[$0]) }
    let states = Matrix(rows: 1, columns: 5)
    let actions = Matrix(rows: 1, columns: 2)
    for seed in 1...5 as ClosedRange<UInt64> {
      let observation = numbers(5, seed: seed)
      states.setRow(0, to: observation.span)
      plain.mean(states, into: actions, rows: 0..<1)
      #expect(algorithm.action(observation, size: 2, explore: false) == [actions[0, 0], actions[0, 1]])
    }
    // the parameters are what is learned: with the normalisation beside them
    #expect(try algorithm.tensor("policy.layer.0.weight") != tensors["policy.layer.0.weight"]?.values)
  }

  @Test func `the entropy's part of a return is −α log π of the lane's last draw`() throws {
    let sac = try make(["temperature.fixed.value=0.5"])
    let (means, logDeviations): ([Double], [Double]) = ([0.5, -0.25], [-1, 0.25])
    try sac.setTensors("policy", ["policy.mean.bias": [0.5, -0.25], "policy.log_std.bias": [-1, 0.25]])
    let action = sac.action([0.1, -0.2, 0.3], size: 2, explore: true)
    var logProbability = 0.0
    for i in 0..<2 {
      let drawn = Double(action[i])
      let noise = (atanh(drawn) - means[i]) / exp(logDeviations[i])
      logProbability -= noise * noise / 2 + logDeviations[i] + log(2 * Double.pi) / 2 + log(1 - drawn * drawn)
    }
    #expect(abs(sac.entropyBonus(lane: 0) + 0.5 * logProbability) < 1e-4)
    // the best guess is no draw: it leaves the bonus as it was
    let bonus = sac.entropyBonus(lane: 0)
    _ = sac.action([0.1, -0.2, 0.3], size: 2, explore: false)
    #expect(sac.entropyBonus(lane: 0) == bonus)
  }
}
