import Foundation
import OffPolicy
import Testing

@Suite struct TrainerTests {
  func digest(_ trainer: Trainer) -> String { RunInspection.digest(trainer.algorithm.parameters) }

  @Test(arguments: [(1, 1, 150), (3, 1, 150), (1, 2, 300), (50, 2, 300)])
  func `updates keep pace with steps after the random ones`(every: Int, perStep: Int, updates: Int) throws {
    let trainer = try makeTrainer(
      "ddpg", steps: 200, set: ["updateEvery=\(every)", "updatesPerStep=\(perStep)"], environment: pendulum)
    try trainer.train()
    // one per step on the average, in rounds; 50 random steps come before the first
    #expect(trainer.updates == updates && trainer.step == 200)
  }

  @Test func `nothing is learned before there are as many transitions as a batch has rows`() throws {
    let trainer = try makeTrainer("ddpg", steps: 60, set: ["randomSteps=0", "batchSize=16"], environment: pendulum)
    try trainer.train()
    #expect(trainer.updates == 45)
  }

  @Test(arguments: algorithmNames)
  func `one and two threads give the same bits, another seed others`(algorithm: String) throws {
    func run(_ seed: UInt64, _ threads: Int) throws -> String {
      let trainer = try makeTrainer(algorithm, steps: 250, seed: seed, threads: threads, environment: pendulum)
      try trainer.train()
      return digest(trainer)
    }
    let first = try run(1, 1)
    #expect(try run(1, 2) == first && run(1, 1) == first)
    #expect(try run(2, 1) != first)
  }

  @Test(arguments: algorithmNames)
  func `evaluation changes nothing that is learned`(algorithm: String) throws {
    func run(_ every: Int) throws -> (String, Int) {
      let trainer = try makeTrainer(algorithm, steps: 250, evaluateEvery: every, environment: pendulum)
      var evaluations = 0
      trainer.observer.evaluated = { _ in evaluations += 1 }
      try trainer.train()
      return (digest(trainer), evaluations)
    }
    let (without, none) = try run(0)
    let (with, some) = try run(40)
    // every 40 steps, and the last policy
    #expect(with == without && none == 0 && some == 7)
  }

  @Test func `an evaluation is due at every n-th step, the best is marked`() throws {
    let trainer = try makeTrainer("sac", steps: 200, evaluateEvery: 50, evaluationEpisodes: 2, environment: pendulum)
    var records: [EvaluationRecord] = []
    trainer.observer.evaluated = { records.append($0) }
    try trainer.train()
    #expect(records.map(\.step) == [50, 100, 150, 200])
    #expect(records.allSatisfy { $0.evaluation.episodes == 2 })
    var best = -Double.infinity
    for record in records {
      #expect(record.isBest == (record.evaluation.mean > best))
      best = max(best, record.evaluation.mean)
    }
    #expect(trainer.bestReturn == best && trainer.lastEvaluation?.step == 200)
  }

  @Test func `random steps are uniform in the whole box`() throws {
    var actions: [Float] = []
    let trainer = try makeTrainer("td3", steps: 2000, set: ["randomSteps=2000"]) {
      Probe(observations: 1, actions: Box(low: -3, high: 7, count: 1), observe: { _ in [0] }) { _, action in
        actions.append(action[0])
        return StepOutcome(reward: 0)
      }
    }
    try trainer.train()
    #expect(trainer.updates == 0 && actions.count == 2000)
    #expect(actions.allSatisfy { (-3...7).contains($0) })
    // each tenth of the box gets 200 ± 4.5 standard deviations
    for tenth in 0..<10 {
      let count = actions.count { Int($0 + 3) == tenth }
      #expect((140...260).contains(count))
    }
  }

  @Test func `the stored next observation is the true one, and the next episode starts from its own`() throws {
    var records: [EpisodeRecord] = []
    let trainer = try makeTrainer("ddpg", steps: 100, set: ["randomSteps=100"]) { Probe.numbered() }
    trainer.observer.episodeEnded = { records.append($0) }
    try trainer.train()
    for record in records {
      let end = Probe.numberedEnd(episode: record.episode)
      #expect(record.length == end.length)
      #expect(record.terminated == end.terminates && record.truncated == end.truncates)
      let expected = (1...end.length).reduce(0.0) { $0 + Double(record.episode) + Double($1) / 64 }
      #expect(record.episodeReturn == expected)
    }
    #expect(records.map(\.episode) == Array(1...records.count) && records.count > 5)
  }

