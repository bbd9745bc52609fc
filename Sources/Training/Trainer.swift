// Trainer.swift — one run in memory: begin, action, observe, learn, step by step or as one loop; evaluate now and then.

import Algorithms
import Environments
import Formats
import Kernels
import Networks
import Platform
import Replay

/// One training run in memory. It knows nothing of files or terminals.
///
/// `train()` steps environments of its own to the end. Somebody else may drive the run instead, round by round: `begin` each
/// lane whose episode has ended, ask for an `action` for each lane, step the environments, `observe` what each gave, `learn`.
public final class Trainer {
  public let run: RunConfiguration
  public var algorithm: any Algorithm { learner.algorithm }
  /// The environment's action bounds.
  public let scaling: ActionScaling
  /// Environment steps taken, over all lanes.
  public private(set) var step = 0
  public private(set) var episodes = 0
  public var updates: Int { learner.updates }
  public var bestReturn: Double { evaluations.bestReturn }
  public var lastEvaluation: EvaluationRecord? { evaluations.last }
  public var temperature: Double { learner.temperature }
  public private(set) var faults = SimulatorFaults()
  public var observer = TrainingObserver()
  /// Updates begin with the first transition, and not with the first batch: its rows are drawn with replacement anyway.
  public var learnsFromFewerThanABatch = false
  /// What each lane's last step gave.
  public private(set) var lastOutcomes: [StepOutcome]
  /// The environments' episodes so far.
  public private(set) var lanes: [TrainingLane]
  public var buffer: ReplayBuffer { _read { yield learner.buffer } }

  private let loop: CollectionLoop
  /// Of lanes whose environment was made anew when the run went on.
  private var newSeeds: [Int: UInt64] = [:]
  private let configuration: AnyConfiguration
  private let collection: CollectionSettings
  let learner: Learner
  var normalization: RunNormalization { learner.normalization }
  private let evaluations: EvaluationSchedule
  private var randomActions: RandomStream
  private var health: HealthMonitor
  private var idle = IdleEpisodes()
  /// Steps before the round that is being taken.
  private var roundStart = 0

  private let observations: Matrix  // (N × S)
  private let chosen: Matrix  // (N × A), in [−1, 1]
  private var actions: [Float]  // (N × A), the same
  private(set) var environmentActions: [Float]  // (N × A), in the environment's units
  private var action: [Float]  // (A), of one lane
  let evaluated: SingleActor

  /// - Parameters:
  ///   - registry: the algorithms that the run may name.
  ///   - makeEnvironment: makes the environment; called once for each lane and, when needed, once for evaluation.
  public convenience init(
    _ run: RunConfiguration, workers: WorkerPool, algorithms registry: AlgorithmRegistry = .standard,
    makeEnvironment: @escaping () throws -> any Environment
  ) throws {
    let guarded = { ContractGuard(try makeEnvironment(), name: run.environment) }
    try self.init(
      run, workers: workers, algorithms: registry,
      environments: EnvironmentLanes(count: run.laneCount, workers: workers, make: guarded),
      makeEvaluationEnvironment: guarded)
  }

