import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct DQNTests {
  private static let targets = ["target_critic": "critic"]

  @Test func `restored from its state it goes on with the same bits, exploration and its schedule included`() throws {
    try expectResumable(DQN.self, ["epsilonSteps=8"])
    try expectResumable(DQN.self, ["doubleQ=false", "targetTracking.hard.every=3", "huberThreshold=0.5"])
  }

  @Test func `any number of workers gives the same bits`() throws { try expectSameBitsWithAnyWorkers(DQN.self) }

  @Test func `soft targets lag by Polyak's recursion, exactly, at every update`() throws {
    try expectPolyakTargets(DQN.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(DQN.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(DQN.self) }

  // MARK: act

  @Test func `without exploration it takes the greatest value and consumes no randomness`() throws {
    let dqn = try make(choices: 3)
    try dqn.setTensors("critic", ["critic.0.layer.1.bias": [1, 7, 3]])
    let before = dqn.state
    for seed in 1...20 as ClosedRange<UInt64> {
      #expect(dqn.action(numbers(1, seed: seed), size: 1, explore: false) == [1])
    }
    #expect(differences(dqn.state, before) == [])
    _ = dqn.action([0], size: 1, explore: true)
    #expect(differences(dqn.state, before) == ["count acting_stream", "count epsilon_step"])
  }

  @Test func `with exploration it takes the greatest value but for a share ε of uniform actions`() throws {
    let dqn = try make(["initialEpsilon=0.3", "finalEpsilon=0.3"], choices: 3)
    try dqn.setTensors("critic", ["critic.0.layer.1.bias": [1, 7, 3]])
    var counts = [0, 0, 0]
    for _ in 0..<6000 { counts[Int(dqn.action([0.5], size: 1, explore: true)[0])] += 1 }
    // a tenth each of the others, ± 4.5 standard deviations
    #expect((495...705).contains(counts[0]) && (495...705).contains(counts[2]))
  }

  // MARK: update

  private func make(_ settings: [String] = [], choices: Int, batch: Int = 1) throws -> DQN {
    DQN(
      configuration: try DQN.Configuration().setting(
        ["batchSize=\(batch)", "hiddenSizes=4", "discount=0.9"] + settings),
      observationSize: 1, actionSize: choices, seed: 1, workers: WorkerPool(count: 1))
  }

  /// One update from one transition with reward ½, where Q is (9, 0, 3) and Q̂ is (1, 5, 2) everywhere.
  private func update(_ settings: [String], action: Float = 2, terminated: Float = 0) throws -> UpdateMetrics {
    let dqn = try make(settings, choices: 3)
    try dqn.setTensors("critic", ["critic.0.layer.1.bias": [9, 0, 3]])
    try dqn.setTensors("target_critic", ["target_critic.0.layer.1.bias": [1, 5, 2]])
    let batch = exampleBatch(1, observationSize: 1, choices: 3)
    batch.actions[0, 0] = action
    batch.rewards[0] = 0.5
    batch.terminated[0] = terminated
    batch.setDiscounts(0.9)
    return try dqn.update(batch)
  }

  @Test func `the target is the target critic's greatest value`() throws {
    // with the online critic's values it would be 8.6
    #expect(abs(try update(["doubleQ=false"]).targetMean - (0.5 + 0.9 * 5)) < 1e-6)
  }

  @Test func `in Double DQN the critic chooses and the target critic values`() throws {
    #expect(abs(try update(["doubleQ=true"]).targetMean - (0.5 + 0.9 * 1)) < 1e-6)
  }

  @Test(arguments: ["true", "false"])
  func `nothing is added where the task ended`(doubleQ: String) throws {
    #expect(try update(["doubleQ=\(doubleQ)"], terminated: 1).targetMean == 0.5)
  }

  @Test func `the loss is that of the action taken, squared or Huber's`() throws {
    // y = 5; Q of the actions is 9, 0, 3
    for (action, error) in [(0, 4), (1, 5), (2, 2)] as [(Float, Double)] {
      let squared = try update(["doubleQ=false"], action: action).criticLoss
      #expect(abs(squared - error * error) < 1e-5)
      let huber = try update(["doubleQ=false", "huberThreshold=0.5"], action: action).criticLoss
      #expect(abs(huber - 0.5 * (error - 0.25)) < 1e-5)
      let wide = try update(["doubleQ=false", "huberThreshold=6"], action: action).criticLoss
      #expect(abs(wide - 0.5 * error * error) < 1e-5)
    }
  }

  @Test func `only the value of the action taken is learned`() throws {
    let dqn = try make(["criticLearningRate=0.01"], choices: 3, batch: 8)
    try dqn.setTensors("critic", ["critic.0.layer.1.bias": [9, 0, 3], "critic.0.layer.0.bias": [1, 1, 1, 1]])
    let batch = exampleBatch(8, observationSize: 1, choices: 3)
    for row in 0..<8 {
      batch.actions[row, 0] = 1
      batch.rewards[row] = 100
    }
    _ = try dqn.update(batch)
    let (weights, biases) = (try dqn.tensor("critic.0.layer.1.weight"), try dqn.tensor("critic.0.layer.1.bias"))
    #expect(biases[0] == 9 && biases[2] == 3 && biases[1] > 0)
    for action in [0, 2] { #expect(weights[4 * action..<4 * action + 4].allSatisfy { $0 == 0 }) }
    #expect(weights[4..<8].allSatisfy { $0 > 0 })
  }

  @Test func `a batch of actions that are no choices is a mistake of the caller`() async {
    await #expect(processExitsWith: .failure) {
      let dqn = DQN(
        configuration: try DQN.Configuration().setting(["batchSize=2", "hiddenSizes=4"]), observationSize: 5,
        actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
      let batch = Batch(count: 2, observationSize: 5, actionSize: 1)
      batch.actions[1, 0] = 2
      _ = try dqn.update(batch)
    }
  }

  @Test func `its value is the critic's of one action, and a look at it tells values, dead units and norms`() throws {
    let dqn = try make(choices: 3, batch: 8)
    // all weights 0: Q is the output's bias everywhere, and every hidden unit is dead
    try dqn.setTensors("critic", ["critic.0.layer.1.bias": [1, -7, 3]])
    for (action, value) in [(0, 1.0), (1, -7), (2, 3)] {
      #expect(dqn.value([0.5].span, [Float(action)].span) == value)
    }
    let look = dqn.assess(exampleBatch(8, observationSize: 1, choices: 3))
    #expect(look.largestValue == 3 && look.deadCriticUnits == 1 && look.criticNorm == Double(59).squareRoot())
    #expect(look.saturatedActions.isNaN && look.deadPolicyUnits.isNaN && look.policyNorm.isNaN)
    try dqn.setTensors("critic", ["critic.0.layer.0.bias": [1, 1, 1, 1]])
    #expect(dqn.assess(exampleBatch(8, observationSize: 1, choices: 3)).deadCriticUnits == 0)
  }

  @Test func `a policy file needs the critic alone`() throws {
    let dqn = try make(choices: 3)
    let policy = dqn.policyTensors
    #expect(
      policy.map(\.name) == [
        "policy.layer.0.weight", "policy.layer.0.bias", "policy.layer.1.weight", "policy.layer.1.bias",
      ])
    for tensor in policy {
      #expect(try dqn.tensor("critic.0" + tensor.name.dropFirst("policy".count)) == tensor.values)
    }
  }
}
