import Foundation
import OffPolicy
import Testing

@testable import Training

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
    #expect(read.lanes == state.lanes && read.environments == state.environments && read.faults == state.faults)
    #expect(read.randomActions == state.randomActions && read.sampling == state.sampling)
    #expect(read.health == state.health || read.health.predicted.contains { $0.isNaN })
    #expect(read.algorithm.numbers == state.algorithm.numbers && read.algorithm.counts == state.algorithm.counts)
    let byName = { (a: Tensor, b: Tensor) in a.name < b.name }
    #expect(read.algorithm.tensors.sorted(by: byName) == state.algorithm.tensors.sorted(by: byName))
    #expect(progress.replay.map(\.frames) == [trainer.buffer.frameRange])
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

  @Test(arguments: algorithmNames)
  func `restarted streams forget what was drawn, and nothing that was learned`(algorithm: String) throws {
    let trainer = try trained(algorithm, to: 157)
    let before = try trainer.state()
    let untouched = try makeTrainer(algorithm, steps: 400, environment: pendulum).state()
    try trainer.restartStreams()
    let after = try trainer.state()
    #expect(before.sampling > 0 && after.sampling == 0 && before.randomActions > 0 && after.randomActions == 0)
    #expect(after.algorithm.tensors == before.algorithm.tensors && after.algorithm.numbers == before.algorithm.numbers)
    // what has changed is a stream, and is where it was before anything was drawn
    let restarted = before.algorithm.counts.filter { after.algorithm.counts[$0.key] != $0.value }.keys
    #expect(restarted.contains("acting_stream") && restarted.allSatisfy { $0.hasSuffix("_stream") })
    #expect(restarted.allSatisfy { after.algorithm.counts[$0] == untouched.algorithm.counts[$0] })
  }

  @Test(arguments: algorithmNames)
  func `in the middle of a schedule, with sizes of their own and a bound of the gradients, it goes on to the same bits`(
    algorithm: String
  ) throws {
    func make(threads: Int = 1) throws -> Trainer {
      try makeTrainer(
        algorithm, steps: 300, threads: threads,
        set: [
          "learningRateSchedule.cosine.final=0.1", "policyHiddenSizes=9", "criticHiddenSizes=20,7",
          "maximumGradientNorm=0.5", "huberThreshold=1", "adamEpsilon=1e-5",
        ], environment: pendulum)
    }
    let whole = try make()
    try whole.train()
    let part = try make()
    part.observer.shouldStop = { [unowned part] in part.step >= 157 }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    #expect(try PolicyFile.load(directory.policyPath).description.hiddenSizes == [9])
    let other = try make(threads: 2)
    try RunDirectory.open(folder.path("run")).restore(other)
    try other.train()
    #expect(RunInspection.digest(other.algorithm.state.tensors) == RunInspection.digest(whole.algorithm.state.tensors))
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
        .contains("has checkpoint format 9, this program reads 1 to 2"))
  }

  @Test func `a checkpoint of frames that no run has is refused`() throws {
    let text = try refusal { file in
      var copy = try file.changed(without: ["lane.0.replay.frames"])
      copy.add("lane.0.replay.frames", uint64s: [1 << 60, 1 << 60 + 5], shape: [2])
      return copy
    }
    #expect(text.contains("which no run has"), "\(text)")
  }

  @Test(arguments: [
    "trainer.step", "trainer.best_return", "trainer.stream.sampling", "metrics.sums", "health.predictions",
    "lane.needs_reset", "lane.0.observation", "lane.0.environment.generator", "lane.0.replay.digests",
    "algorithm.policy.mean.bias", "algorithm.critic_optimizer.1.second.layer.0.weight",
    "algorithm.number.log_temperature",
    "algorithm.count.update_stream", "algorithm.count.acting_stream", "algorithm.count.policy_optimizer.steps",
  ])
  func `a checkpoint that lacks something is refused with its name`(name: String) throws {
    let short = name.split(separator: ".").suffix(2).joined(separator: ".")
    let text = try refusal { try $0.changed(without: [name]) }
    #expect(text.contains(short) || text.contains(String(name.split(separator: ".").last!)), "\(text)")
  }

  @Test(arguments: [UInt64.max, 1 << 53, 1 << 60])
  func `a checkpoint that counts more than a run can is refused`(count: UInt64) throws {
    for name in ["trainer.step", "progress.pauses.count", "lane.steps"] {
      let text = try refusal { file in
        var copy = try file.changed(without: [name])
        copy.add(name, uint64s: [count], shape: [1])
        return copy
      }
      #expect(text.contains("\(name) = \(count), which no run has"), "\(text)")
    }
  }

  /// The long form of this is run by Tests/Faults/flips.
  @Test func `each changed byte of a checkpoint is noticed, or means the same`() throws {
    let trainer = try trained("sac", to: 120)
    let saved = try trainer.state().encoded(RunProgress())
    let bytes = saved.encoded()
    let long = ProcessInfo.processInfo.environment["OFFPOLICY_LONG_TESTS"] != nil
    var (noticed, same) = (0, 0)

    func tryChange(at index: Int, to value: UInt8) throws {
      var changed = bytes
      changed[index] = value
      guard let file = try? SafeTensors(bytes: changed), (try? TrainerState(file, path: "x")) != nil else {
        noticed += 1
        return
      }
      // white space may be another; what is read may not
      #expect(file.encoded() == bytes, "byte \(index) was \(bytes[index]), became \(value)")
      same += 1
    }

    let headerEnd = 8 + bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    for index in 0..<headerEnd {
      let values = long ? Array(1...255) : [1 << UInt8(index % 8), UInt8(truncatingIfNeeded: index &* 167) | 1]
      for difference in values { try tryChange(at: index, to: bytes[index] ^ difference) }
    }
    let ofHeader = noticed + same
    for n in 0..<(long ? 100_000 : 2_000) {
      let index = headerEnd + n &* 7919 % (bytes.count - headerEnd)
      try tryChange(at: index, to: bytes[index] ^ 1 << UInt8((n + n / (bytes.count - headerEnd)) % 8))
    }
    #expect(ofHeader == headerEnd * (long ? 255 : 2))
    #expect(same < ofHeader / 20, "\(same) of \(noticed + same) changes made no difference")
    if long {
      print("\(ofHeader) changes of the header, 100000 flips of the body: \(noticed) noticed, \(same) without meaning")
    }
  }

  @Test func `a checkpoint of another task is refused`() throws {
    let text = try refusal { try $0.changed(floats: ["lane.0.observation": ([2], [0, 0])]) }
    #expect(text.contains("observation has 2 values, the environment's 3"))
  }
}
