import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct TD3Tests {
  private static let targets = ["target_critic": "critic", "target_policy": "policy"]

  private func make(_ settings: [String] = []) throws -> TD3 {
    TD3(
      configuration: try TD3.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: 2, seed: 3, workers: WorkerPool(count: 1))
  }

  @Test func `restored from its state it goes on with the same bits, also between two policy steps`() throws {
    try expectResumable(TD3.self)
    try expectResumable(TD3.self, ["policyDelay=3", "targetTracking.hard.every=4"])
    try expectResumable(
      TD3.self,
      [#"explorationNoise={"ornsteinUhlenbeck":{"stiffness":0.15,"standardDeviation":0.2,"timestep":0.01}}"#])
  }

  @Test func `any number of workers gives the same bits`() throws { try expectSameBitsWithAnyWorkers(TD3.self) }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(TD3.self, mean: "policy.layer.2.bias")
  }

  @Test func `soft targets lag by Polyak's recursion, exactly, at every d-th update`() throws {
    try expectPolyakTargets(TD3.self, rate: 0.02, targets: Self.targets) { $0 % 2 == 0 }
    try expectPolyakTargets(TD3.self, ["policyDelay=3"], rate: 0.02, targets: Self.targets) { $0 % 3 == 0 }
  }

  @Test func `hard targets are copied at every n-th update, whatever the delay`() throws {
    try expectHardTargets(TD3.self, ["policyDelay=1"], targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(TD3.self) }

  // MARK: delay

  @Test(arguments: 1...4)
  func `the policy is updated at every d-th update only, and the metrics say so`(delay: Int) throws {
    let td3 = try make(["policyDelay=\(delay)"])
    for n in 1...9 {
      let (policy, critics) = (td3.bits("policy"), td3.bits("critic"))
      let metrics = try td3.update(exampleBatch(40, seed: UInt64(n)))
      #expect((td3.bits("policy") != policy) == (n % delay == 0), "update \(n)")
      #expect(metrics.policyLoss.isFinite == (n % delay == 0))
      #expect(td3.bits("critic") != critics)
    }
  }

  // MARK: target

  /// y of one transition with reward 0 and γ = 1 where Q̄(s, a) is the sum of the actions, each critic shifted.
  private func target(
    _ settings: [String], policy: [Float], noise values: [Float], shifts: [Float] = [0, 0], terminated: Float = 0
  ) throws -> Double {
    let td3 = TD3(
      configuration: try TD3.Configuration().setting(["batchSize=1", "hiddenSizes=4", "discount=1"] + settings),
      observationSize: 1, actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    try td3.setTensors("target_policy", ["target_policy.layer.1.bias": policy])
    // relu(a₁ + 10) + relu(a₂ + 10) − 20
    var weights: [String: [Float]] = [:]
    for j in 0..<2 {
      weights["target_critic.\(j).layer.0.weight"] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
      weights["target_critic.\(j).layer.0.bias"] = [10, 10, 0, 0]
      weights["target_critic.\(j).layer.1.weight"] = [1, 1, 0, 0]
      weights["target_critic.\(j).layer.1.bias"] = [shifts[j] - 20]
    }
    try td3.setTensors("target_critic", weights)
    let batch = exampleBatch(1, observationSize: 1)
    batch.rewards[0] = 0
    batch.terminated[0] = terminated
    batch.setDiscounts(1)
    let noise = UpdateNoise(batchSize: 1, actionSize: 2)
    noise.next.set(values)
    return try td3.update(batch, noise: noise).targetMean
  }

  @Test func `the noise of the target action is scaled, then clipped, and the action is kept in [−1, 1]`() throws {
    let settings = ["targetNoise=0.2", "targetNoiseClip=0.5"]
    #expect(abs(try target(settings, policy: [0, 0], noise: [1, -0.5]) - 0.1) < 1e-5)
    // 0.2 · 4 is clipped to 0.5
    #expect(abs(try target(settings, policy: [0, 0], noise: [4, 0]) - 0.5) < 1e-5)
    #expect(abs(try target(settings, policy: [0, 0], noise: [-40, 0]) + 0.5) < 1e-5)
    // tanh 3 = 0.995 and 0.5 more is kept at 1
    #expect(abs(try target(settings, policy: [3, 0], noise: [4, 0]) - 1) < 1e-5)
    #expect(abs(try target(settings, policy: [-3, 0], noise: [-4, 0]) + 1) < 1e-5)
  }

  @Test func `the target takes the smaller of both target critics, and nothing where the task ended`() throws {
    #expect(abs(try target([], policy: [0, 0], noise: [0, 0], shifts: [2, -3]) + 3) < 1e-5)
    #expect(abs(try target([], policy: [0, 0], noise: [0, 0], shifts: [-4, 1]) + 4) < 1e-5)
    #expect(try target([], policy: [0, 0], noise: [0, 0], shifts: [-4, 1], terminated: 1) == 0)
  }

  @Test func `the policy climbs the first critic, whatever the second says`() throws {
    let td3 = try make(["policyDelay=1", "criticLearningRate=1e-9", "policyLearningRate=0.01"])
    // Q₁ = relu(a₁ + 10), Q₂ falls with a₁
    var weights: [String: [Float]] = [:]
    var first = [Float](repeating: 0, count: 20 * 7)
    first[5] = 1
    var pass = [Float](repeating: 0, count: 33 * 20)
    pass[0] = 1
    for (j, sign) in [(0, 1), (1, -1)] as [(Int, Float)] {
      weights["critic.\(j).layer.0.weight"] = first
      weights["critic.\(j).layer.0.bias"] = [10] + [Float](repeating: 0, count: 19)
      weights["critic.\(j).layer.1.weight"] = pass
      weights["critic.\(j).layer.2.weight"] = [sign] + [Float](repeating: 0, count: 32)
    }
    try td3.setTensors("critic", weights)
    let observation = numbers(5, seed: 1)
    let before = td3.action(observation, size: 2, explore: false)
    for _ in 0..<100 { _ = try td3.update(exampleBatch(40)) }
    let after = td3.action(observation, size: 2, explore: false)
    #expect(after[0] > before[0] + 0.3)
  }
}