  /// - Parameters:
  ///   - environments: as many lanes as the run says.
  ///   - makeEvaluationEnvironment: makes the environment of evaluations; nil: there are none.
  public init(
    _ run: RunConfiguration, workers: WorkerPool, algorithms registry: AlgorithmRegistry = .standard,
    environments: any VectorEnvironment, makeEvaluationEnvironment: (() throws -> any Environment)?
  ) throws {
    precondition(environments.count == run.laneCount, "\(environments.count) lanes for a run with \(run.laneCount)")
    self.run = run
    loop = CollectionLoop(environments)
    configuration = try run.algorithmConfiguration(in: registry)
    guard let collection = configuration.collection else {
      throw MismatchedRun("\(run.algorithm) learns from fixed data, not from an environment")
    }
    self.collection = collection
    evaluations = EvaluationSchedule(run, makeEnvironment: makeEvaluationEnvironment)
    try registry.entry(run.algorithm).checkActions(environments.actionSpace, of: run.environment, among: registry)
    scaling = try ActionScaling(environments.actionSpace, of: run.environment)
    let (size, width, count) = (environments.observationSpace.count, scaling.count, environments.count)
    try configuration.checkNormalization()
    try configuration.checkMemory(observationSize: size, actionSize: scaling.actionSize)
    // no more transitions than the run has steps
    let capacity = min(collection.bufferCapacity, max(1, run.steps))
    try configuration.sampler.check(
      environment: run.environment, goals: environments.goals?.goalLayout, nSteps: configuration.returns.steps,
      batchSize: configuration.batchSize, bufferCapacity: capacity, lanes: count)
    let buffer = try ReplayBuffer(
      capacity: capacity, observationSize: size, actionSize: width,
      lanes: count)
    let algorithm = configuration.makeAlgorithm(
      observationSize: size, actionSize: scaling.actionSize, lanes: count, seed: run.seed, workers: workers)
    learner = try Learner(
      algorithm, configuration, buffer: buffer, goals: environments.goals, seed: run.seed, workers: workers)
    health = HealthMonitor(discount: configuration.discount.asWritten, lanes: count)
    randomActions = RandomStream(seed: run.seed, purpose: "random actions")
    lanes = [TrainingLane](repeating: TrainingLane(observationSize: size), count: count)
    lastOutcomes = [StepOutcome](repeating: StepOutcome(reward: 0), count: count)
    observations = Matrix(rows: count, columns: size)
    chosen = Matrix(rows: count, columns: width)
    actions = [Float](repeating: 0, count: count * width)
    environmentActions = actions
    action = [Float](repeating: 0, count: width)
    evaluated = SingleActor(
      observationSize: size, actionSize: width, normalizer: learner.normalization.observations)
  }

  // MARK: step by step

  /// Starts a lane's episode with its first observation (S).
  public func begin(lane: Int, _ observation: Span<Float>) {
    precondition(lanes[lane].needsReset, "lane \(lane) is in the middle of an episode")
    setObservation(observation, lane: lane)
    learner.buffer.beginEpisode(observation, lane: lane)
    normalization.begin(observation)
    algorithm.beginEpisode(lane: lane)
    health.begin(lane: lane)
    lanes[lane].begin()
  }

  /// Chooses the lanes' actions (N × A), in the environment's units: at random at first, then by the policy with exploration.
  ///
  /// - Throws: `DivergedPolicy` when one is not finite.
  public func action(into result: inout MutableSpan<Float>) throws {
    try chooseActions(&action)
    for i in environmentActions.indices { result[i] = environmentActions[i] }
  }

  /// Replaces the chosen actions by those that the environments were really given (N × A), in the environment's units.
  ///
  /// - Throws: `DivergedPolicy` when one is not finite.
  public func replaceActions(by given: Span<Float>) throws {
    precondition(given.count == actions.count, "\(given.count) values for \(actions.count) of all actions")
    for i in 0..<given.count {
      let value = given[i]
      guard value.isFinite else { throw DivergedPolicy(step: step, index: i % scaling.count, value: value) }
      environmentActions[i] = value
      let scaled = scaling.normalizedInDouble(value, at: i % scaling.count)
      actions[i] = scaling.choices == nil ? min(1, max(-1, scaled)) : value
    }
  }

  /// Takes what a lane's step with its chosen action gave. `next` (S) is the true next observation, whatever ended the episode.
  public func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws {
    precondition(!lanes[lane].needsReset, "lane \(lane) has no episode")
    let width = scaling.count
    learner.buffer.add(
      lane: lane, action: actions.span.extracting((lane * width)..<((lane + 1) * width)), reward: Float(outcome.reward),
      terminated: outcome.terminated, truncated: outcome.truncated, next: next)
    health.add(
      lane: lane, reward: outcome.reward, entropyBonus: normalization.divisor * algorithm.entropyBonus(lane: lane))
    normalization.add(lane: lane, outcome, next: next)
    setObservation(next, lane: lane)
    step += 1
    lanes[lane].add(outcome)
    lastOutcomes[lane] = outcome
    if outcome.endsEpisode { try endEpisode(lane, outcome) }
  }

