import OffPolicy
import Testing

@testable import Training

@Suite struct OfflineTrainerTests {
  /// Data of the linear-quadratic task, observations far from 0 and wide, by uniform actions.
  static func data(_ count: Int = 3000) throws -> Dataset {
    try Collector.collect(
      [.random], in: LinearQuadratic(discount: 0.9).environment(), of: "Linear-v0", steps: count, seed: 3,
      source: "random")
  }

  static func make(
    steps: Int, seed: UInt64 = 1, threads: Int = 1, set settings: [String] = [], evaluateEvery: Int = 0
  ) throws -> OfflineTrainer {
    let small = ["hiddenSizes=16,16", "batchSize=32", "discount=0.9"]
    let configuration = try AlgorithmRegistry.entry("td3-bc").defaults.setting(small + settings)
    let run = RunConfiguration(
      algorithm: "td3-bc", environment: "Linear-v0", configuration: configuration.values, steps: steps, seed: seed,
      threads: threads, evaluateEvery: evaluateEvery, evaluationEpisodes: 3, checkpointEvery: 0)
    let data = try data()
    let scaling = data.description.scaling
    return try OfflineTrainer(
      run, data: data.takeBuffer(), scaling: scaling, workers: WorkerPool(count: threads),
      makeEnvironment: { LinearQuadratic(discount: 0.9).environment() })
  }

  static func digest(_ trainer: OfflineTrainer) -> String { RunInspection.digest(trainer.algorithm.parameters) }

