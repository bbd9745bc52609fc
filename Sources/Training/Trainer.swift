// Trainer.swift — the loop: act, step, store, update; evaluate now and then.

import Algorithms
import Environments
import Formats
import Kernels
import Networks

/// What happened, for whoever watches. All of it can be ignored: nothing here changes what is learned.
public struct TrainingObserver {
  public var episodeEnded: (EpisodeRecord) throws -> Void = { _ in }
  public var metricsReady: (MetricsRecord) throws -> Void = { _ in }
  public var healthAssessed: (HealthRecord) throws -> Void = { _ in }
  public var evaluated: (EvaluationRecord) throws -> Void = { _ in }
  /// Called after every step, cheaply; true asks the loop to stop.
  public var shouldStop: () -> Bool = { false }
  public var stepped: (Int) throws -> Void = { _ in }
  /// The simulator broke; training goes on with another episode.
  public var simulatorFailed: (SimulatorFaultRecord) throws -> Void = { _ in }
  /// Training is about to stop with an error; the dump shows what led to it.
  public var failed: (FailureDump) -> Void = { _ in }

  public init() {}
}

/// One training run in memory. It knows nothing of files or terminals.
public final class Trainer {
  public let run: RunConfiguration
  public let algorithm: any Algorithm
  /// The task's action bounds.
  public let scaling: ActionScaling
  /// Environment steps taken.
  public private(set) var step = 0
  public private(set) var episodes = 0
  public private(set) var updates = 0
  public var bestReturn: Double { evaluations.bestReturn }
  public var lastEvaluation: EvaluationRecord? { evaluations.last }
  public private(set) var temperature = Double.nan
  public private(set) var faults = SimulatorFaults()
  public var observer = TrainingObserver()

  private let configuration: AnyConfiguration
  private let workers: WorkerPool
  private let environment: any Environment
  private let evaluations: EvaluationSchedule
  public private(set) var buffer: ReplayBuffer
  private let batch: Batch
  private var randomActions: RandomStream
  private var sampling: RandomStream
  private var metrics = MetricsWindow()
  private var health: HealthMonitor
  private var idle = IdleEpisodes()

  private var episodeReturn = 0.0
  private var episodeLength = 0
  private var needsReset = true
  private var observation: [Float]  // (S)
  private var nextObservation: [Float]  // (S)
  private var action: [Float]  // (A), in [−1, 1]
  private var taskAction: [Float]  // (A), in the task's units

  /// - Parameters:
  ///   - makeEnvironment: makes the task; called once for training and, when needed, once for evaluation.
  public init(
    _ run: RunConfiguration, workers: WorkerPool, makeEnvironment: @escaping () throws -> any Environment
  ) throws {
    self.run = run
    self.workers = workers
    configuration = try run.algorithmConfiguration()
    let guarded = { ContractGuard(try makeEnvironment(), name: run.environment) }
    environment = try guarded()
    evaluations = EvaluationSchedule(run, makeEnvironment: guarded)
    try AlgorithmRegistry.entry(run.algorithm).checkActions(environment.actionSpace, of: run.environment)
    scaling = try ActionScaling(environment.actionSpace, of: run.environment)
    let observationSize = environment.observationSpace.count
    try configuration.checkMemory(observationSize: observationSize, actionSize: scaling.actionSize)
    // no more transitions than the run has steps
    buffer = try ReplayBuffer(
      capacity: min(configuration.bufferCapacity, max(1, run.steps)), observationSize: observationSize,
      actionSize: scaling.count)
    algorithm = configuration.makeAlgorithm(
      observationSize: observationSize, actionSize: scaling.actionSize, seed: run.seed, workers: workers)
    health = HealthMonitor(discount: try configuration.values["discount"]?.decode(Double.self) ?? 1)
    batch = Batch(count: configuration.batchSize, observationSize: observationSize, actionSize: scaling.count)
    randomActions = RandomStream(seed: run.seed, purpose: "random actions")
    sampling = RandomStream(seed: run.seed, purpose: "sampling")
    observation = [Float](repeating: 0, count: observationSize)
    nextObservation = observation
    action = [Float](repeating: 0, count: scaling.count)
    taskAction = action
  }

  /// Trains until the run's steps are taken or the observer asks to stop.
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