  // differs: no update before the random steps are over; Spinning Up begins earlier, and updates 50 times every 50 steps
  /// The updates that the steps since the last call owe, once the random steps are over; now and then the learner's health.
  ///
  /// - Returns: how many updates were made.
  @discardableResult
  public func learn() throws -> Int {
    let (first, every) = (roundStart, collection.updateEvery)
    roundStart = step
    let (from, to) = (first / every * every, step / every * every)
    var made = 0
    if to > from, step > collection.randomSteps {
      made = try makeUpdates(collection.updatesOwed(from: from, to: to))
    }
    try tell(since: first)
    return made
  }

  /// Some updates, whatever the schedule says; the steps so far count as served.
  ///
  /// - Returns: how many updates were made: none before the buffer holds a batch.
  public func update(_ count: Int) throws -> Int {
    let first = roundStart
    roundStart = step
    let made = try makeUpdates(count)
    try tell(since: first)
    return made
  }

  private func makeUpdates(_ count: Int) throws -> Int {
    let needed = learnsFromFewerThanABatch ? 1 : min(configuration.batchSize, learner.buffer.capacity)
    guard learner.buffer.count >= needed || learner.buffer.hasDropped else { return 0 }
    do {
      try learner.learn(updates: count)
    } catch {
      throw explain(error, step: step, updates: updates, learner.batch)
    }
    return count
  }

  /// Now and then what the updates told, and the learner's health.
  private func tell(since first: Int) throws {
    guard step / MetricsWindow.steps > first / MetricsWindow.steps, updates > 0 else { return }
    let record = learner.finishMetrics(step: step)
    try observer.metricsReady(record)
    try observer.healthAssessed(assess(record))
  }

  // MARK: the loop

  /// Trains until the run's steps are taken or the observer asks to stop.
  public func train() throws {
    while !observer.shouldStop() {
      if try evaluateIfDue() {
        continue
      } else if step < run.steps {
        try advance()
        try observer.stepped(step)
      } else {
        return
      }
    }
  }

  /// One step in every lane of the run's own environments, and the updates that belong to it; with `overlap` those of the
  /// round before, while the environments step.
  public func advance() throws {
    if run.overlap == true { return try loop.round(self, meanwhile: { try self.learn() }) }
    let before = step
    try loop.round(self)
    if step > before { try learn() }
  }

  // `action` is passed so that spans may reach into it
  private func chooseActions(_ action: inout [Float]) throws {
    let width = scaling.count
    if step < collection.randomSteps {
      for lane in lanes.indices {
        var span = action.mutableSpan
        scaling.drawUniformly(into: &span, using: &randomActions)
        for i in 0..<width { actions[lane * width + i] = action[i] }
      }
    } else {
      normalization.withObservations(observations, rows: lanes.count) {
        algorithm.act($0, rows: lanes.count, explore: true, into: chosen)
      }
      for lane in lanes.indices {
        for i in 0..<width {
          action[i] = chosen[lane, i]
          actions[lane * width + i] = action[i]
        }
        if !lanes[lane].needsReset && lanes[lane].episodeLength == 0 {
          health.predict(lane: lane, value(lanes[lane].observation, action))
        }
      }
    }
    for lane in lanes.indices {
      for i in 0..<width {
        let value = actions[lane * width + i]
        guard value.isFinite else { throw DivergedPolicy(step: step, index: i, value: value) }
        action[i] = value
      }
      var span = action.mutableSpan
      scaling.denormalize(&span)
      for i in 0..<width { environmentActions[lane * width + i] = action[i] }
    }
  }

  private func value(_ observation: [Float], _ action: [Float]) -> Double {
    normalization.divisor * evaluated.value(of: algorithm, observation.span, action.span)
  }

