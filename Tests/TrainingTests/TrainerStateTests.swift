import Foundation
import OffPolicy
import Testing

@Suite struct TrainerStateTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func trained(_ algorithm: String, to step: Int, environment: @escaping () throws -> any Environment = pendulum) throws
    -> Trainer
  {
    let trainer = try makeTrainer(algorithm, steps: 400, evaluateEvery: 100, environment: environment)
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= step && trainer.lastEvaluation != nil }
    try trainer.train()
    return trainer
  }

  @Test(arguments: algorithmNames)
  func `a state read from its file is the state that was saved`(algorithm: String) throws {
    let trainer = try trained(algorithm, to: 157)
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    try directory.save(trainer)
    let (read, progress) = try #require(try directory.checkpoint())
    let state = try trainer.state()
    // metrics hold a NaN temperature where there is none, which equals nothing
    #expect(read.step == 157 && read.step == state.step && read.updates == state.updates)
    #expect(read.episodes == state.episodes && read.evaluatedStep == 100 && read.bestReturn == state.bestReturn)
    #expect(read.observation == state.observation && read.environment == state.environment)
    #expect(read.randomActions == state.randomActions && read.sampling == state.sampling)
    #expect(read.episodeReturn == state.episodeReturn && read.episodeLength == state.episodeLength)
    #expect(read.needsReset == state.needsReset)
    #expect(read.algorithm.numbers == state.algorithm.numbers && read.algorithm.counts == state.algorithm.counts)
    let byName = { (a: Tensor, b: Tensor) in a.name < b.name }
    #expect(read.algorithm.tensors.sorted(by: byName) == state.algorithm.tensors.sorted(by: byName))
    #expect(progress.frames == trainer.buffer.frameRange)
    if algorithm == "sac" { #expect(read.metrics == state.metrics) }
  }

  @Test(arguments: algorithmNames, [20, 100, 157, 200])
  func `a restored trainer goes on to the same bits, whatever the step`(algorithm: String, step: Int) throws {
    let whole = try trained(algorithm, to: 400)
    let part = try trained(algorithm, to: max(step, 100))
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try makeTrainer(algorithm, steps: 400, threads: 2, evaluateEvery: 100, environment: pendulum)
    try RunDirectory.open(folder.path("run")).restore(other)
    try other.train()
    #expect(other.step == 400 && other.updates == whole.updates && other.episodes == whole.episodes)
    #expect(RunInspection.digest(other.algorithm.state.tensors) == RunInspection.digest(whole.algorithm.state.tensors))
    #expect(other.algorithm.state.counts == whole.algorithm.state.counts)
    #expect(other.bestReturn == whole.bestReturn)
  }

  @Test func `correlated noise and the task's generator go on too`() throws {
    func make() throws -> Trainer {
      try makeTrainer(
        "ddpg", steps: 300,
        set: ["explorationNoise={\"ornsteinUhlenbeck\":{\"standardDeviation\":0.3,\"stiffness\":0.15,\"timestep\":1}}"]
      ) { TimeLimit(try pendulum(), maximumEpisodeSteps: 30) }
    }
    let whole = try make()
    try whole.train()
    let part = try make()
    part.observer.shouldStop = { [unowned part] in part.step >= 130 }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try make()
    try RunDirectory.open(folder.path("run")).restore(other)
    try other.train()
    #expect(RunInspection.digest(other.algorithm.parameters) == RunInspection.digest(whole.algorithm.parameters))
  }

  /// What restoring from a changed checkpoint says.
  func refusal(_ change: (SafeTensors) throws -> SafeTensors) throws -> String {
    let trainer = try trained("sac", to: 120)
    let directory = try RunDirectory.create(folder.path(UUID().uuidString), describe(trainer.run))
    try directory.save(trainer)
    // sealed again: what is looked for here is not the damage but what it would hide
    try change(SafeTensors(contentsOf: directory.checkpointPath)).sealed().write(to: directory.checkpointPath)
    let other = try makeTrainer("sac", steps: 400, evaluateEvery: 100, environment: pendulum)
    let error = #expect(throws: (any Error).self) { try RunDirectory.open(directory.path).restore(other) }
    let text = error.map { "\($0)" } ?? ""
    #expect(!text.contains("\n"))
    return text
  }

  @Test func `a checkpoint of another program or version is refused`() throws {
    #expect(try refusal { try $0.changed(metadata: ["format": "x"]) }.contains("is not a checkpoint of this program"))
    #expect(
      try refusal { try $0.changed(metadata: ["version": "9"]) }
        .contains("has checkpoint format 9, this program reads 1"))
  }

  @Test(arguments: [
    "trainer.counts", "trainer.numbers", "trainer.metrics", "trainer.observation", "environment.generator",
    "algorithm.policy.mean.bias", "algorithm.critic_optimizer.1.second.layer.0.weight",
    "algorithm.number.log_temperature",
    "algorithm.count.update_stream", "algorithm.count.acting_stream", "algorithm.count.policy_optimizer.steps",
  ])
  func `a checkpoint that lacks something is refused with its name`(name: String) throws {
    let short = name.split(separator: ".").suffix(2).joined(separator: ".")
    let text = try refusal { try $0.changed(without: [name]) }
    #expect(text.contains(short) || text.contains(String(name.split(separator: ".").last!)), "\(text)")
  }

  @Test func `a checkpoint of another task is refused`() throws {
    let text = try refusal { try $0.changed(floats: ["trainer.observation": ([2], [0, 0])]) }
    #expect(text.contains("observation has 2 values, the task's 3"))
  }
}
