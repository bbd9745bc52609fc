import Foundation
import OffPolicy
import Testing

/// TD3 with metrics of its own: an algorithm that the package does not know.
private final class Counted: Algorithm {
  struct Configuration: CollectingConfiguration {
    var discount: Float = 0.99
    var batchSize = 16
    var hiddenSizes = [12]
    var bufferCapacity = 1000
    var randomSteps = 50
    var updateEvery = 1
    var updatesPerStep = 1.0

    static let hyperparameters: [Hyperparameter] = [
      .discount("test"), .batchSize("test"), .hiddenSizes("test"), .bufferCapacity("test"), .randomSteps("test"),
      .updateEvery, .updatesPerStep,
    ]

    var inner: TD3.Configuration {
      var inner = TD3.Configuration()
      (inner.batchSize, inner.hiddenSizes) = (batchSize, hiddenSizes)
      return inner
    }
  }

  static let entry = AlgorithmEntry("counted", "TD3 that counts", Counted.self)
  static let registry = AlgorithmRegistry(AlgorithmRegistry.standard.entries + [entry])

  static let metrics: [Metric] = [
    .criticLoss, .policyLoss, .targetMean, Metric("counted", "n", unit: ""),
    Metric("even", "n where it is even", unit: ""),
  ]
  static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    TD3.draws(configuration.inner, actionSize: actionSize)
  }
  static func policy(_ configuration: Configuration) -> PolicyForm { TD3.policy(configuration.inner) }
  static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    TD3.cost(configuration.inner, observationSize: observationSize, actionSize: actionSize)
  }

  private let inner: TD3
  private var updates = 0

  init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    inner = TD3(
      configuration: configuration.inner, observationSize: observationSize, actionSize: actionSize, lanes: lanes,
      seed: seed, workers: workers)
  }

  func beginEpisode(lane: Int) { inner.beginEpisode(lane: lane) }
  func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    inner.act(observations, rows: rows, explore: explore, into: actions)
  }
  func setLearningRate(_ rate: Float) { inner.setLearningRate(rate) }
  func update(_ batch: borrowing Batch) throws -> UpdateMetrics { count(try inner.update(batch)) }
  func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    count(try inner.update(batch, noise: noise))
  }

  private func count(_ metrics: UpdateMetrics) -> UpdateMetrics {
    updates += 1
    var metrics = metrics
    metrics.further[0] = Double(updates)
    if updates % 2 == 0 { metrics.further[1] = Double(updates) }
    return metrics
  }

  func codeParameters(_ coder: inout StateCoder) throws { try inner.codeParameters(&coder) }
  func codeProgress(_ coder: inout StateCoder) throws {
    try inner.codeProgress(&coder)
    try coder.code("counted", &updates)
  }
}

/// An algorithm from outside the package is trained, logged, saved, resumed and held against cases like any other.
@Suite struct CustomAlgorithmTests {
  private func makeTrainer(steps: Int) throws -> Trainer {
    let run = RunConfiguration(
      algorithm: "counted", environment: "Pendulum-v1", configuration: Counted.entry.defaults.values, steps: steps,
      seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
    return try Trainer(run, workers: WorkerPool(count: 1), algorithms: Counted.registry, makeEnvironment: pendulum)
  }

  @Test func `the package's own registry does not know it, and says so`() throws {
    let run = try makeTrainer(steps: 10).run
    let error = #expect(throws: UnknownAlgorithm.self) {
      try Trainer(run, workers: WorkerPool(count: 1), makeEnvironment: pendulum)
    }
    #expect(error?.name == "counted")
  }

  @Test func `its metrics are columns after those that every log has, means over the same updates`() throws {
    let folder = try TemporaryFolder()
    let trainer = try makeTrainer(steps: 2000)
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run), metrics: Counted.entry.metrics)
    #expect(try TrainingSession(trainer, directory).train())
    let text = try String(contentsOfFile: folder.path("run/metrics.csv"), encoding: .utf8)
    #expect(
      text.split(separator: "\n").first
        == "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds,counted,even")
    // updates 1 to 950, then 951 to 1950
    let rows = directory.rows("metrics.csv").map { $0.compactMap { Double($0) } }
    #expect(rows.map { $0[8] } == [475.5, 1450.5] && rows.map { $0[9] } == [476, 1451])
    let standard = try RunDirectory.create(folder.path("standard"), describe(trainer.run))
    try standard.save(trainer)
    let header = try String(contentsOfFile: folder.path("standard/metrics.csv"), encoding: .utf8)
    #expect(header == "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds\n")
  }

  @Test func `stopped in the middle of a row it goes on to the same row`() throws {
    let folder = try TemporaryFolder()
    func rows(of trainer: Trainer) throws -> [[Double]] {
      var records: [[Double]] = []
      trainer.observer.metricsReady = { records.append($0.further + [$0.criticLoss]) }
      try trainer.train()
      return records
    }
    let whole = try rows(of: makeTrainer(steps: 1000))
    let first = try makeTrainer(steps: 600)
    try first.train()
    try RunDirectory.create(folder.path("run"), describe(first.run)).save(first)
    let second = try makeTrainer(steps: 1000)
    try RunDirectory.open(folder.path("run")).restore(second)
    #expect(try rows(of: second) == whole && whole.count == 1)
  }

  @Test func `a conformance case's result has them by name`() throws {
    var file = try ConformanceTests.makeCase("td3")
    file.metadata["algorithm"] = "counted"
    let result = try Conformance.run(file, threads: 1, algorithms: Counted.registry)
    #expect(try result.floats("counted") == [1, 2, 3])
    let even = try result.floats("even")
    #expect(even.map(\.isNaN) == [true, false, true] && even[1] == 2)
    #expect(throws: UnknownAlgorithm.self) { try Conformance.run(file, threads: 1) }
  }

  @Test func `it is measured by the cost that it declares`() throws {
    let result = try Benchmark.run(
      algorithm: "counted", configuration: Counted.entry.defaults, observationSize: 3, actionSize: 2,
      bufferCapacity: 500, threads: 1, seconds: 0.02, warmUp: 3)
    let cost = TD3.cost(Counted.Configuration().inner, observationSize: 3, actionSize: 2)
    #expect(result.flopsPerUpdate == cost.operations && result.hidden == [12])
  }
}