  private func setObservation(_ observation: Span<Float>, lane: Int) {
    observations.setRow(lane, to: observation)
    for i in 0..<observation.count { lanes[lane].observation[i] = observation[i] }
  }

  private func endEpisode(_ lane: Int, _ outcome: StepOutcome) throws {
    let tail = outcome.terminated ? 0 : evaluated.value(of: algorithm, lanes[lane].observation)
    health.end(lane: lane, tail: normalization.divisor * tail)
    let record = episodeRecord(lane, terminated: outcome.terminated, truncated: outcome.truncated)
    idle.add(record)
    try observer.episodeEnded(record)
  }

  private func episodeRecord(_ lane: Int, terminated: Bool, truncated: Bool) -> EpisodeRecord {
    episodes += 1
    return EpisodeRecord(
      step: step, episode: episodes, episodeReturn: lanes[lane].episodeReturn, length: lanes[lane].episodeLength,
      terminated: terminated, truncated: truncated)
  }

  /// Ends a lane's episode where it is: what was added stays, and another begins.
  public func breakOff(lane: Int) throws {
    learner.buffer.abandonEpisode(lane: lane)
    normalization.abandonEpisode(lane: lane)
    // a reset that failed began no episode
    guard !lanes[lane].needsReset else { return }
    lanes[lane].needsReset = true
    try observer.episodeEnded(episodeRecord(lane, terminated: false, truncated: false))
  }

  /// The simulator broke: the step never happened, nothing of it is stored, and another episode begins.
  package func abandon(lane: Int, _ fault: SimulatorFault) throws {
    let dump = dump(lane: lane, fault.description)
    try breakOff(lane: lane)
    do {
      try faults.add(step: step, fault.description)
    } catch {
      observer.failed(dump)
      throw error
    }
    try observer.simulatorFailed(
      SimulatorFaultRecord(step: step, total: faults.total, description: fault.description, dump: dump))
  }

  /// A lane's state, observation and action of the step that is being taken.
  private func dump(lane: Int, _ reason: String) -> FailureDump {
    let range = (lane * scaling.count)..<((lane + 1) * scaling.count)
    var dump = FailureDump(step: step, updates: updates, reason: reason)
    dump.add("trainer.observation", lanes[lane].observation)
    dump.add("trainer.action", Array(actions[range]))
    dump.add("task.action", Array(environmentActions[range]))
    dump.add("task.observation", loop.lastObservation)
    if let state = try? loop.environments.saveState(lane: lane) { dump.add(state) }
    return dump
  }

  /// How the learner is, over a batch of its own.
  private func assess(_ metrics: MetricsRecord) -> HealthRecord {
    var record = HealthRecord(step: step)
    record.updates = updates
    record.assessment = learner.assess(step: step)
    record.settings = configuration.names
    (record.entropy, record.temperature) = (metrics.entropy, metrics.temperature)
    record.replayRatio = Double(updates) * Double(configuration.batchSize) / Double(max(1, step))
    health.complete(&record, actionSize: scaling.count, divisor: normalization.divisor)
    record.idle = idle
    return record
  }

  /// Evaluates the policy where the run's schedule says so, in an environment of its own.
  ///
  /// - Returns: whether it was due.
  @discardableResult
  public func evaluateIfDue() throws -> Bool {
    guard evaluations.isDue(at: step) else { return false }
    let record = try evaluations.evaluate(step: step, isCancelled: observer.shouldStop) { observation, action in
      evaluated.act(algorithm, observation, into: &action)
      scaling.denormalize(&action)
    }
    if let record { try observer.evaluated(record) }
    return true
  }

  /// The policy as it is now, as a file's content.
  public func policyFile() -> SafeTensors {
    PolicyFile.encode(
      algorithm.policyTensors,
      PolicyDescription(
        algorithm: run.algorithm, environment: run.environment, observationSize: observations.columns,
        hiddenSizes: configuration.policy.hiddenSizes,
        actionLow: scaling.low, actionHigh: scaling.high, step: step, choices: scaling.choices,
        normalization: normalization.observations?.snapshot, rewardDivisor: normalization.rewards?.divisor,
        environmentOptions: run.environmentOptions ?? [:], kind: configuration.policy.kind))
  }

