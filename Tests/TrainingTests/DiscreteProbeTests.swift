// DiscreteProbeTests.swift — the algorithms for discrete actions, through the whole trainer, on tasks of known values.

import Foundation
import OffPolicy
import Testing

let discreteAlgorithmNames = ["dqn", "sac-discrete"]

@Suite struct DiscreteProbeTests {
  static let quick = [
    "hiddenSizes=32,32", "batchSize=32", "randomSteps=200", "criticLearningRate=0.003",
    "targetTracking.soft.rate=0.05",
  ]
  static let ofAlgorithm = [
    "dqn": ["epsilonSteps=1000"],
    // without entropy, so that Q is the discounted reward alone
    "sac-discrete": ["temperature.fixed.value=0", "policyLearningRate=0.001"],
  ]

  static func trained(
    _ algorithm: String, steps: Int, set settings: [String] = [], _ environment: @escaping () throws -> any Environment
  ) throws -> Trainer {
    let trainer = try makeTrainer(
      algorithm, steps: steps, set: quick + (ofAlgorithm[algorithm] ?? []) + settings, environment: environment)
    try trainer.train()
    return trainer
  }

  /// Q_j(s, ·) of the learned critics.
  static func values(of trainer: Trainer, at observation: [Double]) -> [[Double]] {
    let tensors = trainer.algorithm.parameters
    let count = tensors.contains { $0.name.hasPrefix("critic.1.") } ? 2 : 1
    return (0..<count).map { PlainNetwork("critic.\($0)", from: tensors)(observation) }
  }

  /// The farthest that any value of any action is from `expected`.
  static func error(of trainer: Trainer, at observation: [Double], expected: Double) -> Double {
    values(of: trainer, at: observation).flatMap { $0 }.map { abs($0 - expected) }.max()!
  }

