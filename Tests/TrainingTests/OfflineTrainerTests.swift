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

  @Test func `the policy file takes observations as they are, and acts as the normalised policy does`() throws {
    let folder = try TemporaryFolder()
    let trainer = try Self.make(steps: 50)
    try trainer.train()
    try trainer.policyFile().write(to: folder.path("policy.safetensors"))
    let policy = try PolicyFile.load(folder.path("policy.safetensors"))
    let normalization = try #require(trainer.normalization)
    for x in stride(from: Float(-3), through: 3, by: 0.25) {
      var (state, own, theirs): ([Float], [Float], [Float]) = ([x], [0], [0])
      var span = theirs.mutableSpan
      policy.act([x].span, into: &span)
      normalization.apply(to: &state)
      var action = own.mutableSpan
      trainer.algorithm.act(state.span, explore: false, into: &action)
      trainer.scaling.denormalize(&action)
      #expect(abs(own[0] - theirs[0]) < 1e-5, "\(x): \(own[0]), \(theirs[0])")
    }
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
}
