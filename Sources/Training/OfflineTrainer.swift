// OfflineTrainer.swift — the loop without an environment: draw a batch from fixed data, update; evaluate now and then.

import Algorithms
import Environments
import Formats
import Kernels
import Networks
import Platform
import Replay

/// One run on fixed data, in memory. A step is an update.
public final class OfflineTrainer: TrainingRun {
  public let run: RunConfiguration
  public let algorithm: any Algorithm
  /// The bounds of the data's actions.
  public let scaling: ActionScaling
  /// What states are normalised by; nil: as they are.
  public let normalization: ObservationNormalization?
  /// Updates taken.
  public private(set) var step = 0
  public var updates: Int { step }
  public var bestReturn: Double { evaluations.bestReturn }
  public var lastEvaluation: EvaluationRecord? { evaluations.last }
  /// α after the last update; NaN where there is none.
  public private(set) var temperature = Double.nan
  public var observer = TrainingObserver()

  private let configuration: AnyConfiguration
  private let workers: WorkerPool
  private let evaluations: EvaluationSchedule
  private let buffer: ReplayBuffer
  private let batch: Batch
  /// The largest |r| of the data.
  private let largestReward: Double
  private var sampling: RandomStream
  private var metrics: MetricsWindow

  /// - Parameters:
  ///   - data: transitions with actions in [−1, 1]; their states are normalised here if the algorithm asks for it.
  ///   - algorithms: where the run's algorithm is looked for.
  ///   - makeEnvironment: makes the environment for evaluations; nil: there are none.
  public init(
    _ run: RunConfiguration, data: consuming ReplayBuffer, scaling: ActionScaling, workers: WorkerPool,
    algorithms: AlgorithmRegistry = .standard, makeEnvironment: (() throws -> any Environment)?
  ) throws {
    self.run = run
    self.workers = workers
    self.scaling = scaling
    configuration = try run.algorithmConfiguration(in: algorithms)
    precondition(data.count > 0, "learning from no data")
    let isDiscrete = try algorithms.entry(run.algorithm).actions == .discrete
    guard isDiscrete == (scaling.choices != nil) else {
      throw MismatchedRun(
        isDiscrete
          ? "\(run.algorithm) chooses one of several actions, the data have real-valued ones: give others"
          : "\(run.algorithm) chooses real-valued actions, the data have one of \(scaling.choices ?? 0) choices: give others"
      )
    }
    try configuration.sampler.checkFixedData()
    try configuration.checkMemory(observationSize: data.observationSize, actionSize: scaling.actionSize)
    evaluations = EvaluationSchedule(
      run, makeEnvironment: makeEnvironment.map { make in { ContractGuard(try make(), name: run.environment) } })
    if let epsilon = configuration.dataNormalization {
      let normalization = ObservationNormalization(of: data, epsilon: epsilon)
      data.transformObservations(shift: normalization.mean, scale: normalization.scale)
      self.normalization = normalization
    } else {
      normalization = nil
    }
    algorithm = configuration.makeAlgorithm(
      observationSize: data.observationSize, actionSize: scaling.actionSize, seed: run.seed, workers: workers)
    batch = Batch(
      count: configuration.batchSize, observationSize: data.observationSize, actionSize: data.actionSize)
    sampling = RandomStream(seed: run.seed, purpose: "sampling")
    metrics = MetricsWindow(further: configuration.metrics.further.count)
    var largest: Float = 0
    data.forEachFrame { frame in
      let reward = frame[frame.endIndex - 2]
      if frame[frame.endIndex - 1] >= 0, abs(reward) > largest { largest = abs(reward) }
    }
    largestReward = Double(largest)
    buffer = data
  }

  public func train() throws {
    while !observer.shouldStop() {
      if evaluations.isDue(at: step) {
        try evaluate()
      } else if step < run.steps {
        try advance()
        try observer.stepped(step)
      } else {
        return
      }
    }
  }

  private func advance() throws {
    let result: UpdateMetrics
    do {
      result = try algorithm.update(
        batch, from: buffer, returns: configuration.returns, using: &sampling, workers: workers)
    } catch {
      throw explain(error, step: step, updates: step, batch)
    }
    step += 1
    temperature = result.temperature
    metrics.add(result)
    guard step % MetricsWindow.steps == 0 else { return }
    let record = metrics.finish(step: step, updates: step)
    try observer.metricsReady(record)
    try observer.healthAssessed(assess(record))
  }

  /// How the learner is, over the last batch; of episodes nothing is known.
  private func assess(_ metrics: MetricsRecord) -> HealthRecord {
    var record = HealthRecord(step: step)
    record.updates = step
    record.assessment = algorithm.assess(batch)
    record.settings = configuration.names
    let discount = configuration.discount.asWritten
    if discount < 1 && largestReward > 0 { record.valueBound = largestReward / (1 - discount) }
    (record.entropy, record.temperature) = (metrics.entropy, metrics.temperature)
    return record
  }

  private func evaluate() throws {
    var state = [Float](repeating: 0, count: batch.observations.columns)
    let record = try evaluations.evaluate(step: step, isCancelled: observer.shouldStop) { observation, action in
      for i in state.indices { state[i] = observation[i] }
      normalization?.apply(to: &state)
      algorithm.act(state.span, explore: false, into: &action)
      scaling.denormalize(&action)
    }
    if let record { try observer.evaluated(record) }
  }

  /// The policy as it is now. It takes observations as they are: the file says what they are normalised by.
  public func policyFile() -> SafeTensors {
    PolicyFile.encode(
      algorithm.policyTensors,
      PolicyDescription(
        algorithm: run.algorithm, environment: run.environment, observationSize: batch.observations.columns,
        hiddenSizes: configuration.policy.hiddenSizes, activation: configuration.policy.activation,
        actionLow: scaling.low, actionHigh: scaling.high, step: step, choices: scaling.choices,
        normalization: normalization,
        environmentOptions: run.environmentOptions ?? [:], kind: configuration.policy.kind))
  }

  public func begin(with weights: InitialWeights) throws -> [String] {
    precondition(step == 0, "the run is at update \(step) already")
    try weights.check(normalization)
    return try weights.load(into: algorithm, configuration)
  }

  // MARK: state

  public func state() throws -> TrainerState {
    var state = TrainerState(algorithm: algorithm.state)
    (state.step, state.updates) = (step, step)
    (state.evaluatedStep, state.bestReturn) = (evaluations.evaluatedStep, bestReturn)
    (state.sampling, state.metrics) = (sampling.position, metrics)
    return state
  }

  public func restore(_ state: TrainerState) throws {
    step = state.step
    evaluations.restore(evaluatedStep: state.evaluatedStep, bestReturn: state.bestReturn)
    sampling.position = state.sampling
    metrics.restore(state.metrics)
    try algorithm.restore(state.algorithm)
  }

  // the data are not the run's own: they are read again
  public func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows {}
  public func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws {}
}
