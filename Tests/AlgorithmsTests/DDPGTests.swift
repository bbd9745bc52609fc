import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct DDPGTests {
  private static let targets = ["target_critic": "critic", "target_policy": "policy"]

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(DDPG.self)
    try expectResumable(DDPG.self, ["targetTracking.hard.every=3"])
    try expectResumable(
      DDPG.self,
      [#"explorationNoise={"ornsteinUhlenbeck":{"stiffness":0.15,"standardDeviation":0.2,"timestep":0.01}}"#])
  }

  @Test func `any number of workers gives the same bits`() throws { try expectSameBitsWithAnyWorkers(DDPG.self) }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(DDPG.self, mean: "policy.layer.2.bias")
  }

  @Test func `soft targets lag by Polyak's recursion, exactly, at every update`() throws {
    try expectPolyakTargets(DDPG.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(DDPG.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(DDPG.self) }

  @Test func `the target is r + γ (1 − d) Q′(s′, μ′(s′)), of one critic`() throws {
    let ddpg = DDPG(
      configuration: try DDPG.Configuration().setting(["batchSize=2", "hiddenSizes=4", "discount=0.9"]),
      observationSize: 5, actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    try ddpg.setTensors("target_policy", ["target_policy.layer.1.bias": [0.5, 0]])
    // Q′ = relu(2 a₁ + 3)
    var weights = [Float](repeating: 0, count: 28)
    weights[5] = 2
    try ddpg.setTensors(
      "target_critic",
      [
        "target_critic.0.layer.0.weight": weights, "target_critic.0.layer.0.bias": [3, 0, 0, 0],
        "target_critic.0.layer.1.weight": [1, 0, 0, 0],
      ])
    let batch = exampleBatch(2)
    batch.rewards[0] = 0.25
    batch.rewards[1] = -1
    batch.terminated[0] = 0
    batch.terminated[1] = 1
    batch.setDiscounts(0.9)
    let y = [0.25 + 0.9 * (2 * 0.462_117_157 + 3), -1]
    #expect(abs(try ddpg.update(batch).targetMean - (y[0] + y[1]) / 2) < 1e-5)
    #expect(!ddpg.parameters.contains { $0.name.hasPrefix("critic.1") })
  }
}
