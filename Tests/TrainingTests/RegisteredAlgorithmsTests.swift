import OffPolicy
import Testing

@testable import Training

/// What a run of every registered algorithm must keep. A new one is tested here by its line in the registry.
@Suite struct RegisteredAlgorithmsTests {
  static let names = AlgorithmRegistry.standard.entries.map(\.name)

  /// A run with small networks: on a classic task where the algorithm learns from one, else on random actions' data.
  func makeRun(_ name: String, steps: Int, threads: Int = 1, set settings: [String] = []) throws -> any TrainingRun {
    let entry = try AlgorithmRegistry.entry(name)
    let task = entry.actions == .discrete ? "CartPole-v1" : "Pendulum-v1"
    let random = entry.source == .task ? ["randomSteps=50"] : []
    let run = RunConfiguration(
      algorithm: name, environment: task,
      configuration: try entry.defaults.setting(["hiddenSizes=16,12", "batchSize=16"] + random + settings).values,
      steps: steps, seed: 5, threads: threads, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: 0)
    let make = { try EnvironmentRegistry.builtIn.make(task) }
    let workers = WorkerPool(count: threads)
    guard entry.source != .task else { return try Trainer(run, workers: workers, makeEnvironment: make) }
    let data = try Collector.collect([.random], in: make(), of: task, steps: 600, seed: 3, source: "random")
    let scaling = data.description.scaling
    return try OfflineTrainer(
      run, data: data.takeBuffer(), scaling: scaling, workers: workers, makeEnvironment: nil)
  }

  func digest(_ run: any TrainingRun) -> String { RunInspection.digest(run.algorithm.state.tensors) }

