// CollectionLoopTests.swift — environments that step beside the updates: what is chosen when, what is waited for, what goes on.

import OffPolicy
import Testing

@testable import Training

private func makeTrainer(
  _ algorithm: String, overlap: Bool?, environments: Int = 3, steps: Int = 300, threads: Int = 1,
  set settings: [String] = []
) throws -> Trainer {
  let id = algorithm == "dqn" ? "CartPole-v1" : "Pendulum-v1"
  let small = ["hiddenSizes=16,16", "batchSize=16", "randomSteps=50"]
  var run = RunConfiguration(
    algorithm: algorithm, environment: id,
    configuration: try AlgorithmRegistry.standard.entry(algorithm).defaults.setting(small + settings).values,
    steps: steps, seed: 5, threads: threads, evaluateEvery: 0, evaluationEpisodes: 2, checkpointEvery: 0)
  (run.environments, run.overlap) = (environments, overlap)
  return try Trainer(run, workers: WorkerPool(count: threads)) { try EnvironmentRegistry.builtIn.make(id) }
}

private func digest(_ trainer: Trainer) -> String { RunInspection.digest(trainer.algorithm.state.tensors) }

/// The loop as plain as it can be written: a round's actions, then the updates of the round before, then what the actions gave.
private func driveWithLag(_ trainer: Trainer, _ environments: EnvironmentLanes) throws {
  let (count, width) = (environments.count, trainer.scaling.count)
  var observation = [Float](repeating: 0, count: environments.observationSpace.count)
  var actions = [Float](repeating: 0, count: count * width)
  while trainer.step < trainer.run.steps {
    for lane in 0..<count where trainer.lanes[lane].needsReset {
      let seed = trainer.lanes[lane].steps == 0 ? trainer.run.seed + UInt64(lane) : nil
      var span = observation.mutableSpan
      try environments.reset(lane: lane, seed: seed, into: &span)
      trainer.begin(lane: lane, span.span)
    }
    var span = actions.mutableSpan
    try trainer.action(into: &span)
    try trainer.learn()
    environments.step(actions.span, isActive: [Bool](repeating: true, count: count))
    for lane in 0..<count {
      var span = observation.mutableSpan
      let outcome = try environments.outcome(lane: lane, into: &span)
      try trainer.observe(lane: lane, outcome, next: span.span)
    }
  }
}

/// Steps that are begun and finished, and nothing else.
private final class Steps: VectorEnvironment {
  let count = 1
  let observationSpace = Box(low: -1, high: 1, count: 1)
  let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))
  private(set) var calls: [String] = []

  func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws { calls.append("reset") }
  func step(_ actions: Span<Float>, isActive: [Bool]) { calls.append("step") }
  func beginStep(_ actions: Span<Float>, isActive: [Bool]) { calls.append("begin") }
  func finishStep() { calls.append("finish") }
  func outcome(lane: Int, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    calls.append("outcome")
    return StepOutcome(reward: 0)
  }
  func saveState(lane: Int) throws -> EnvironmentState {
    EnvironmentState(values: [], generator: NumPyGenerator(seed: 0))
  }
  func restore(_ state: EnvironmentState, lane: Int) throws {}
  func note(_ text: String) { calls.append(text) }
}

private final class Zeros: StepCollector {
  var isNew = true
  func needsReset(lane: Int) -> Bool { isNew }
  func seed(lane: Int) -> UInt64? { nil }
  func begin(lane: Int, _ observation: Span<Float>) throws { isNew = false }
  func action(into actions: inout MutableSpan<Float>) throws { actions[0] = 0 }
  func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws {}
}

private struct Broken: Error {}

@Suite struct CollectionLoopTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["sac", "td3", "dqn"], [1, 3])
  func `with overlap a round's actions are chosen before the updates of the round before, and nothing else differs`(
    algorithm: String, environments: Int
  ) throws {
    let overlapping = try makeTrainer(algorithm, overlap: true, environments: environments)
    try overlapping.train()
    let plain = try makeTrainer(algorithm, overlap: nil, environments: environments)
    let lanes = try EnvironmentLanes(count: environments, workers: WorkerPool(count: 1)) {
      try EnvironmentRegistry.builtIn.make(plain.run.environment)
    }
    try driveWithLag(plain, lanes)
    #expect(digest(overlapping) == digest(plain) && overlapping.updates == plain.updates)
    let usual = try makeTrainer(algorithm, overlap: nil, environments: environments)
    try usual.train()
    #expect(digest(usual) != digest(overlapping))
    // the updates of the last round would come beside the next one
    #expect(usual.updates == overlapping.updates + environments)
  }

  @Test(arguments: ["updatesPerStep=1", "updatesPerStep=0.25", "updateEvery=12"])
  func `the updates that a run with overlap announces are those that it makes`(setting: String) throws {
    let trainer = try makeTrainer("ddpg", overlap: true, set: [setting])
    try trainer.train()
    #expect(try trainer.run.learning().updates == trainer.updates)
  }

  @Test(arguments: [36, 153, 299]) func `updates that a checkpoint still owes are made when the run goes on`(step: Int)
    throws
  {
    let whole = try makeTrainer("sac", overlap: true)
    try whole.train()
    let part = try makeTrainer("sac", overlap: true)
    part.observer.shouldStop = { [unowned part] in part.step >= step }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try makeTrainer("sac", overlap: true, threads: 2)
    try RunDirectory.open(folder.path("run")).restore(other)
    #expect(try other.state().roundStart == part.state().roundStart)
    try other.train()
    #expect(digest(other) == digest(whole) && other.updates == whole.updates)
  }

  @Test func `a run that ends and is given more steps has the bits of a longer one`() throws {
    let short = try makeTrainer("td3", overlap: true, steps: 150)
    try short.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(short.run))
    try directory.save(short)
    let longer = try makeTrainer("td3", overlap: true)
    try RunDirectory.open(folder.path("run")).restore(longer, writtenBy: short.run)
    try longer.train()
    let whole = try makeTrainer("td3", overlap: true)
    try whole.train()
    #expect(digest(longer) == digest(whole))
  }

  @Test func `a run with overlap is another than one without`() throws {
    let part = try makeTrainer("sac", overlap: true, steps: 60)
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try makeTrainer("sac", overlap: nil, steps: 60)
    let error = #expect(throws: RunDirectoryError.self) {
      try RunDirectory.open(folder.path("run")).restore(other)
    }
    #expect(error?.description.contains("its overlap was true and is false") == true)
  }

  @Test func `work is done while the environments step, and their step is waited for even if it fails`() throws {
    let steps = Steps()
    let (loop, collector) = (CollectionLoop(steps), Zeros())
    try loop.round(collector)
    #expect(steps.calls == ["reset", "step", "outcome"])
    try loop.round(collector) { steps.note("work") }
    #expect(steps.calls.suffix(4) == ["begin", "work", "finish", "outcome"])
    #expect(throws: Broken.self) { try loop.round(collector) { throw Broken() } }
    #expect(steps.calls.suffix(2) == ["begin", "finish"])
  }
}
