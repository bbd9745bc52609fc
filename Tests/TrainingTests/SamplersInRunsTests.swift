// SamplersInRunsTests.swift — prioritised and hindsight replay and n-step returns in whole runs: resumed, refused, learned with.

import Foundation
import OffPolicy
import Testing

@testable import Training

private func makeRun(
  _ algorithm: String, on id: String, steps: Int, threads: Int = 1, environments: Int = 1, set settings: [String]
) throws -> Trainer {
  let small = ["hiddenSizes=16,16", "batchSize=16", "randomSteps=50"]
  var run = RunConfiguration(
    algorithm: algorithm, environment: id,
    configuration: try AlgorithmRegistry.standard.entry(algorithm).defaults.setting(small + settings).values,
    steps: steps, seed: 3, threads: threads, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: 0)
  if environments > 1 { run.environments = environments }
  return try Trainer(run, workers: WorkerPool(count: threads)) { try EnvironmentRegistry.builtIn.make(id) }
}

private func digest(_ trainer: Trainer) -> String { RunInspection.digest(trainer.algorithm.state.tensors) }

/// What changes how rows are chosen or what they hold, each with an environment for it.
private let choices: [(name: String, algorithm: String, id: String, settings: [String])] = [
  ("prioritised", "sac", "Pendulum-v1", ["sampler.prioritised.alpha=0.7", "sampler.prioritised.betaSteps=300"]),
  ("prioritised in a small buffer", "dqn", "CartPole-v1", ["sampler=prioritised", "bufferCapacity=90"]),
  ("hindsight", "td3", "PointReach-v0", ["sampler.hindsight.goals=4"]),
  ("hindsight where goals end episodes", "sac", "PointReachOnce-v0", ["sampler=hindsight", "bufferCapacity=150"]),
  ("five steps", "ddpg", "Pendulum-v1", ["nSteps=5"]),
  ("three steps, prioritised", "sac-discrete", "CartPole-v1", ["nSteps=3", "sampler=prioritised"]),
]

@Suite struct SamplersInRunsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: choices.indices, [1, 3])
  func `a run goes on from its checkpoint to the same bits, on any number of threads`(index: Int, environments: Int)
    throws
  {
    let choice = choices[index]
    func make(threads: Int = 1) throws -> Trainer {
      try makeRun(
        choice.algorithm, on: choice.id, steps: 420, threads: threads, environments: environments,
        set: choice.settings)
    }
    let whole = try make()
    try whole.train()
    #expect(whole.updates > 300)
    let part = try make()
    part.observer.shouldStop = { [unowned part] in part.step >= 257 }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try make(threads: 2)
    try RunDirectory.open(folder.path("run")).restore(other)
    #expect(try other.state().sampler == part.state().sampler)
    try other.train()
    #expect(digest(other) == digest(whole), "\(choice.name)")
    #expect(try other.state().sampler == whole.state().sampler)
  }

  @Test(arguments: choices.indices)
  func `rows that are chosen in another way teach other things`(index: Int) throws {
    let choice = choices[index]
    func run(_ settings: [String]) throws -> String {
      let trainer = try makeRun(choice.algorithm, on: choice.id, steps: 200, set: settings)
      try trainer.train()
      return digest(trainer)
    }
    let capacity = choice.settings.filter { $0.hasPrefix("bufferCapacity") }
    #expect(try run(choice.settings) != run(capacity))
  }

  @Test(arguments: [
    (["sampler=hindsight"], "Pendulum-v1 has no goals"),
    (["nSteps=8", "bufferCapacity=4", "batchSize=2"], "cannot hold a return of 8 steps"),
    (["sampler=prioritised", "bufferCapacity=8"], "is smaller than a batch of 16"),
  ])
  func `what does not fit is refused with the reason`(settings: [String], reason: String) throws {
    let error = #expect(throws: SamplerError.self) { try makeRun("sac", on: "Pendulum-v1", steps: 100, set: settings) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func `hindsight over several steps is refused`() throws {
    #expect(throws: SamplerError.hindsightOverSteps(3)) {
      try makeRun("sac", on: "PointReach-v0", steps: 100, set: ["sampler=hindsight", "nSteps=3"])
    }
  }

  @Test func `hindsight finds goals that are never met by chance, and without it nothing is learned`() throws {
    func success(_ sampler: String) throws -> Double {
      let trainer = try makeRun(
        "sac", on: "PointReach-v0", steps: 17_000,
        set: ["hiddenSizes=64,64", "batchSize=256", "randomSteps=1000", "sampler=\(sampler)"])
      try trainer.train()
      // the return of an episode is −1 for each step away from the goal: above −50 where it was reached
      let evaluation = try Evaluator(EnvironmentRegistry.builtIn.make("PointReach-v0")).run(
        episodes: 40, firstSeed: 1_000
      ) { observation, action in
        trainer.algorithm.act(observation, explore: false, into: &action)
        trainer.scaling.denormalize(&action)
      }
      return Double(evaluation.returns.filter { $0 > -50 }.count) / 40
    }
    let (with, without) = try (success("hindsight"), success("uniform"))
    #expect(with >= 0.95, "\(with)")
    #expect(without <= 0.1, "\(without)")
  }
}
