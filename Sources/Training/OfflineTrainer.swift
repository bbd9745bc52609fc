// OfflineTrainer.swift — the loop without a task: draw a batch from fixed data, update; evaluate now and then.

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
  public var bestReturn: Double { evaluations.bestReturn }
  public var lastEvaluation: EvaluationRecord? { evaluations.last }
  public private(set) var temperature = Double.nan
  public var observer = TrainingObserver()

  private let configuration: AnyConfiguration
  private let workers: WorkerPool
  private let evaluations: EvaluationSchedule
  private let buffer: ReplayBuffer
  private let batch: Batch
  private var sampling: RandomStream
  private var metrics = MetricsWindow()

  /// - Parameters:
  ///   - data: transitions with actions in [−1, 1]; their states are normalised here if the algorithm asks for it.
  ///   - algorithms: where the run's algorithm is looked for.
  ///   - makeEnvironment: makes the task for evaluations; nil: there are none.
  public init(
    _ run: RunConfiguration, data: consuming ReplayBuffer, scaling: ActionScaling, workers: WorkerPool,
    algorithms: AlgorithmRegistry = .standard, makeEnvironment: (() throws -> any Environment)?
  ) throws {
    self.run = run
    self.workers = workers
    self.scaling = scaling
    configuration = try run.algorithmConfiguration(in: algorithms)
    precondition(data.count > 0, "learning from no data")
    try configuration.checkMemory(observationSize: data.observationSize, actionSize: data.actionSize)
    evaluations = EvaluationSchedule(
      run, makeEnvironment: makeEnvironment.map { make in { ContractGuard(try make(), name: run.environment) } })
    if let epsilon = try configuration.values["normalization"].flatMap({ try $0.decode(Float?.self) }) {
      let normalization = ObservationNormalization(of: data, epsilon: epsilon)
      data.transformObservations(shift: normalization.mean, scale: normalization.scale)
      self.normalization = normalization
    } else {
      normalization = nil
    }
    algorithm = configuration.makeAlgorithm(
      observationSize: data.observationSize, actionSize: data.actionSize, seed: run.seed, workers: workers)
    batch = Batch(
      count: configuration.batchSize, observationSize: data.observationSize, actionSize: data.actionSize)
    sampling = RandomStream(seed: run.seed, purpose: "sampling")
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

  /// The policy as it is now. It takes observations as they are: its first layer normalises them.
  public func policyFile() -> SafeTensors {
    let tensors = algorithm.parameters
    return PolicyFile.encode(
      normalization?.folded(into: tensors) ?? tensors,
      PolicyDescription(
        algorithm: run.algorithm, environment: run.environment, observationSize: batch.observations.columns,
        hiddenSizes: configuration.policyHiddenSizes,
        actionLow: scaling.low, actionHigh: scaling.high, step: step,
        environmentOptions: run.environmentOptions ?? [:]))
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
    metrics = state.metrics
    try algorithm.restore(state.algorithm)
  }

  // the data are not the run's own: they are read again
  public func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows {}
  public func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws {}
}

/// (s − mean) / scale, with scale = standard deviation + ε of the data's states (Fujimoto 2021, sec. 5).
public struct ObservationNormalization: Sendable, Equatable {
  public let mean: [Float]  // (S)
  public let scale: [Float]  // (S)

  /// Over the states of all transitions; the deviation is that of the population.
  public init(of buffer: borrowing ReplayBuffer, epsilon: Float) {
    let size = buffer.observationSize
    var (sums, squares, count) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size), 0.0)
    // twice: the second time about the mean
    for pass in 0..<2 {
      let mean = pass == 0 ? sums : sums.map { $0 / max(1, count) }
      buffer.forEachFrame { frame in
        let begin = frame.startIndex
        guard frame[frame.endIndex - 1] >= 0 else { return }
        for i in 0..<size {
          if pass == 0 {
            sums[i] += Double(frame[begin + i])
          } else {
            let difference = Double(frame[begin + i]) - mean[i]
            squares[i] += difference * difference
          }
        }
        if pass == 0 { count += 1 }
      }
    }
    mean = sums.map { Float($0 / max(1, count)) }
    scale = squares.map { Float(($0 / max(1, count)).squareRoot()) + epsilon }
  }

  public func apply(to observation: inout [Float]) {
    for i in observation.indices { observation[i] = (observation[i] - mean[i]) / scale[i] }
  }

  /// The tensors of a policy that normalises by itself:  W′ = W / scale,  b′ = b − W′ mean  in its first layer.
  func folded(into tensors: [Tensor]) -> [Tensor] {
    guard let weight = tensors.first(where: { $0.name == "policy.layer.0.weight" }) else { return tensors }
    let size = mean.count
    let scaled = weight.values.indices.map { Double(weight.values[$0]) / Double(scale[$0 % size]) }
    return tensors.map { tensor in
      switch tensor.name {
      case "policy.layer.0.weight":
        return Tensor(name: tensor.name, shape: tensor.shape, values: scaled.map { Float($0) })
      case "policy.layer.0.bias":
        let shifted = tensor.values.indices.map { h in
          (0..<size).reduce(Double(tensor.values[h])) { $0 - scaled[h * size + $1] * Double(mean[$1]) }
        }
        return Tensor(name: tensor.name, shape: tensor.shape, values: shifted.map { Float($0) })
      default: return tensor
      }
    }
  }
}