  /// One environment step and the updates that belong to it.
  private func advance() throws {
    let outcome: StepOutcome
    do {
      if needsReset { try beginEpisode(&observation) }
      outcome = try takeStep(&observation, &nextObservation, &action, &taskAction)
    } catch let fault as SimulatorFault {
      return try abandonEpisode(fault)
    } catch {
      observer.failed(stepDump("\(error)"))
      throw error
    }
    swap(&observation, &nextObservation)
    step += 1
    episodeReturn += outcome.reward
    episodeLength += 1
    if outcome.endsEpisode { try endEpisode(outcome) }

    try learn()
    if step % MetricsWindow.steps == 0 && updates > 0 {
      let record = metrics.finish(step: step, updates: updates)
      try observer.metricsReady(record)
      try observer.healthAssessed(assess(record))
    }
  }

  /// How the learner is, over a batch of its own.
  private func assess(_ metrics: MetricsRecord) -> HealthRecord {
    var stream = RandomStream(seed: run.seed, purpose: "health at step \(step)")
    buffer.sample(into: batch, using: &stream, workers: workers)
    var record = HealthRecord(step: step)
    record.updates = updates
    record.assessment = algorithm.assess(batch)
    (record.entropy, record.temperature) = (metrics.entropy, metrics.temperature)
    record.replayRatio = Double(updates) * Double(configuration.batchSize) / Double(max(1, step))
    health.complete(&record, actionSize: scaling.count)
    record.idle = idle
    return record
  }

  private func beginEpisode(_ observation: inout [Float]) throws {
    var span = observation.mutableSpan
    // the first episode seeds the task's generator, which then goes on
    try environment.reset(seed: step == 0 ? run.seed : nil, into: &span)
    buffer.beginEpisode(observation.span)
    algorithm.beginEpisode()
    health.begin()
    (episodeReturn, episodeLength, needsReset) = (0, 0, false)
  }

  /// Acts, steps the task and stores the transition. The arrays are the trainer's own, passed so that spans may reach in.
  private func takeStep(
    _ observation: inout [Float], _ next: inout [Float], _ action: inout [Float], _ taskAction: inout [Float]
  ) throws -> StepOutcome {
    var actionSpan = action.mutableSpan
    if step < configuration.randomSteps {
      scaling.drawUniformly(into: &actionSpan, using: &randomActions)
    } else {
      algorithm.act(observation.span, explore: true, into: &actionSpan)
    }
    if episodeLength == 0 && step >= configuration.randomSteps {
      health.predict(algorithm.value(observation.span, action.span))
    }
    for i in action.indices {
      guard action[i].isFinite else { throw DivergedPolicy(step: step, index: i, value: action[i]) }
      taskAction[i] = action[i]
    }
    var taskSpan = taskAction.mutableSpan
    scaling.denormalize(&taskSpan)

    var nextSpan = next.mutableSpan
    let outcome = try environment.step(taskAction.span, into: &nextSpan)
    // the true next observation, whatever ended the episode
    buffer.add(
      action: action.span, reward: Float(outcome.reward), terminated: outcome.terminated,
      truncated: outcome.truncated, next: next.span)
    health.add(reward: outcome.reward, entropyBonus: algorithm.lastEntropyBonus)
    return outcome
  }

  private func endEpisode(_ outcome: StepOutcome) throws {
    health.end(tail: outcome.terminated ? 0 : value(observation, &action))
    episodes += 1
    needsReset = true
    let record = EpisodeRecord(
      step: step, episode: episodes, episodeReturn: episodeReturn, length: episodeLength,
      terminated: outcome.terminated, truncated: outcome.truncated)
    idle.add(record)
    try observer.episodeEnded(record)
  }

  /// Q(s, π(s)).
  private func value(_ observation: [Float], _ action: inout [Float]) -> Double {
    var span = action.mutableSpan
    algorithm.act(observation.span, explore: false, into: &span)
    return algorithm.value(observation.span, action.span)
  }

  /// The simulator broke: the step never happened, nothing of it is stored, and another episode begins.
  private func abandonEpisode(_ fault: SimulatorFault) throws {
    let dump = stepDump(fault.description)
    buffer.abandonEpisode()
    // a reset that fails began no episode
    if !needsReset {
      episodes += 1
      needsReset = true
      try observer.episodeEnded(
        EpisodeRecord(
          step: step, episode: episodes, episodeReturn: episodeReturn, length: episodeLength, terminated: false,
          truncated: false))
    }
    do {
      try faults.add(step: step, fault.description)
    } catch {
      observer.failed(dump)
      throw error
    }
    try observer.simulatorFailed(
      SimulatorFaultRecord(step: step, total: faults.total, description: fault.description, dump: dump))
  }