  @Test func `the first reset is seeded, later ones go on`() throws {
    final class Seeds { var values: [UInt64?] = [] }
    let seeds = Seeds()
    final class Seeded: Environment {
      let seeds: Seeds
      let observationSpace = Box(low: 0, high: 1, count: 1)
      let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))
      init(_ seeds: Seeds) { self.seeds = seeds }
      func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) { seeds.values.append(seed) }
      func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome {
        StepOutcome(reward: 0, terminated: true)
      }
      func saveState() -> EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
      func restore(_ state: EnvironmentState) {}
    }
    try makeTrainer("ddpg", steps: 4, seed: 77) { Seeded(seeds) }.train()
    #expect(seeds.values == [77, nil, nil, nil])
  }

  @Test(arguments: algorithmNames)
  func `every update draws fresh noise, for the next actions and then for the current ones`(algorithm: String) throws {
    // conformance gives the noise, so that only here does an update draw it
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting([
      "hiddenSizes=9", "batchSize=8", "policyLearningRate=0.01",
    ])
    let make = {
      configuration.makeAlgorithm(observationSize: 3, actionSize: 2, seed: 6, workers: WorkerPool(count: 1))
    }
    let (drawing, given) = (make(), make())
    let batch = Batch(count: 8, observationSize: 3, actionSize: 2)
    for row in 0..<8 {
      for i in 0..<3 { batch.observations[row, i] = Float(row - i) / 4 }
      for i in 0..<2 { batch.actions[row, i] = Float(i) - 0.5 }
      batch.rewards[row] = Float(row)
    }
    batch.setDiscounts(0.99)
    let noise = UpdateNoise(batchSize: 8, actionSize: 2)
    var stream = RandomStream(seed: 6, purpose: "update noise")
    for _ in 0..<4 {
      stream.fillNormal(noise.next)
      if algorithm == "sac" { stream.fillNormal(noise.current) }
      _ = try given.update(batch, noise: noise)
      _ = try drawing.update(batch)
      #expect(drawing.parameters == given.parameters)
    }
  }

  @Test func `an update that is not finite stops the run with the update and what to do`() throws {
    let trainer = try makeTrainer("ddpg", steps: 200) {
      Probe(observations: 1, observe: { _ in [0] }) { _, _ in StepOutcome(reward: 3e38, terminated: true) }
    }
    let error = #expect(throws: DivergedUpdate.self) { try trainer.train() }
    // the loss is finite, in double precision; what Adam makes of its gradient is not
    #expect(error?.update == 1 && error?.what == "next parameter of the critic")
    #expect(error?.description.contains(/, critic\.0\.layer\.[a-z0-9.]+\[[0-9, ]+\] is -?(nan|inf);/) == true)
    #expect(error?.description.contains("lower the learning rates") == true)
  }

  @Test func `a task that gives a number that is not one stops the run`() throws {
    let trainer = try makeTrainer("sac", steps: 200) {
      Probe(observations: 1, observe: { [$0.t == 3 ? .nan : 0] }) { _, _ in StepOutcome(reward: 0) }
    }
    let error = #expect(throws: ContractViolation.self) { try trainer.train() }
    #expect(error?.step == 3)
  }

  @Test func `a buffer that cannot fit is refused before the first step`() throws {
    var made = 0
    let error = #expect(throws: InsufficientMemory.self) {
      try makeTrainer("sac", steps: 1_000_000_000, set: ["bufferCapacity=1000000000"]) {
        made += 1
        return Probe(observations: 4000, observe: { _ in [] }, advance: { _, _ in StepOutcome(reward: 0) })
      }
    }
    #expect(error?.description.contains("a lower bufferCapacity") == true && made == 1)
  }
}
