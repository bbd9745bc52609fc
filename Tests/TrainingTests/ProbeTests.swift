// ProbeTests.swift — each algorithm, through the whole trainer, on tasks whose values and policies are known.
//
// A probe fails when something between the task and the weights is wrong: the target, the flags, the buffer's rows, the
// scaling of actions, the sign of a gradient. Conformance says that one update is right; the probes, that training is.

import Foundation
import OffPolicy
import Testing

@Suite struct ProbeTests {
  /// Fast settings: with them 2,500 steps bring a constant value to within a hundredth.
  static let quick = [
    "hiddenSizes=32,32", "batchSize=32", "randomSteps=200", "policyLearningRate=0.001", "criticLearningRate=0.003",
    "targetTracking.soft.rate=0.05",
  ]
  /// SAC without entropy in its values, so that Q is the discounted reward alone.
  static func noEntropy(_ algorithm: String) -> [String] {
    algorithm == "sac" ? ["temperature.fixed.value=0"] : []
  }

  static func trained(
    _ algorithm: String, steps: Int, set settings: [String] = [], _ environment: @escaping () throws -> any Environment
  ) throws -> Trainer {
    let trainer = try makeTrainer(
      algorithm, steps: steps, set: quick + noEntropy(algorithm) + settings, environment: environment)
    try trainer.train()
    return trainer
  }

  /// The farthest that any critic is from `expected`, over actions of the whole range.
  static func error(of trainer: Trainer, at observation: [Double], expected: Double) -> Double {
    [-0.9, -0.3, 0, 0.3, 0.9].flatMap { trainer.actionValues(observation, [$0]) }.map { abs($0 - expected) }.max()!
  }

  // MARK: values

