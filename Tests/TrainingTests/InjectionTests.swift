import Foundation
import OffPolicy
import Testing

/// NaN and infinity put into every place that they can come from, a hundred times each. They must be caught within one
/// step or update, leave no bad row in the buffer and the last checkpoint as it was, be named, and leave a dump.
@Suite struct InjectionTests {
  static let values: [Float] = [.nan, .infinity, -.infinity]

  /// What became of a run that was injected at a step.
  struct Outcome {
    var error: any Error
    var dump: SafeTensors?
    /// Environment steps and updates between the injection and the error.
    var steps: Int
    var updates: Int
  }

  /// Trains to `step`, saves, injects, and trains on; everything that must hold of the rest is expected here.
  func run(
    _ algorithm: String, injectAt step: Int, environment: @escaping () throws -> any Environment,
    inject: @escaping (Trainer) throws -> Void = { _ in }
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    let trainer = try makeTrainer(
      algorithm, steps: 400, set: ["hiddenSizes=4", "batchSize=8", "randomSteps=20"], environment: environment)
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    var dump: SafeTensors?
    trainer.observer.failed = { dump = $0.file }
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= step }
    try trainer.train()
    try directory.save(trainer)
    let digest = try RunInspection(directory).digest
    let updates = trainer.updates
    try inject(trainer)
    trainer.observer.shouldStop = { false }
    let error = try #require(throws: (any Error).self) { try trainer.train() }
    #expect(!"\(error)".contains("\n"))
    #expect(trainer.buffer.frameValues(trainer.buffer.frameRange).allSatisfy { $0.isFinite })
    // what is broken is not saved over what is not
    if trainer.algorithm.state.tensors.contains(where: { !$0.values.allSatisfy(\.isFinite) }) {
      #expect(throws: NonFiniteState.self) { try directory.save(trainer) }
    }
    let reopened = try RunDirectory.open(directory.path)
    #expect(try reopened.checkpoint()?.state.step == step)
    #expect(try RunInspection(reopened).digest == digest)
    let other = try makeTrainer(
      algorithm, steps: 400, set: ["hiddenSizes=4", "batchSize=8", "randomSteps=20"], environment: environment)
    #expect(try reopened.restore(other).problems.isEmpty)
    return Outcome(error: error, dump: dump, steps: trainer.step - step, updates: trainer.updates - updates)
  }

  /// A task of two observations that never ends, into which `bad` puts something at a step.
  func task(at step: Int, observation: (Int, Float)? = nil, reward: Double? = nil) -> Probe {
    Probe(
      observations: 2,
      observe: { probe in
        var values: [Float] = [Float(probe.t % 7) / 7, Float(probe.t % 3)]
        if let (index, value) = observation, probe.t == step + 1 { values[index] = value }
        return values
      }
    ) { probe, action in
      StepOutcome(reward: reward.flatMap { probe.t == step + 1 ? $0 : nil } ?? Double(action[0]))
    }
  }

  @Test func `into observations`() throws {
    for n in 0..<100 {
      let (step, index, value) = (1 + n, n % 2, Self.values[n % 3])
      let outcome = try run(algorithmNames[n % 3], injectAt: step) {
        task(at: step, observation: (index, value))
      }
      let error = try #require(outcome.error as? ContractViolation)
      #expect(outcome.steps == 0 && error.step == step + 1)
      #expect("\(error)".hasPrefix("Probe-v0 gave observation[\(index)] = \(value) at step \(step + 1) of the episode"))
      let dump = try #require(outcome.dump)
      #expect(try dump.floats("task.observation")[index].bitPattern == value.bitPattern)
      #expect(dump.metadata["step"] == "\(step)" && dump.metadata["reason"] == "\(error)")
    }
  }

  @Test func `into rewards, those that single precision cannot hold included`() throws {
    for n in 0..<100 {
      let step = 1 + n
      let value = [Double.nan, .infinity, -.infinity, 1e39][n % 4]
      let outcome = try run(algorithmNames[n % 3], injectAt: step) { task(at: step, reward: value) }
      #expect(outcome.steps == 0)
      #expect("\(outcome.error)".hasPrefix("Probe-v0 gave reward \(value) at step \(step + 1) of the episode"))
      #expect(outcome.dump?.contains("task.action") == true)
    }
  }

  /// Replaces one value of the state.
  func poison(_ trainer: Trainer, _ name: String, _ index: Int, _ value: Float) throws {
    var state = trainer.algorithm.state
    state.tensors = state.tensors.map { tensor in
      guard tensor.name == name else { return tensor }
      var values = tensor.values
      values[index] = value
      return Tensor(name: name, shape: tensor.shape, values: values)
    }
    try trainer.algorithm.restore(state)
  }

  @Test func `into actions`() throws {
    // tanh of a NaN is the only way to an action that is none: the last layer's bias
    for n in 0..<100 {
      let (algorithm, step) = (algorithmNames[n % 3], 21 + n)
      let outcome = try run(algorithm, injectAt: step, environment: { task(at: -1) }) {
        try poison($0, algorithm == "sac" ? "policy.mean.bias" : "policy.layer.1.bias", 0, .nan)
      }
      let error = try #require(outcome.error as? DivergedPolicy)
      #expect(outcome.steps == 0 && outcome.updates == 0)
      #expect("\(error)".hasPrefix("after step \(step) the policy gave action[0] = nan: it has diverged"))
      #expect(try outcome.dump?.floats("trainer.action")[0].isNaN == true)
    }
  }

  @Test func `into weights and targets`() throws {
    for n in 0..<100 {
      let (algorithm, step) = (algorithmNames[n % 3], 40 + n)
      var injected = ""
      let outcome = try run(algorithm, injectAt: step, environment: { task(at: -1) }) { trainer in
        let learned = trainer.algorithm.parameters.filter { $0.name != "log_temperature" }
        let tensor = learned[n * 7 % learned.count]
        injected = tensor.name
        // an infinite target is one no more once it has been tracked: NaN
        let value = tensor.name.hasPrefix("target") ? .nan : Self.values[n % 3]
        try poison(trainer, tensor.name, n % tensor.values.count, value)
      }
      // TD3's policy is stepped, and its infinity noticed, at every second update
      #expect(outcome.steps <= (algorithm == "td3" ? 2 : 1), "\(algorithm), \(injected)")
      let text = "\(outcome.error)"
      if outcome.error is DivergedUpdate {
        #expect(text.contains(/(policy|critic|batch)[a-z_0-9.]*\[[0-9, ]+\] is -?(nan|inf)/), "\(text)")
        #expect(outcome.dump?.contains("batch.observations") == true)
        #expect(outcome.dump?.contains(injected) == true)
      } else {
        #expect(outcome.error is DivergedPolicy, "\(text)")
      }
    }
  }

  @Test func `into gradients, as the moments that they leave`() throws {
    for n in 0..<100 {
      let (algorithm, step) = (algorithmNames[n % 3], 40 + n)
      var injected = ""
      let outcome = try run(algorithm, injectAt: step, environment: { task(at: -1) }) { trainer in
        let moments = trainer.algorithm.state.tensors.filter { $0.name.contains("optimizer") }
        let tensor = moments[n * 5 % moments.count]
        injected = tensor.name
        try poison(trainer, tensor.name, n % tensor.values.count, Self.values[n % 3])
      }
      #expect(outcome.error is DivergedUpdate && outcome.steps <= (algorithm == "td3" ? 2 : 1), "\(injected)")
      #expect(
        "\(outcome.error)".contains(/the next parameter of the (policy|critics?) is nan, [a-z_0-9.]+\[[0-9, ]+\] is/))
      #expect(outcome.dump?.contains("batch.rewards") == true)
    }
  }

  @Test func `into gradients, from rewards that are finite and too large`() throws {
    for n in 0..<100 {
      let step = 40 + n
      let outcome = try run(algorithmNames[n % 3], injectAt: step) {
        // drawn from the buffer sooner or later; the update that draws it is the one that ends the run
        task(at: step, reward: n % 2 == 0 ? 3e38 : -3e38)
      }
      let error = try #require(outcome.error as? DivergedUpdate)
      #expect(error.what.hasPrefix("next parameter of the critic"))
      let rewards = try #require(try outcome.dump?.floats("batch.rewards"))
      #expect(rewards.contains { abs($0) > 2e38 })
    }
  }

  @Test func `into the temperature`() throws {
    for n in 0..<100 {
      let outcome = try run("sac", injectAt: 40 + n, environment: { task(at: -1) }) { trainer in
        var state = trainer.algorithm.state
        state.numbers["log_temperature"] = [Double.nan, .infinity, 800][n % 3]
        try trainer.algorithm.restore(state)
      }
      #expect(outcome.error is DivergedUpdate && outcome.steps <= 1)
    }
  }

  @Test(.enabled(if: SimulatorFaultsTests.hasSimulator)) func `into the simulator`() throws {
    for n in 0..<100 {
      let (step, value) = (1 + n, Double(Self.values[n % 3]))
      let algorithm = algorithmNames[n % 3]
      var faults: [SimulatorFaultRecord] = []
      let trainer = try makeTrainer(
        algorithm, steps: step + 40, set: ["hiddenSizes=4", "batchSize=8", "randomSteps=20"]
      ) {
        // time, 9 positions, 9 velocities
        try SimulatorFaultsTests.Exploding(at: { $0 == step + 1 }) { _, values in values[1 + n % 18] = value }
      }
      trainer.observer.simulatorFailed = { faults.append($0) }
      try trainer.train()
      #expect(faults.map(\.step) == [step] && trainer.step == step + 40)
      let quantity = n % 18 < 9 ? "position \(n % 18)" : "velocity \(n % 18 - 9)"
      #expect(faults[0].description.contains("\(quantity) is not finite or too large"))
      #expect(faults[0].dump.file.contains("environment.values"))
      #expect(trainer.buffer.count == step + 40)
      #expect(trainer.buffer.frameValues(trainer.buffer.frameRange).allSatisfy { $0.isFinite })
    }
  }
}
