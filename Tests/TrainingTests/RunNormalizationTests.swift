import Foundation
import OffPolicy
import Testing

@testable import Training

@Suite struct RunNormalizationTests {
  static let settings = ["normalizeObservations=true", "scaleRewards=true", "returnBound=5"]

  /// A run with small networks and both settings, in one or several environments.
  static func make(
    _ algorithm: String = "sac", steps: Int = 250, lanes: Int? = nil, threads: Int = 1, evaluateEvery: Int = 0,
    set settings: [String] = Self.settings, environment: @escaping () throws -> any Environment = pendulum
  ) throws -> Trainer {
    let small = ["hiddenSizes=16,16", "batchSize=16", "randomSteps=50"]
    var run = RunConfiguration(
      algorithm: algorithm, environment: "Probe-v0",
      configuration: try AlgorithmRegistry.entry(algorithm).defaults.setting(small + settings).values, steps: steps,
      seed: 1, threads: threads, evaluateEvery: evaluateEvery, evaluationEpisodes: 3, checkpointEvery: 0)
    run.environments = lanes
    return try Trainer(run, workers: WorkerPool(count: threads), makeEnvironment: environment)
  }

  static func digest(_ trainer: Trainer) -> String { RunInspection.digest(trainer.algorithm.parameters) }

  static let observationSize = 3

  @Test(arguments: algorithmNames)
  func `normalised learning is another learning, each setting by itself`(algorithm: String) throws {
    let digests = try [[], ["normalizeObservations=true"], ["scaleRewards=true"], Self.settings].map {
      let trainer = try Self.make(algorithm, set: $0)
      try trainer.train()
      return Self.digest(trainer)
    }
    #expect(Set(digests).count == 4)
  }

  @Test func `a run that normalises nothing keeps and writes nothing of it`() throws {
    let trainer = try Self.make(set: [])
    try trainer.train()
    #expect(try trainer.state().normalization.isEmpty)
    let names = try trainer.state().encoded(RunProgress()).names
    #expect(!names.contains { $0.hasPrefix("normalizer.") || $0.hasPrefix("rewardScaler.") })
    let policy = trainer.policyFile()
    #expect(policy.metadata["version"] == "1" && policy.metadata["rewardDivisor"] == nil)
  }

  @Test(arguments: algorithmNames)
  func `one, two and four threads give the same bits`(algorithm: String) throws {
    let digests = try [1, 2, 4].map { threads in
      let trainer = try Self.make(algorithm, lanes: 2, threads: threads)
      try trainer.train()
      return Self.digest(trainer)
    }
    #expect(Set(digests).count == 1)
  }