  @Test(arguments: algorithmNames)
  func `after one step with reward 1 that ends the task, Q is 1`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 2500) { Probe.constantReward() }
    #expect(Self.error(of: trainer, at: [0], expected: 1) < 0.02)
  }

  @Test(arguments: algorithmNames)
  func `a reward one step away is worth γ`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000, set: ["discount=0.7"]) { Probe.delayedReward() }
    #expect(Self.error(of: trainer, at: [0], expected: 0.7) < 0.03)
    #expect(Self.error(of: trainer, at: [1], expected: 1) < 0.03)
  }

  @Test(arguments: algorithmNames)
  func `a clock that runs out takes no value away`(algorithm: String) throws {
    // the finite sum of five steps would be 4.1, of infinitely many 10
    let trainer = try Self.trained(algorithm, steps: 6000, set: ["discount=0.9", "targetTracking.soft.rate=0.1"]) {
      Probe.endless(limit: 5)
    }
    #expect(Self.error(of: trainer, at: [0.5], expected: 10) < 0.3)
  }

  @Test(arguments: algorithmNames)
  func `a task that ends has no value after its end`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000, set: ["discount=0.9"]) { Probe.chain(length: 3) }
    for (t, expected) in [2.71, 1.9, 1].enumerated() {
      let observation = (0..<3).map { $0 == t ? 1.0 : 0.0 }
      #expect(Self.error(of: trainer, at: observation, expected: expected) < 0.05)
    }
  }

  @Test(arguments: algorithmNames)
  func `a task that ends on its clock's last step has no value after its end`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000, set: ["discount=0.9"]) {
      TimeLimit(Probe.chain(length: 3), maximumEpisodeSteps: 3)
    }
    #expect(Self.error(of: trainer, at: [0, 0, 1], expected: 1) < 0.05)
    #expect(Self.error(of: trainer, at: [1, 0, 0], expected: 2.71) < 0.05)
  }

  @Test(arguments: algorithmNames)
  func `hard targets bring the same values as soft ones`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000, set: ["discount=0.7", "targetTracking.hard.every=50"]) {
      Probe.delayedReward()
    }
    #expect(Self.error(of: trainer, at: [0], expected: 0.7) < 0.03)
  }

  // MARK: policies

  @Test(arguments: algorithmNames)
  func `the policy finds the best action of each observation`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000) { Probe.follow() }
    // SAC's last policy over 112 seeds: 0.014 root mean square, 0.059 at most, on vectors and on the matrix unit alike
    #expect(abs(trainer.bestAction([1])[0] - 0.4) < 0.08)
    #expect(abs(trainer.bestAction([-1])[0] + 0.4) < 0.08)
  }

  @Test(arguments: algorithmNames)
  func `the policy finds the best action off the centre of asymmetric bounds`(algorithm: String) throws {
    let trainer = try Self.trained(algorithm, steps: 4000) { Probe.offCentre() }
    let best = trainer.bestAction([0])
    #expect(abs(best[0] - 0.6) < 0.06)
    // and in the task's units, as evaluation and policy files give it
    var action = best.map { Float($0) }
    var span = action.mutableSpan
    trainer.scaling.denormalize(&span)
    #expect(abs(action[0] - 5) < 0.3)
  }

  @Test(arguments: [-1, 0.3] as [Double])
  func `the temperature settles where the policy's entropy is the target`(target: Double) throws {
    // π(a) ∝ exp(−c a²/α), a Gaussian where it is narrow: σ² = α / 2c, H = ½ log 2πeσ²
    let curvature = target < 0 ? 1.0 : 0.2
    let trainer = try makeTrainer(
      "sac", steps: 9000,
      set: Self.quick + ["targetEntropy=\(target)", "temperatureLearningRate=0.003", "temperature.learned.initial=0.1"]
    ) { Probe.bowl(curvature: curvature) }
    var entropies: [Double] = []
    var temperatures: [Double] = []
    trainer.observer.metricsReady = {
      guard $0.step > 5000 else { return }
      entropies.append($0.entropy)
      temperatures.append($0.temperature)
    }
    try trainer.train()
    let entropy = entropies.reduce(0, +) / Double(entropies.count)
    let temperature = temperatures.reduce(0, +) / Double(temperatures.count)
    #expect(abs(entropy - target) < 0.05)
    if target < 0 {
      let best = 2 * curvature * exp(2 * target) / (2 * Double.pi * exp(1))
      #expect(abs(temperature / best - 1) < 0.2)
    }
  }

  // MARK: rows

  @Test func `every row of the buffer is one step of one episode`() throws {
    let trainer = try makeTrainer("td3", steps: 3000, set: ["bufferCapacity=500", "randomSteps=1500"]) {
      Probe.numbered()
    }
    try trainer.train()
    let batch = Batch(count: 4096, observationSize: 3, actionSize: 1)
    var stream = RandomStream(seed: 1, purpose: "test")
    trainer.buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    var kinds: Set<String> = []
    for row in 0..<batch.count {
      let (episode, t) = (batch.observations[row, 0], batch.observations[row, 1])
      let end = Probe.numberedEnd(episode: Int(episode))
      let isLast = Int(t) + 1 == end.length
      let taken = -3 + (batch.actions[row, 0] + 1) / 2 * 10
      try #require(batch.nextObservations[row, 0] == episode && batch.nextObservations[row, 1] == t + 1)
      try #require(abs(batch.nextObservations[row, 2] - taken) < 1e-5)
      try #require(batch.rewards[row] == episode + (t + 1) / 64)
      try #require(batch.terminated[row] == (isLast && end.terminates ? 1 : 0))
      kinds.insert(isLast ? "\(end.terminates) \(end.truncates)" : "goes on")
    }
    // all kinds of rows were there
    #expect(kinds.count == 4)
  }

  // MARK: linear-quadratic control

  @Test(arguments: algorithmNames)
  func `a linear system is controlled within 2 percent of the Riccati optimum`(algorithm: String) throws {
    let task = LinearQuadratic(discount: 0.8)
    let best = task.cost { -task.bestGain * $0 }
    // one wide layer: the fewer the kinks of Q along the action, the nearer a deterministic policy comes
    let trainer = try makeTrainer(
      algorithm, steps: 20_000,
      set: [
        "hiddenSizes=512", "batchSize=128", "randomSteps=1000", "policyLearningRate=0.0005",
        "criticLearningRate=0.001", "targetTracking.soft.rate=0.02", "discount=0.8",
      ]
        + (algorithm == "sac"
          ? ["temperature.fixed.value=0.01"] : ["explorationNoise.gaussian.standardDeviation=0.3"])
    ) { task.environment() }
    try trainer.train()
    let learned = task.cost { trainer.bestForce($0) }
    #expect(learned / best < 1.02)
    // nothing is better than the optimum: the test's own Riccati solution is right
    #expect(learned / best > 0.9999)
  }
}

extension Trainer {
  /// The force in the task's units.
  fileprivate func bestForce(_ x: Double) -> Double {
    var action = bestAction([x]).map { Float($0) }
    var span = action.mutableSpan
    scaling.denormalize(&span)
    return Double(action[0])
  }
}