  /// The task's state, the observation and the action of the step that is being taken.
  private func stepDump(_ reason: String) -> FailureDump {
    var dump = FailureDump(step: step, updates: updates, reason: reason)
    dump.add("trainer.observation", observation)
    dump.add("trainer.action", action)
    dump.add("task.action", taskAction)
    dump.add("task.observation", nextObservation)
    if let state = try? environment.saveState() { dump.add(state) }
    return dump
  }

  // differs: no update before the random steps are over; Spinning Up begins earlier, and updates 50 times every 50 steps
  /// The updates that this step owes, once the random steps are over.
  private func learn() throws {
    guard step > configuration.randomSteps, buffer.count >= min(configuration.batchSize, buffer.capacity),
      step % configuration.updateEvery == 0
    else { return }
    for _ in 0..<(configuration.updateEvery * configuration.updatesPerStep) {
      let result: UpdateMetrics
      do {
        result = try algorithm.update(batch, from: buffer, using: &sampling, workers: workers)
      } catch {
        throw explain(error, step: step, updates: updates, batch)
      }
      updates += 1
      temperature = result.temperature
      metrics.add(result)
    }
  }

  private func evaluate() throws {
    let record = try evaluations.evaluate(step: step, isCancelled: observer.shouldStop) { observation, action in
      algorithm.act(observation, explore: false, into: &action)
      scaling.denormalize(&action)
    }
    if let record { try observer.evaluated(record) }
  }

  /// The policy as it is now, as a file's content.
  public func policyFile() -> SafeTensors {
    PolicyFile.encode(
      algorithm.policyTensors,
      PolicyDescription(
        algorithm: run.algorithm, environment: run.environment, observationSize: observation.count,
        hiddenSizes: configuration.values["hiddenSizes"].flatMap { try? $0.decode([Int].self) } ?? [],
        actionLow: scaling.low, actionHigh: scaling.high, step: step, choices: scaling.choices,
        environmentOptions: run.environmentOptions ?? [:]))
  }

  // MARK: state

  /// Everything that the rest of the run depends on, besides the buffer's frames.
  public func state() throws -> TrainerState {
    TrainerState(
      step: step, episodes: episodes, updates: updates, evaluatedStep: evaluations.evaluatedStep,
      bestReturn: bestReturn,
      episodeReturn: episodeReturn,
      episodeLength: episodeLength, needsReset: needsReset, observation: observation,
      environment: step == 0 ? nil : try environment.saveState(), randomActions: randomActions.position,
      sampling: sampling.position, metrics: metrics, health: health.numbers, faults: faults, algorithm: algorithm.state)
  }

  /// Goes on from a saved state, with the buffer's frames already in place.
  public func restore(_ state: TrainerState) throws {
    (step, episodes, updates) = (state.step, state.episodes, state.updates)
    (episodeReturn, episodeLength, needsReset) = (state.episodeReturn, state.episodeLength, state.needsReset)
    evaluations.restore(evaluatedStep: state.evaluatedStep, bestReturn: state.bestReturn)
    guard state.observation.count == observation.count else {
      throw MismatchedRun(
        "the checkpoint's observation has \(state.observation.count) values, the task's \(observation.count)")
    }
    observation = state.observation
    if let saved = state.environment { try environment.restore(saved) }
    randomActions.position = state.randomActions
    sampling.position = state.sampling
    (metrics, faults) = (state.metrics, state.faults)
    health.restore(state.health)
    try algorithm.restore(state.algorithm)
    if !needsReset { buffer.resumeEpisode(state.observation.span) }
  }

  /// Puts frames back into the buffer, oldest first.
  public func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws { try restore(&buffer) }
}

/// The policy gave an action that is not a number.
public struct DivergedPolicy: Error, Equatable, CustomStringConvertible {
  /// Environment steps taken before.
  public let step: Int
  public let index: Int
  public let value: Float

  public var description: String {
    "after step \(step) the policy gave action[\(index)] = \(value): it has diverged; resume from the last checkpoint, or "
      + "start anew with a lower learning rate"
  }
}

/// A checkpoint that does not fit the task or the algorithm it names.
public struct MismatchedRun: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
