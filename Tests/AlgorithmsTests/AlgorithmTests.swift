import Algorithms
import Foundation
import Kernels
import Platform
import Replay
import Testing

@Suite struct AlgorithmTests {
  @Test func `errors say what happened and what to do, in one line`() throws {
    let sac = SAC(
      configuration: try SAC.Configuration().setting(["batchSize=4", "hiddenSizes=4"]), observationSize: 5,
      actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    let batch = exampleBatch(4)
    batch.rewards[0] = .infinity
    let diverged = #expect(throws: DivergedUpdate.self) { _ = try sac.update(batch) }
    #expect(
      diverged?.description
        == "update 1: the critic loss is inf; lower the learning rates or check the environment's rewards and observations"
    )
    let missing = #expect(throws: MissingState.self) { try sac.restore(AlgorithmState()) }
    #expect(
      missing?.description
        == "the saved state has no policy.layer.0.weight: it belongs to another algorithm or to another version")
  }

  @Test func `metrics that were not computed are NaN`() {
    let metrics = UpdateMetrics(criticLoss: 1)
    #expect(metrics.policyLoss.isNaN && metrics.targetMean.isNaN && metrics.temperature.isNaN && metrics.entropy.isNaN)
  }

  @Test(arguments: ["ddpg", "td3", "sac"])
  func `the same seed gives the same algorithm, another seed another`(name: String) throws {
    func make(_ seed: UInt64) throws -> any Algorithm {
      try AlgorithmRegistry.entry(name).defaults.setting(["batchSize=8", "hiddenSizes=9"]).makeAlgorithm(
        observationSize: 5, actionSize: 2, seed: seed, workers: WorkerPool(count: 1))
    }
    #expect(differences(try make(1).state, try make(1).state) == [])
    #expect(try make(1).bits("policy") != make(2).bits("policy"))
    #expect(try make(1).bits("critic") != make(2).bits("critic"))
    #expect(try make(1).bits("target_critic") == make(1).bits("critic"))
  }

  @Test(arguments: ["ddpg", "td3", "sac"])
  func `an update with fresh noise is an update with the noise of its stream`(name: String) throws {
    func make() throws -> any Algorithm {
      try AlgorithmRegistry.entry(name).defaults.setting(["batchSize=8", "hiddenSizes=9"]).makeAlgorithm(
        observationSize: 5, actionSize: 2, seed: 4, workers: WorkerPool(count: 1))
    }
    let (fresh, given) = (try make(), try make())
    let noise = UpdateNoise(batchSize: 8, actionSize: 2)
    var stream = RandomStream(seed: 4, purpose: "update noise")
    for seed in 1...3 as ClosedRange<UInt64> {
      // DDPG needs none, TD3 for the next actions only
      if name != "ddpg" { stream.fillNormal(noise.next) }
      if name == "sac" { stream.fillNormal(noise.current) }
      _ = try fresh.update(exampleBatch(8, seed: seed))
      _ = try given.update(exampleBatch(8, seed: seed), noise: noise)
    }
    #expect(fresh.bits("") == given.bits(""))
  }

  @Test func `noise draws once for each part that there is, and not for one that is empty`() {
    var (stream, other) = (
      RandomStream(seed: 4, purpose: "update noise"), RandomStream(seed: 4, purpose: "update noise")
    )
    let noise = UpdateNoise(UpdateDraws(next: [3, 2], members: [4]))
    noise.fill(using: &stream)
    let next = Block(count: 6)
    let members = Block(count: 4)
    other.fillNormal(next)
    other.fillNormal(members)
    #expect(noise.next.values == next.values && noise.members.values == members.values)
    #expect(stream.position == other.position)
  }

  /// Where the machine has four cores, on four too: more threads than cores give the same bits, but take minutes. So do two
  /// among other tests: OFFPOLICY_LONG_TESTS makes it ten thousand updates.
  /// The wider layers are those whose zeros are left out.
  @Test(arguments: ["ddpg", "td3", "sac"], ["20,33", "130,140"])
  func `after many updates any number of threads has the same bits`(name: String, sizes: String) throws {
    func state(threads: Int) throws -> AlgorithmState {
      let algorithm = try AlgorithmRegistry.entry(name).defaults.setting(["batchSize=37", "hiddenSizes=\(sizes)"])
        .makeAlgorithm(observationSize: 5, actionSize: 2, seed: 6, workers: WorkerPool(count: threads))
      let batches = FixedArray(count: 16) { exampleBatch(37, seed: UInt64($0)) }
      for n in 0..<(ProcessInfo.processInfo.environment["OFFPOLICY_LONG_TESTS"] == nil ? 500 : 10_000) {
        _ = try algorithm.update(batches[n % 16])
      }
      return algorithm.state
    }
    let one = try state(threads: 1)
    #expect(try differences(state(threads: 2), one) == [])
    if ProcessInfo.processInfo.activeProcessorCount >= 4 { #expect(try differences(state(threads: 4), one) == []) }
  }
}
