import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct TD3BCTests {
  private static let targets = ["target_critic": "critic", "target_policy": "policy"]

  private func make(_ settings: [String] = []) throws -> TD3BC {
    TD3BC(
      configuration: try TD3BC.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: 2, seed: 3, workers: WorkerPool(count: 1))
  }

  @Test func `restored from its state it goes on with the same bits, also between two policy steps`() throws {
    try expectResumable(TD3BC.self)
    try expectResumable(TD3BC.self, ["policyDelay=3", "targetTracking.hard.every=4"])
  }

  @Test func `any number of workers gives the same bits`() throws { try expectSameBitsWithAnyWorkers(TD3BC.self) }

  @Test func `soft targets lag by Polyak's recursion, exactly, at every d-th update`() throws {
    try expectPolyakTargets(TD3BC.self, rate: 0.02, targets: Self.targets) { $0 % 2 == 0 }
  }

  @Test func `hard targets are copied at every n-th update, whatever the delay`() throws {
    try expectHardTargets(TD3BC.self, ["policyDelay=1"], targets: Self.targets)
  }

  @Test func `without a weight on the value it clones the data's actions`() throws {
    let algorithm = try make(["cloningWeight=0", "policyLearningRate=0.003"])
    let batch = exampleBatch(40)
    for _ in 0..<4000 { _ = try algorithm.update(batch) }
    var worst: Float = 0
    for row in 0..<40 {
      var observation = [Float](repeating: 0, count: 5)
      for i in 0..<5 { observation[i] = batch.observations[row, i] }
      var action: [Float] = [0, 0]
      var span = action.mutableSpan
      algorithm.act(observation.span, explore: false, into: &span)
      for i in 0..<2 { worst = max(worst, abs(action[i] - batch.actions[row, i])) }
    }
    #expect(worst < 0.2, "\(worst)")
  }

  @Test func `the weight on the value does not depend on the size of the rewards`() throws {
    // λ = α / mean |Q|: with critics and targets scaled, the policy step is the same
    func policy(scale: Float) throws -> [Float] {
      let algorithm = try make(["policyDelay=1", "criticLearningRate=1e-30"])
      let tensors = Dictionary(uniqueKeysWithValues: algorithm.parameters.map { ($0.name, $0) })
      try algorithm.loadParameters { name in
        let tensor = try #require(tensors[name])
        guard name.contains("critic"), name.contains("layer.2") else { return tensor }
        return Tensor(name: name, shape: tensor.shape, values: tensor.values.map { $0 * scale })
      }
      _ = try algorithm.update(exampleBatch(40))
      return algorithm.parameters.filter { $0.name.hasPrefix("policy.") }.flatMap(\.values)
    }
    let (small, large) = (try policy(scale: 1), try policy(scale: 1024))
    #expect(zip(small, large).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