  @Test(arguments: names)
  func `stopped, saved and restored on another number of threads, a run goes on with the same bits`(name: String) throws
  {
    let folder = try TemporaryFolder()
    // the length of a schedule over a whole run would depend on where the run ends
    let hasSchedule = try AlgorithmRegistry.entry(name).hyperparameters.contains { $0.name == "learningRateSchedule" }
    let settings = hasSchedule ? ["learningRateSchedule=constant"] : []
    let whole = try makeRun(name, steps: 300, set: settings)
    try whole.train()
    let first = try makeRun(name, steps: 170, set: settings)
    try first.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(first.run))
    try directory.save(first)
    let second = try makeRun(name, steps: 300, threads: 2, set: settings)
    try RunDirectory.open(folder.path("run")).restore(second)
    #expect(second.step == 170 && digest(second) == digest(first))
    try second.train()
    #expect(digest(second) == digest(whole))
  }

  @Test(arguments: names)
  func `health is assessed with the configured discount, and no number of it is infinite`(name: String) throws {
    var bounds: [Double] = []
    for discount in ["0.9", "0.8"] {
      let run = try makeRun(name, steps: 1000, set: ["discount=\(discount)"])
      var records: [HealthRecord] = []
      run.observer.healthAssessed = { records.append($0) }
      try run.train()
      let record = try #require(records.first)
      #expect(records.count == 1 && record.step == 1000)
      for column in record.columns { #expect(!column.value.isInfinite, "\(column.name)") }
      // all of critics and policy is known, or nothing; choices have no bounds to be at
      let look = record.assessment
      let isDiscrete = try AlgorithmRegistry.entry(name).actions == .discrete
      #expect(look.criticNorm.isNaN == look.largestValue.isNaN && look.policyNorm.isNaN == look.deadPolicyUnits.isNaN)
      #expect(look.saturatedActions.isNaN == (isDiscrete || look.policyNorm.isNaN))
      bounds.append(record.valueBound)
    }
    // from episodes or from data
    #expect(bounds.allSatisfy { $0.isFinite && $0 > 0 })
    // max |r| / (1 − γ), with what the entropy adds: twice as much for γ 0.9 where the largest reward is the same
    if name == "dqn" { #expect(abs(bounds[0] / bounds[1] - 2) < 1e-9) }
  }

  @Test(arguments: names)
  func `a conformance case is as many updates of the algorithm itself, whatever it draws`(name: String) throws {
    let entry = try AlgorithmRegistry.entry(name)
    let (updates, rows, observationSize, actionSize) = (3, 5, 3, 4)
    let configuration = try entry.defaults.setting(["hiddenSizes=7,6", "batchSize=\(rows)"]).lasting(updates: updates)
    func make(_ seed: UInt64) -> any Algorithm {
      configuration.makeAlgorithm(
        observationSize: observationSize, actionSize: actionSize, seed: seed, workers: WorkerPool(count: 1))
    }
    var file = SafeTensors()
    file.metadata = ["algorithm": name, "configuration": #"{"hiddenSizes":[7,6]}"#]
    for tensor in make(9).parameters { file.add(tensor.name, floats: tensor.values, shape: tensor.shape) }
    var stream = RandomStream(seed: 1, purpose: "test")
    func add(_ name: String, _ shape: [Int], _ value: (Float) -> Float = { $0 }) -> [Float] {
      let values = (0..<shape.reduce(1, *)).map { _ in value(2 * stream.uniform() - 1) }
      file.add(name, floats: values, shape: shape)
      return values
    }
    let width = entry.actions.width(actionSize: actionSize)
    let draws = configuration.draws(actionSize: actionSize)
    let observations = add("batch.observations", [updates, rows, observationSize])
    let next = add("batch.next_observations", [updates, rows, observationSize])
    let actions = add("batch.actions", [updates, rows, width]) {
      entry.actions == .discrete ? (($0 + 1) / 2 * Float(actionSize)).rounded(.down) : $0
    }
    let rewards = add("batch.rewards", [updates, rows])
    let terminated = add("batch.terminated", [updates, rows]) { $0 < 0 ? 1 : 0 }
    let nextNoise = draws.next.isEmpty ? [] : add("noise.next", [updates] + draws.next)
    let currentNoise = draws.current.isEmpty ? [] : add("noise.current", [updates] + draws.current)
    let members = draws.members.isEmpty ? [] : add("noise.members", [updates] + draws.members)

    let twin = make(0)
    try twin.loadParameters { Tensor(name: $0, shape: try file.shape($0), values: try file.floats($0)) }
    let batch = Batch(count: rows, observationSize: observationSize, actionSize: width)
    let noise = UpdateNoise(draws)
    for n in 0..<updates {
      for row in 0..<rows {
        let (s, a) = ((n * rows + row) * observationSize, (n * rows + row) * width)
        batch.observations.setRow(row, to: observations.span.extracting(s..<(s + observationSize)))
        batch.nextObservations.setRow(row, to: next.span.extracting(s..<(s + observationSize)))
        batch.actions.setRow(row, to: actions.span.extracting(a..<(a + width)))
      }
      batch.rewards.set(Array(rewards[(n * rows)..<((n + 1) * rows)]))
      batch.terminated.set(Array(terminated[(n * rows)..<((n + 1) * rows)]))
      batch.setDiscounts(configuration.discount)
      if !nextNoise.isEmpty { noise.next.set(Array(nextNoise[(n * noise.next.count)..<((n + 1) * noise.next.count)])) }
      if !currentNoise.isEmpty {
        noise.current.set(Array(currentNoise[(n * noise.current.count)..<((n + 1) * noise.current.count)]))
      }
      if !members.isEmpty {
        noise.members.set(Array(members[(n * noise.members.count)..<((n + 1) * noise.members.count)]))
      }
      _ = try twin.update(batch, noise: noise)
    }
    let result = try Conformance.run(file, threads: 2)
    for tensor in twin.parameters { #expect(try result.floats(tensor.name) == tensor.values, "\(tensor.name)") }
    #expect(try result.shape("critic_loss") == [updates])
    #expect(result.contains("temperature") == entry.metrics.contains(.temperature))
  }

  @Test(arguments: AlgorithmRegistry.standard.entries.filter { $0.source != .policy }.map(\.name))
  func `a policy file has the declared kind and acts as the algorithm does without exploration`(name: String) throws {
    let folder = try TemporaryFolder()
    let run = try makeRun(name, steps: 120)
    try run.train()
    try run.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    let form = try AlgorithmRegistry.entry(name).configuration(run.run.configuration).policy
    #expect(policy.description.kind == form.kind && policy.description.hiddenSizes == form.hiddenSizes)
    // choices whose outputs are logits: those with a temperature
    #expect(policy.isStochastic == (form.kind == .squashedGaussian || name == "sac-discrete"))
    // data are normalised outside the algorithm
    guard let trainer = run as? Trainer else { return }
    for seed in 0..<5 {
      let observation = (0..<policy.description.observationSize).map { Float($0 + seed) / 7 - 0.5 }
      var (own, saved) = ([Float](repeating: 0, count: 1), [Float](repeating: 0, count: 1))
      var span = own.mutableSpan
      let states = Matrix(rows: 1, columns: observation.count)
      let actions = Matrix(rows: 1, columns: 1)
      states.setRow(0, to: observation.span)
      trainer.algorithm.act(states, rows: 1, explore: false, into: actions)
      actions.copyRow(0, into: &span)
      trainer.scaling.denormalize(&span)
      var other = saved.mutableSpan
      policy.act(observation.span, into: &other)
      #expect(own == saved)
    }
  }

  @Test func `an algorithm that learns from data is refused by a task, in one line`() throws {
    let entry = try AlgorithmRegistry.entry("td3-bc")
    let run = RunConfiguration(
      algorithm: "td3-bc", environment: "Pendulum-v1", configuration: entry.defaults.values, steps: 10, seed: 0,
      threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
    let error = #expect(throws: MismatchedRun.self) {
      try Trainer(run, workers: WorkerPool(count: 1), makeEnvironment: pendulum)
    }
    #expect(error?.description == "td3-bc learns from fixed data, not from an environment")
  }
}