  @Test(arguments: [nil, 3])
  func `saved in the middle of episodes and restored it goes on with the same bits`(lanes: Int?) throws {
    let folder = try TemporaryFolder()
    let whole = try Self.make(steps: 300, lanes: lanes)
    try whole.train()
    let first = try Self.make(steps: 150, lanes: lanes)
    try first.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(first.run))
    try directory.save(first)
    let second = try Self.make(steps: 300, lanes: lanes)
    _ = try RunDirectory.open(folder.path("run")).restore(second)
    #expect(try second.state().normalization == first.state().normalization)
    try second.train()
    #expect(Self.digest(second) == Self.digest(whole))
    #expect(try second.state().normalization == whole.state().normalization)
  }

  @Test func `a checkpoint without the statistics, or of other sizes, is refused in one line`() throws {
    let (plain, trainer) = (try Self.make(steps: 60, set: []), try Self.make(steps: 60))
    try plain.train()
    let error = #expect(throws: MismatchedRun.self) { try trainer.restore(plain.state()) }
    #expect(error?.description == "the checkpoint has no normalizer.count: it is of a run without that setting")
    var state = try trainer.state()
    state.normalization["normalizer.mean"] = [1]
    #expect(throws: MismatchedStatistics.self) { try trainer.restore(state) }
  }

  @Test func `what a caller normalises by is refused beside the run's own`() throws {
    let given = GivenNormalization(mean: [0, 0, 0], scale: [1, 1, 1], bound: [1, 1, 1])
    #expect(throws: MismatchedRun.self) { try Self.make(steps: 1).normalize(by: given) }
    let plain = try Self.make(steps: 1, set: [])
    try plain.normalize(by: given)
    #expect(plain.normalization.given == given)
    try plain.normalize(by: nil)
    #expect(plain.normalization.given == nil)
  }

  @Test func `a checkpoint with a number that is none is not written`() throws {
    var state = try Self.make(steps: 1).state()
    state.normalization["rewardScaler.mean"] = [.nan]
    #expect(state.firstNonFinite == "rewardScaler.mean[0] is nan")
  }

  @Test(arguments: algorithmNames)
  func `evaluation changes neither the statistics nor what is learned`(algorithm: String) throws {
    let (without, with) = (try Self.make(algorithm), try Self.make(algorithm, evaluateEvery: 40))
    try without.train()
    try with.train()
    #expect(with.lastEvaluation != nil && Self.digest(with) == Self.digest(without))
    #expect(try with.state().normalization == without.state().normalization)
  }

  @Test(arguments: ["updatesPerStep=0.25", "updatesPerStep=4"])
  func `the statistics are those of the buffer's frames in the order they were stored, however often they were sampled`(
    ratio: String
  ) throws {
    let trainer = try Self.make(set: Self.settings + [ratio])
    try trainer.train()
    let normalizer = ObservationNormalizer(observationSize: Self.observationSize)
    let scaler = RewardScaler(discount: Double(Float(0.99)), bound: 5)
    let size = Self.observationSize
    trainer.buffer.forEachFrame { frame in
      let (begin, kind) = (frame.startIndex, frame[frame.endIndex - 1])
      let observation = Array(frame[begin..<(begin + size)])
      normalizer.update(observation.span)
      if kind >= 0 { scaler.update(reward: Double(frame[frame.endIndex - 2]), endsEpisode: kind > 0) }
    }
    // the observation that waits for its action
    let lane = trainer.lanes[0]
    if !lane.needsReset { normalizer.update(lane.observation.span) }
    let state = try trainer.state().normalization
    for (name, values) in normalizer.state + scaler.state { #expect(state[name] == values, "\(name)") }
    #expect(state["normalizer.count"] == [252])  // 250 steps, two episodes' starts
  }

  @Test func `the buffer keeps raw observations and rewards, final ones too`() throws {
    var rewards: [Float] = []
    let environment = {
      Probe(observations: 1, observe: { [Float($0.t) * 1e4] }) { probe, _ in
        rewards.append(Float(probe.t) * 1e6)
        return StepOutcome(reward: Double(probe.t) * 1e6, truncated: probe.t == 10)
      }
    }
    let trainer = try Self.make("ddpg", steps: 100, environment: environment)
    try trainer.train()
    var (seen, stored): (Set<Float>, [Float]) = ([], [])
    trainer.buffer.forEachFrame { frame in
      seen.insert(frame[frame.startIndex])
      if frame[frame.endIndex - 1] >= 0 { stored.append(frame[frame.endIndex - 2]) }
    }
    #expect(seen == Set((0...10).map { Float($0) * 1e4 }) && stored == rewards)
  }

  @Test(arguments: algorithmNames)
  func `the policy file acts as the run's policy does, to the bit, and says what rewards were divided by`(
    algorithm: String
  ) throws {
    let trainer = try Self.make(algorithm)
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    let normalization = try #require(policy.description.normalization)
    #expect(normalization.clip == 10)
    #expect(try #require(policy.description.rewardDivisor) > 1)
    for observation in [[0.5, -0.5, 2], [1, 0, -8], [-1, 0.1, 0]] as [[Float]] {
      var (state, own, theirs): ([Float], [Float], [Float]) = (observation, [0], [0])
      normalization.apply(to: &state)
      var span = own.mutableSpan
      trainer.algorithm.act(state.span, explore: false, into: &span)
      trainer.scaling.denormalize(&span)
      var action = theirs.mutableSpan
      policy.act(observation.span, into: &action)
      #expect(own == theirs)
    }
    // and the run's own evaluations are those of the file
    let evaluated = try Self.make(algorithm, evaluateEvery: 250)
    try evaluated.train()
    var seeds = RandomStream(seed: 1, purpose: "evaluation seeds")
    let again = try Evaluator(try pendulum()).run(episodes: 3, firstSeed: seeds.next() >> 16) {
      policy.act($0, into: &$1)
    }
    #expect(again.returns == evaluated.lastEvaluation?.evaluation.returns)
  }

  @Test func `health tells values in the unit of the environment's rewards`() throws {
    // Q(s₀) = 1000 Σ_{k<10} 0.9ᵏ = 6513
    let environment = {
      let length = 10
      return Probe(observations: length, observe: { probe in (0..<length).map { $0 == probe.t ? 1 : 0 } }) {
        probe, _ in StepOutcome(reward: 1000, terminated: probe.t == length)
      }
    }
    let trainer = try Self.make(
      "td3", steps: 6000,
      set: ["scaleRewards=true", "discount=0.9", "criticLearningRate=0.002", "targetTracking.soft.rate=0.02"],
      environment: environment)
    var last: HealthRecord?
    trainer.observer.healthAssessed = { last = $0 }
    try trainer.train()
    let record = try #require(last)
    #expect(abs(record.valueScale - 6513) < 1, "\(record.valueScale)")
    #expect(abs(record.valueBias) < 0.15 * 6513, "\(record.valueBias)")
    #expect(abs(record.assessment.largestValue - 6513) < 0.15 * 6513, "\(record.assessment.largestValue)")
    #expect(abs(record.valueBound - 10_000) < 0.01)
    // what the critics themselves say is another number
    let divisor = try #require(trainer.policyFile().metadata["rewardDivisor"].flatMap { Double($0) })
    #expect(divisor > 1000, "\(divisor)")
  }

  @Test func `observations of very different sizes are learned from where they are normalised`() throws {
    // reward −(a − 0.4 s)², s = ±1 told as 5000 ± 0.5 beside a constant of 1e5
    let environment = {
      Probe(
        observations: 2, values: [1], begin: { $0.values[0] = $0.generator.uniform(-1, 1) < 0 ? -1 : 1 },
        observe: { [5000 + 0.5 * Float($0.values[0]), 1e5] }
      ) { probe, action in
        let error = Double(action[0]) - 0.4 * probe.values[0]
        return StepOutcome(reward: -error * error, terminated: true)
      }
    }
    let trainer = try Self.make(
      "td3", steps: 3000, set: ["normalizeObservations=true", "policyLearningRate=0.001", "criticLearningRate=0.001"],
      environment: environment)
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    for sign in [-1, 1] as [Float] {
      var action: [Float] = [0]
      var span = action.mutableSpan
      policy.act([5000 + 0.5 * sign, 1e5].span, into: &span)
      #expect(abs(action[0] - 0.4 * sign) < 0.15, "\(sign): \(action[0])")
    }
  }

  @Test func `a bound of returns that are not scaled is refused before anything is made`() throws {
    let error = #expect(throws: ConfigurationError.self) { try Self.make(set: ["returnBound=5"]) }
    #expect(
      error?.description
        == "returnBound is 5.0, but scaleRewards is false: only returns of scaled rewards are bounded")
  }
}