  @Test func `stopped, saved and restored it goes on with the same bits, on one thread and on two`() throws {
    let folder = try TemporaryFolder()
    let whole = try Self.make(steps: 90)
    try whole.train()
    let first = try Self.make(steps: 40)
    try first.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(first.run))
    try directory.save(first)
    let second = try Self.make(steps: 90, threads: 2)
    try RunDirectory.open(folder.path("run")).restore(second)
    #expect(second.step == 40 && Self.digest(second) == Self.digest(first))
    try second.train()
    #expect(Self.digest(second) == Self.digest(whole))
  }

  @Test func `evaluations change nothing, and need a task`() throws {
    let without = try Self.make(steps: 60)
    try without.train()
    let with = try Self.make(steps: 60, evaluateEvery: 20)
    var evaluations = 0
    with.observer.evaluated = { _ in evaluations += 1 }
    try with.train()
    #expect(evaluations == 3 && Self.digest(with) == Self.digest(without))
    #expect(with.lastEvaluation?.step == 60)
  }

  @Test func `an update that diverges says where, and leaves a dump of batch and networks`() throws {
    let trainer = try Self.make(steps: 60)
    let tensors = Dictionary(uniqueKeysWithValues: trainer.algorithm.parameters.map { ($0.name, $0) })
    try trainer.algorithm.loadParameters { name in
      let tensor = try #require(tensors[name])
      guard name == "critic.1.layer.0.weight" else { return tensor }
      var values = tensor.values
      values[3] = .nan
      return Tensor(name: name, shape: tensor.shape, values: values)
    }
    var dumps: [FailureDump] = []
    trainer.observer.failed = { dumps.append($0) }
    let error = #expect(throws: DivergedUpdate.self) { try trainer.train() }
    let origin = try #require(error?.origin)
    #expect(origin.hasPrefix("critic.1.layer.0.weight[") && origin.hasSuffix(" is nan"), "\(origin)")
    #expect(dumps.count == 1 && dumps[0].file.metadata["reason"] == error?.description)
    #expect(dumps[0].file.names.contains("batch.rewards") && dumps[0].file.names.contains("critic.1.layer.0.weight"))
  }

  @Test func `states are normalised by the data's mean and deviation, and null leaves them`() throws {
    let data = try Self.data()
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    data.forEachTransition { step in
      let x = Double(step.observation[step.observation.startIndex])
      (sum, squares, count) = (sum + x, squares + x * x, count + 1)
    }
    let trainer = try Self.make(steps: 1)
    let normalization = try #require(trainer.normalization)
    #expect(abs(Double(normalization.mean[0]) - sum / count) < 1e-5)
    let deviation = (squares / count - (sum / count) * (sum / count)).squareRoot()
    #expect(abs(Double(normalization.scale[0]) - deviation - 1e-3) < 1e-4)
    #expect(try Self.make(steps: 1, set: ["normalization=null"]).normalization == nil)
  }

  @Test func `the policy file takes observations as they are, and acts as the normalised policy does, to the bit`()
    throws
  {
    let folder = try TemporaryFolder()
    let trainer = try Self.make(steps: 50)
    try trainer.train()
    try trainer.policyFile().write(to: folder.path("policy.safetensors"))
    let policy = try PolicyFile.load(folder.path("policy.safetensors"))
    for x in stride(from: Float(-3), through: 3, by: 0.25) { try Self.expectSameAction([x], policy, trainer) }
  }

  /// What the file does with an observation is what the network does with the normalised one.
  static func expectSameAction(_ observation: [Float], _ policy: Policy, _ trainer: OfflineTrainer) throws {
    let normalization = try #require(trainer.normalization)
    var (state, own, theirs): ([Float], [Float], [Float]) = (observation, [0], [0])
    var span = theirs.mutableSpan
    policy.act(observation.span, into: &span)
    normalization.apply(to: &state)
    var action = own.mutableSpan
    trainer.algorithm.act(state.span, explore: false, into: &action)
    trainer.scaling.denormalize(&action)
    #expect(own == theirs, "\(observation)")
  }

  /// Data whose values are constant and far from 0, far from 0 with hardly any spread, tiny, huge, and ordinary.
  static func extremeTask() -> any Environment {
    Probe(
      observations: 6, values: [0], begin: { $0.values = [$0.generator.uniform(-1, 1)] },
      observe: { probe in
        let x = probe.values[0]
        return [Float(x), 1e5, Float(1e5 + 0.05 * x), Float(1e-6 * x), Float(1e8 * x), -3e4]
      }
    ) { probe, action in
      probe.values[0] = 0.9 * probe.values[0] + 0.1 * Double(action[0])
      return StepOutcome(reward: -probe.values[0] * probe.values[0], truncated: probe.t == 20)
    }
  }

  @Test func `the file's actions are the network's over extreme data: a constant of 1e5, 1e5 with a spread of 0.05`()
    throws
  {
    let data = try Collector.collect(
      [.random], in: Self.extremeTask(), of: "Extreme-v0", steps: 2000, seed: 3, source: "random")
    let small = ["hiddenSizes=16,16", "batchSize=32", "discount=0.9", "policyLearningRate=0.003"]
    let run = RunConfiguration(
      algorithm: "td3-bc", environment: "Extreme-v0",
      configuration: try AlgorithmRegistry.entry("td3-bc").defaults.setting(small).values, steps: 300, seed: 1,
      threads: 1, evaluateEvery: 0, evaluationEpisodes: 3, checkpointEvery: 0)
    let scaling = data.description.scaling
    let trainer = try OfflineTrainer(
      run, data: data.takeBuffer(), scaling: scaling, workers: WorkerPool(count: 1), makeEnvironment: nil)
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy.safetensors"))
    let policy = try PolicyFile.load(folder.path("policy.safetensors"))
    #expect(policy.description.normalization == trainer.normalization)
    var actions: Set<Float> = []
    let task = Self.extremeTask()
    var observation = [Float](repeating: 0, count: 6)
    for seed in 0..<50 as Range<UInt64> {
      var span = observation.mutableSpan
      try task.reset(seed: seed, into: &span)
      try Self.expectSameAction(observation, policy, trainer)
      var action: [Float] = [0]
      var actionSpan = action.mutableSpan
      policy.act(observation.span, into: &actionSpan)
      actions.insert(action[0])
    }
    #expect(actions.count > 25, "the policy must tell observations apart")
  }

  @Test func `from random data it learns a policy that is better than the data`() throws {
    let trainer = try Self.make(
      steps: 4000, set: ["policyLearningRate=0.001", "criticLearningRate=0.001", "cloningWeight=10"],
      evaluateEvery: 4000)
    try trainer.train()
    let statistics = DatasetStatistics(try Self.data())
    let mean = try #require(trainer.lastEvaluation).evaluation.mean
    #expect(mean > statistics.returns.mean + 1, "\(mean), data \(statistics.returns.mean)")
  }

  @Test(arguments: [Float(1e3), 1e5, 1e6])
  func `the policy file gives the network's own actions, however far from 0 a feature is and however little it varies`(
    offset: Float
  ) throws {
    // three features: one ordinary, one far away that hardly varies, one far away that never does
    var buffer = try ReplayBuffer(frames: 401, observationSize: 3, actionSize: 1)
    var stream = RandomStream(seed: 2, purpose: "test")
    func observation() -> [Float] {
      let x = 2 * stream.uniform() - 1
      return [x, offset + x * 0.01 * (offset / 1e5).rounded(.up), offset]
    }
    buffer.beginEpisode(observation().span)
    for i in 0..<400 {
      let action: [Float] = [2 * stream.uniform() - 1]
      buffer.add(
        action: action.span, reward: action[0], terminated: false, truncated: i == 399, next: observation().span)
    }
    let run = RunConfiguration(
      algorithm: "td3-bc", environment: "Far-v0",
      configuration: try AlgorithmRegistry.entry("td3-bc").defaults.setting(["hiddenSizes=16", "batchSize=32"]).values,
      steps: 200, seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: 0)
    let trainer = try OfflineTrainer(
      run, data: buffer, scaling: ActionScaling(low: [-2], high: [3]), workers: WorkerPool(count: 1),
      makeEnvironment: nil)
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    // states of the data and beyond
    for _ in 0..<100 {
      let state = observation()
      var normalized = state
      trainer.normalization?.apply(to: &normalized)
      var (own, given): ([Float], [Float]) = ([0], [0])
      var span = own.mutableSpan
      trainer.algorithm.act(normalized.span, explore: false, into: &span)
      trainer.scaling.denormalize(&span)
      var other = given.mutableSpan
      policy.act(state.span, into: &other)
      #expect(own == given, "\(state)")
      #expect(own[0].isFinite)
    }
  }

  @Test func `data bound the values that a critic may give`() throws {
    let trainer = try Self.make(steps: 1000)
    var records: [HealthRecord] = []
    trainer.observer.healthAssessed = { records.append($0) }
    try trainer.train()
    var largest = 0.0
    try Self.data().forEachTransition { largest = max(largest, abs(Double($0.reward))) }
    let bound = try #require(records.last?.valueBound)
    #expect(abs(bound - largest / 0.1) < 1e-6 * bound)
  }
}