  @Test(arguments: discreteAlgorithmNames)
  func `after one step with reward 1 that ends the task, Q is 1`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 2500, set: ["initialEpsilon=1", "finalEpsilon=1"].of(algorithm)) {
      Probe.constantReward(choices: 3)
    }
    #expect(Self.error(of: trainer, at: [0], expected: 1) < 0.02)
  }

  @Test(arguments: discreteAlgorithmNames, ["targetTracking.soft.rate=0.05", "targetTracking.hard.every=50"])
  func `a reward one step away is worth γ, with soft and with hard targets`(
    algorithm: String, tracking: String
  ) throws {
    let trainer = try Self.trained(
      algorithm, steps: 4000, set: ["discount=0.7", tracking] + ["finalEpsilon=1"].of(algorithm)
    ) { Probe.delayedReward(choices: 2) }
    #expect(Self.error(of: trainer, at: [0], expected: 0.7) < 0.03)
    #expect(Self.error(of: trainer, at: [1], expected: 1) < 0.03)
  }

  @Test(arguments: discreteAlgorithmNames)
  func `a clock that runs out takes no value away`(algorithm: String) throws {
    let trainer = try Self.trained(
      algorithm, steps: 6000,
      set: ["discount=0.9", "targetTracking.soft.rate=0.1"] + ["finalEpsilon=1"].of(algorithm)
    ) { Probe.endless(limit: 5, choices: 2) }
    #expect(Self.error(of: trainer, at: [0.5], expected: 10) < 0.3)
  }

  @Test(arguments: discreteAlgorithmNames)
  func `a task that ends, also on its clock's last step, has no value after its end`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000, set: ["discount=0.9"] + ["finalEpsilon=1"].of(algorithm)) {
      TimeLimit(Probe.chain(length: 3, choices: 2), maximumEpisodeSteps: 3)
    }
    #expect(Self.error(of: trainer, at: [0, 0, 1], expected: 1) < 0.05)
    #expect(Self.error(of: trainer, at: [1, 0, 0], expected: 2.71) < 0.08)
  }

  @Test(arguments: discreteAlgorithmNames)
  func `the policy finds the right choice of each observation, and the others' values are theirs`(
    algorithm: String
  ) throws {
    let trainer = try Self.trained(algorithm, steps: 4000) { Probe.choose() }
    #expect(trainer.bestAction([1]) == [3] && trainer.bestAction([-1]) == [0])
    for values in Self.values(of: trainer, at: [1]) { #expect(abs(values[3] - 1) < 0.1) }
    if algorithm == "dqn" {
      let values = Self.values(of: trainer, at: [-1])[0]
      for choice in 0..<5 { #expect(abs(values[choice] - (choice == 0 ? 1 : 0)) < 0.15, "\(choice)") }
    }
  }

  @Test(arguments: ["true", "false"])
  func `the value of a choice is what the best choices after it bring`(doubleQ: String) throws {
    let trainer = try Self.trained("dqn", steps: 5000, set: ["discount=0.8", "doubleQ=\(doubleQ)", "finalEpsilon=0.5"])
    {
      Probe.consequence()
    }
    let values = Self.values(of: trainer, at: [0, 0])[0]
    for (choice, expected) in [0.64, 0, 0].enumerated() { #expect(abs(values[choice] - expected) < 0.08, "\(values)") }
  }

  @Test func `with a temperature the policy is the softmax of the values over it`() throws {
    let trainer = try Self.trained(
      "sac-discrete", steps: 5000, set: ["temperature.fixed.value=0.5", "policyLearningRate=0.003"]
    ) { Probe.choose() }
    // π(a) ∝ exp(r(a) / α): e² for the right one against four of 1
    let logits = PlainNetwork("policy", from: trainer.algorithm.parameters)([1])
    let right = exp(logits[3]) / logits.map(exp).reduce(0, +)
    #expect(abs(right - exp(2) / (exp(2) + 4)) < 0.06)
  }

  @Test(arguments: [0.4, 0.8])
  func `the temperature settles where the policy's entropy is the target`(scale: Double) throws {
    let trainer = try makeTrainer(
      "sac-discrete", steps: 8000,
      set: Self.quick + [
        "policyLearningRate=0.003", "targetEntropyScale=\(scale)", "temperatureLearningRate=0.003",
        "temperature.learned.initial=0.2",
      ]
    ) { Probe.choose() }
    var entropies: [Double] = []
    trainer.observer.metricsReady = { if $0.step > 5000 { entropies.append($0.entropy) } }
    try trainer.train()
    #expect(abs(entropies.reduce(0, +) / Double(entropies.count) - scale * log(5)) < 0.05)
  }

  @Test func `every row of the buffer holds the index that the task was given`() throws {
    let trainer = try makeTrainer("dqn", steps: 600, set: ["randomSteps=300"]) {
      Probe(observations: 1, choices: 4, values: [0], observe: { [Float($0.values[0])] }) { probe, action in
        probe.values[0] = Double(action[0])
        return StepOutcome(reward: 0, truncated: probe.t == 7)
      }
    }
    try trainer.train()
    let batch = Batch(count: 512, observationSize: 1, actionSize: 1)
    var stream = RandomStream(seed: 1, purpose: "test")
    trainer.buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    var seen: Set<Float> = []
    for row in 0..<512 {
      try #require(batch.nextObservations[row, 0] == batch.actions[row, 0])
      seen.insert(batch.actions[row, 0])
    }
    #expect(seen == [0, 1, 2, 3])
  }

  // MARK: runs

  static func cartPole() throws -> any Environment { try EnvironmentRegistry.builtIn.make("CartPole-v1") }

  @Test(arguments: discreteAlgorithmNames)
  func `threads and evaluation change no bit, another seed does`(algorithm: String) throws {
    func run(_ seed: UInt64, threads: Int = 1, evaluateEvery: Int = 0) throws -> String {
      let trainer = try makeTrainer(
        algorithm, steps: 300, seed: seed, threads: threads, evaluateEvery: evaluateEvery, environment: Self.cartPole)
      try trainer.train()
      return RunInspection.digest(trainer.algorithm.parameters)
    }
    let first = try run(1)
    #expect(try run(1, threads: 2) == first && run(1, evaluateEvery: 60) == first)
    #expect(try run(2) != first)
  }

  @Test(arguments: discreteAlgorithmNames, [20, 101, 250])
  func `a run saved and restored goes on to the same bits, exploration and its schedule included`(
    algorithm: String, step: Int
  ) throws {
    func make() throws -> Trainer {
      try makeTrainer(
        algorithm, steps: 400, set: ["epsilonSteps=300"].of(algorithm), environment: Self.cartPole)
    }
    let whole = try make()
    try whole.train()
    let part = try make()
    part.observer.shouldStop = { [unowned part] in part.step >= step }
    try part.train()
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try make()
    try RunDirectory.open(folder.path("run")).restore(other)
    try other.train()
    #expect(other.episodes == whole.episodes && other.updates == whole.updates)
    #expect(RunInspection.digest(other.algorithm.state.tensors) == RunInspection.digest(whole.algorithm.state.tensors))
    #expect(other.algorithm.state.counts == whole.algorithm.state.counts)
  }

  // MARK: policy files

  @Test(arguments: discreteAlgorithmNames)
  func `a policy taken away chooses as the algorithm does without exploration`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 1500) { Probe.choose() }
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    #expect(policy.description.choices == 5 && policy.description.algorithm == algorithm)
    let names = try SafeTensors(contentsOf: folder.path("policy")).names
    #expect(names.allSatisfy { $0.hasPrefix("policy.layer.") || $0.hasPrefix("action.") })
    let network = PlainNetwork(
      algorithm == "dqn" ? "critic.0" : "policy", from: trainer.algorithm.parameters)
    var chosen: Set<Float> = []
    for i in -20...20 {
      let observation = [Float(i) / 8]
      var action: [Float] = [-1]
      var span = action.mutableSpan
      policy.act(observation.span, into: &span)
      let outputs = network([Double(observation[0])])
      #expect(action.map(Double.init) == trainer.bestAction([Double(observation[0])]))
      #expect(outputs[Int(action[0])] >= outputs.max()! - 1e-5)
      chosen.insert(action[0])
    }
    #expect(chosen.count > 1)
  }

  @Test(arguments: ["0", "4", "6", "five", "-5"])
  func `a policy file whose choices are not its network's is refused`(choices: String) throws {
    let trainer = try makeTrainer("dqn", steps: 60) { Probe.choose() }
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().changed(metadata: ["choices": choices]).write(to: folder.path("policy"))
    let error = #expect(throws: PolicyFileError.self) { try PolicyFile.load(folder.path("policy")) }
    #expect(error?.description.contains("says \(choices) choices") == true)
  }
}

extension [String] {
  /// The settings that DQN alone has, for it.
  fileprivate func of(_ algorithm: String) -> [String] { algorithm == "dqn" ? self : [] }
}
