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
  public var scaling: ActionScaling { actions.scaling }
  /// Environment steps taken, over all lanes.
  public internal(set) var step = 0
  /// Episodes that have ended.
  public internal(set) var episodes = 0
  public var updates: Int { learner.updates }
  public var bestReturn: Double { evaluations.bestReturn }
  public var lastEvaluation: EvaluationRecord? { evaluations.last }
  public var temperature: Double { learner.temperature }
  /// Faults of the simulator so far.
  public internal(set) var faults = SimulatorFaults()
  public var observer = TrainingObserver()
  /// Updates begin with the first transition, and not with the first batch: its rows are drawn with replacement anyway.
  public var learnsFromFewerThanABatch = false
  /// What each lane's last step gave.
  public private(set) var lastOutcomes: [StepOutcome]
  /// The environments' episodes so far.
  public internal(set) var lanes: [TrainingLane]
  /// The replay buffer.
  public var buffer: ReplayBuffer { _read { yield learner.buffer } }

  let loop: CollectionLoop
  /// Of lanes whose environment was made anew when the run went on.
  var newSeeds: [Int: UInt64] = [:]
  private let configuration: AnyConfiguration
  private let collection: CollectionSettings
  let learner: Learner
  var normalization: RunNormalization { learner.normalization }
  let evaluations: EvaluationSchedule
  var health: HealthMonitor
  private var idle = IdleEpisodes()
  /// Steps before the round that is being taken.
  var roundStart = 0

  let observations: Matrix  // (N × S)
  var actions: LaneActions
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
    let scaling = try ActionScaling(environments.actionSpace, of: run.environment)
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
    lanes = [TrainingLane](repeating: TrainingLane(observationSize: size), count: count)
    lastOutcomes = [StepOutcome](repeating: StepOutcome(reward: 0), count: count)
    observations = Matrix(rows: count, columns: size)
    actions = LaneActions(scaling, lanes: count, stream: RandomStream(seed: run.seed, purpose: "random actions"))
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
    if step < collection.randomSteps {
      actions.drawUniformly()
    } else {
      normalization.withObservations(observations, rows: lanes.count) { actions.choose(algorithm, $0) }
      for lane in lanes.indices where !lanes[lane].needsReset && lanes[lane].episodeLength == 0 {
        health.predict(lane: lane, value(lanes[lane].observation, Array(actions.stored[actions.range(lane: lane)])))
      }
    }
    try actions.finish(step: step)
    for i in actions.given.indices { result[i] = actions.given[i] }
  }

  /// Replaces the chosen actions by those that the environments were really given (N × A), in the environment's units.
  ///
  /// - Throws: `DivergedPolicy` when one is not finite.
  public func replaceActions(by given: Span<Float>) throws {
    try actions.replace(by: given, step: step)
  }

  /// Takes what a lane's step with its chosen action gave. `next` (S) is the true next observation, whatever ended the episode.
  public func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws {
    precondition(!lanes[lane].needsReset, "lane \(lane) has no episode")
    learner.buffer.add(
      lane: lane, action: actions.stored.span.extracting(actions.range(lane: lane)), reward: Float(outcome.reward),
      terminated: outcome.terminated, truncated: outcome.truncated, next: next)
    health.add(
      lane: lane, reward: outcome.reward, entropyBonus: normalization.divisor * algorithm.entropyBonus(lane: lane),
      isFirst: lanes[lane].episodeLength == 0)
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

  private func value(_ observation: [Float], _ action: [Float]) -> Double {
    normalization.divisor * evaluated.value(of: algorithm, normalization.seen(observation).span, action.span)
  }

  private func setObservation(_ observation: Span<Float>, lane: Int) {
    observations.setRow(lane, to: observation)
    for i in 0..<observation.count { lanes[lane].observation[i] = observation[i] }
  }

  private func endEpisode(_ lane: Int, _ outcome: StepOutcome) throws {
    let tail = outcome.terminated ? 0 : evaluated.value(of: algorithm, normalization.seen(lanes[lane].observation))
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
        hiddenSizes: configuration.policy.hiddenSizes, activation: configuration.policy.activation,
        actionLow: scaling.low, actionHigh: scaling.high, step: step, choices: scaling.choices,
        normalization: normalization.observations?.snapshot, rewardDivisor: normalization.rewards?.divisor,
        environmentOptions: run.environmentOptions ?? [:], kind: configuration.policy.kind))
  }

  public func begin(with weights: InitialWeights) throws -> [String] {
    precondition(step == 0, "the run is at step \(step) already")
    try weights.load(into: normalization)
    return try weights.load(into: algorithm, configuration)
  }
}