  public func begin(with weights: InitialWeights) throws -> [String] {
    precondition(step == 0, "the run is at step \(step) already")
    try weights.load(into: normalization)
    return try weights.load(into: algorithm, configuration)
  }

  // MARK: state

  /// Everything that the rest of the run depends on, besides the buffer's frames.
  public func state() throws -> TrainerState {
    var state = TrainerState(algorithm: algorithm.state)
    (state.step, state.episodes, state.updates) = (step, episodes, updates)
    if run.overlap == true { state.roundStart = roundStart }
    (state.evaluatedStep, state.bestReturn) = (evaluations.evaluatedStep, bestReturn)
    (state.randomActions, state.sampling) = (randomActions.position, learner.sampling.position)
    state.sampler = learner.sampler.state
    (state.metrics, state.health, state.faults) = (learner.metrics, health.state, faults)
    state.normalization = normalization.state
    state.lanes = lanes
    // a lane that was never reset has no state
    let canSave = loop.environments.resumePromise == .exact
    state.environments = try lanes.indices.map {
      !canSave || lanes[$0].steps == 0 && lanes[$0].needsReset ? nil : try loop.environments.saveState(lane: $0)
    }
    return state
  }

  /// Goes on from a saved state, with the buffer's frames already in place.
  public func restore(_ state: TrainerState) throws {
    guard state.lanes.count == lanes.count else {
      throw MismatchedRun("the checkpoint has \(state.lanes.count) environments, the run \(lanes.count)")
    }
    for lane in state.lanes where lane.observation.count != observations.columns {
      throw MismatchedRun(
        "the checkpoint's observation has \(lane.observation.count) values, the environment's \(observations.columns)")
    }
    (step, episodes, roundStart) = (state.step, state.episodes, state.roundStart ?? state.step)
    evaluations.restore(evaluatedStep: state.evaluatedStep, bestReturn: state.bestReturn)
    lanes = state.lanes
    for (lane, saved) in state.environments.enumerated() {
      if let saved { try loop.environments.restore(saved, lane: lane) }
    }
    randomActions.position = state.randomActions
    faults = state.faults
    health.restore(state.health)
    try normalization.restore(state.normalization)
    try learner.restore(state)
    for (lane, saved) in state.lanes.enumerated() {
      observations.setRow(lane, to: saved.observation.span)
      if !saved.needsReset { learner.buffer.resumeEpisode(saved.observation.span, lane: lane) }
      // where the environment cannot go on, neither can its episode; the next one's seed is a function of the step
      guard loop.environments.resumePromise == .episode, saved.steps > 0 else { continue }
      forgetEpisode(lane: lane)
      var seeds = RandomStream(seed: run.seed, purpose: "environments resumed at step \(step)")
      newSeeds[lane] = seeds.next() >> 32 &+ UInt64(lane)
    }
  }

  /// Ends a lane's episode as if it had never been told of.
  func forgetEpisode(lane: Int) {
    learner.buffer.abandonEpisode(lane: lane)
    normalization.abandonEpisode(lane: lane)
    lanes[lane].needsReset = true
  }

  /// Puts frames back into the buffer, oldest first.
  public func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws { try restore(&learner.buffer) }
}

extension Trainer: StepCollector {
  package func needsReset(lane: Int) -> Bool { lanes[lane].needsReset }

  /// The first episode seeds the lane's generator, which then goes on.
  package func seed(lane: Int) -> UInt64? {
    newSeeds.removeValue(forKey: lane) ?? (lanes[lane].steps == 0 ? run.seed &+ UInt64(lane) : nil)
  }

  package func failed(lane: Int, _ error: any Error) { observer.failed(dump(lane: lane, "\(error)")) }
}
