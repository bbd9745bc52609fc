// SeveralEnvironmentsTests.swift — runs that collect from several environments at once.

import Foundation
import OffPolicy
import Testing

@testable import Training

/// A trainer with small networks on several pendulums.
private func makeTrainer(
  _ algorithm: String, environments: Int, steps: Int, threads: Int = 1, seed: UInt64 = 1, evaluateEvery: Int = 0,
  set settings: [String] = [], id: String = "Pendulum-v1", make: (() throws -> any Environment)? = nil
) throws -> Trainer {
  let small = ["hiddenSizes=16,16", "batchSize=16", "randomSteps=50"]
  var run = RunConfiguration(
    algorithm: algorithm, environment: id,
    configuration: try AlgorithmRegistry.standard.entry(algorithm).defaults.setting(small + settings).values,
    steps: steps, seed: seed, threads: threads, evaluateEvery: evaluateEvery, evaluationEpisodes: 2, checkpointEvery: 0)
  run.environments = environments
  return try Trainer(run, workers: WorkerPool(count: threads)) { try make?() ?? EnvironmentRegistry.builtIn.make(id) }
}

private func digest(_ trainer: Trainer) -> String { RunInspection.digest(trainer.algorithm.state.tensors) }

@Suite struct SeveralEnvironmentsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ("sac", "Pendulum-v1"), ("td3", "Pendulum-v1"), ("dqn", "CartPole-v1"), ("sac-discrete", "CartPole-v1"),
  ])
  func `any number of threads gives the same bits, another number of environments others`(
    algorithm: String, id: String
  ) throws {
    func run(_ environments: Int, threads: Int) throws -> String {
      let trainer = try makeTrainer(algorithm, environments: environments, steps: 400, threads: threads, id: id)
      try trainer.train()
      return digest(trainer)
    }
    let first = try run(4, threads: 1)
    #expect(try run(4, threads: 2) == first && run(4, threads: 3) == first)
    #expect(try run(1, threads: 1) != first)
  }

  @Test func `steps count over all environments, and updates keep pace with them`() throws {
    for (environments, ratio, updates) in [(4, "1", 150), (4, "0.25", 37), (8, "0.05", 8), (3, "2.5", 377)] {
      let trainer = try makeTrainer(
        "ddpg", environments: environments, steps: 200, set: ["updatesPerStep=\(ratio)"])
      var rounds = 0
      trainer.observer.stepped = { step in
        rounds += 1
        #expect(step == rounds * environments)
      }
      try trainer.train()
      #expect(trainer.step == (200 + environments - 1) / environments * environments)
      // half a round more or less: random steps end within a round
      #expect(abs(trainer.updates - updates) <= Int(Double(environments) * Double(ratio)!) + 1, "\(trainer.updates)")
    }
  }

  @Test func `lane i begins with the run's seed plus i, and goes on with its own generator`() throws {
    let trainer = try makeTrainer("sac", environments: 3, steps: 3, seed: 40)
    try trainer.train()
    let frames = trainer.buffer.frameWidth
    for lane in 0..<3 {
      let environment = try EnvironmentRegistry.builtIn.make("Pendulum-v1")
      var observation = [Float](repeating: 0, count: 3)
      var span = observation.mutableSpan
      try environment.reset(seed: 40 + UInt64(lane), into: &span)
      let stored = trainer.buffer.frameValues(trainer.buffer.frameRange(lane: lane), lane: lane)
      #expect(stored.count == frames && Array(stored[0..<3]) == observation)
    }
  }

  @Test(arguments: ["sac", "ddpg", "dqn"], [152, 260])
  func `a checkpoint in the middle of all episodes goes on to the same bits`(algorithm: String, step: Int) throws {
    let id = algorithm == "dqn" ? "CartPole-v1" : "Pendulum-v1"
    let correlated =
      "explorationNoise={\"ornsteinUhlenbeck\":{\"standardDeviation\":0.3,\"stiffness\":0.15,\"timestep\":1}}"
    let settings = algorithm == "ddpg" ? [correlated] : []
    func make(threads: Int = 1) throws -> Trainer {
      try makeTrainer(
        algorithm, environments: 4, steps: 600, threads: threads, evaluateEvery: 130, set: settings, id: id)
    }
    let whole = try make()
    try whole.train()
    let part = try make()
    part.observer.shouldStop = { [unowned part] in part.step >= step }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try make(threads: 2)
    try RunDirectory.open(folder.path("run")).restore(other)
    #expect(other.step == part.step && other.lanes == part.lanes)
    try other.train()
    #expect(digest(other) == digest(whole) && other.episodes == whole.episodes)
    #expect(other.algorithm.state.counts == whole.algorithm.state.counts && other.bestReturn == whole.bestReturn)
    for lane in 0..<4 {
      let range = whole.buffer.frameRange(lane: lane)
      #expect(
        other.buffer.frameRange(lane: lane) == range
          && other.buffer.frameValues(range, lane: lane) == whole.buffer.frameValues(range, lane: lane))
    }
  }

  @Test func `a checkpoint of another number of environments is refused`() throws {
    let trainer = try makeTrainer("sac", environments: 2, steps: 100)
    try trainer.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    try directory.save(trainer)
    let other = try makeTrainer("sac", environments: 3, steps: 100)
    let error = #expect(throws: MismatchedRun.self) { try RunDirectory.open(folder.path("run")).restore(other) }
    #expect(error?.description.contains("of 2 environments, the run has 3") == true, "\(String(describing: error))")
  }

  @Test func `driven step by step from outside a run learns what its own loop learns`() throws {
    let whole = try makeTrainer("sac", environments: 3, steps: 400)
    try whole.train()
    let driven = try makeTrainer("sac", environments: 3, steps: 400)
    let environments = try (0..<3).map { _ in try EnvironmentRegistry.builtIn.make("Pendulum-v1") }
    var observation = [Float](repeating: 0, count: 3)
    var actions = [Float](repeating: 0, count: 3)
    while driven.step < 400 {
      for lane in 0..<3 where driven.lanes[lane].needsReset {
        var span = observation.mutableSpan
        let seed: UInt64? = driven.lanes[lane].steps == 0 ? 1 + UInt64(lane) : nil
        try environments[lane].reset(seed: seed, into: &span)
        driven.begin(lane: lane, observation.span)
      }
      var actionSpan = actions.mutableSpan
      try driven.action(into: &actionSpan)
      for lane in 0..<3 {
        var span = observation.mutableSpan
        let outcome = try environments[lane].step(actions.span.extracting(lane..<(lane + 1)), into: &span)
        try driven.observe(lane: lane, outcome, next: observation.span)
      }
      try driven.learn()
    }
    #expect(digest(driven) == digest(whole) && driven.updates == whole.updates)
  }

  @Test func `a fault of the simulator costs the episode of its own lane`() throws {
    // the second environment breaks at its 30th step
    var made = 0
    let trainer = try makeTrainer("td3", environments: 3, steps: 120) {
      made += 1
      let breaks = made == 2
      return try Fragile { breaks && $0 == 30 }
    }
    var ends: [(Int, Bool)] = []
    trainer.observer.episodeEnded = { ends.append(($0.length, $0.truncated)) }
    try trainer.train()
    #expect(trainer.faults.total == 1 && ends.first?.0 == 29 && ends.first?.1 == false)
    // what the other lanes stored goes on without a gap
    #expect(trainer.lanes[0].steps == trainer.lanes[2].steps && trainer.lanes[1].steps < trainer.lanes[0].steps)
    #expect(trainer.step == trainer.lanes.reduce(0) { $0 + $1.steps } && trainer.step >= 120)
  }

  @Test(arguments: ["sac", "td3", "ddpg"])
  func `acting in several environments at once is acting in each`(algorithm: String) throws {
    let trainer = try makeTrainer(algorithm, environments: 5, steps: 200)
    try trainer.train()
    let observations = Matrix(rows: 5, columns: 3)
    let actions = Matrix(rows: 5, columns: 1)
    for row in 0..<5 { for i in 0..<3 { observations[row, i] = Float(row - i) / 3 } }
    trainer.algorithm.act(observations, rows: 5, explore: false, into: actions)
    for row in 0..<5 {
      let observation = (0..<3).map { Float(row - $0) / 3 }
      var action: [Float] = [0]
      var span = action.mutableSpan
      trainer.algorithm.act(observation.span, explore: false, into: &span)
      #expect(action[0] == actions[row, 0])
    }
  }

  @Test func `a run of several environments is data`() throws {
    let trainer = try makeTrainer("sac", environments: 3, steps: 900, set: ["bufferCapacity=600"])
    try trainer.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    try directory.save(trainer)
    let dataset = try DatasetFiles.read(folder.path("run"), DatasetReading(timeouts: .stored, environment: nil))
    #expect(dataset.count == trainer.buffer.count)
    // each transition is one of a lane's own: the pendulum's next angle follows from the last
    dataset.forEachTransition { transition in
      let (s, next) = (Array(transition.observation), Array(transition.next))
      let turned = atan2(next[1], next[0]) - atan2(s[1], s[0])
      let wrapped = atan2(sin(turned), cos(turned))
      #expect(abs(wrapped - 0.05 * next[2]) < 1e-3)
    }
  }
}
