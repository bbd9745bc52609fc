import Foundation
import OffPolicy
import Testing

@testable import Training

/// A pendulum whose simulator breaks at some calls of `step`, counted over all episodes.
final class Fragile: Environment {
  private let pendulum: any Environment
  private let breaks: (Int) -> Bool
  private let breaksAtReset: Bool
  private(set) var calls = 0

  init(atReset: Bool = false, at breaks: @escaping (Int) -> Bool) throws {
    pendulum = try EnvironmentRegistry.builtIn.make("Pendulum-v1")
    (self.breaks, breaksAtReset) = (breaks, atReset)
  }

  var observationSpace: Box { pendulum.observationSpace }
  var actionSpace: Space { pendulum.actionSpace }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if breaksAtReset { throw SimulatorFault("the joint came apart at rest") }
    try pendulum.reset(seed: seed, into: &observation)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    calls += 1
    if breaks(calls) {
      // what a broken simulator leaves behind
      for i in 0..<observation.count { observation[i] = .nan }
      throw SimulatorFault("the joint came apart at call \(calls)")
    }
    return try pendulum.step(action, into: &observation)
  }

  func saveState() throws -> EnvironmentState {
    var state = try pendulum.saveState()
    state.values.append(Double(calls))
    return state
  }

  func restore(_ state: EnvironmentState) throws {
    var inner = state
    calls = Int(inner.values.removeLast())
    try pendulum.restore(inner)
  }
}

@Suite struct SimulatorFaultsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func make(_ algorithm: String = "td3", steps: Int = 500, at breaks: @escaping (Int) -> Bool) throws -> Trainer {
    try makeTrainer(algorithm, steps: steps) { try Fragile(at: breaks) }
  }

  @Test func `the step at fault is not stored, its episode ends as neither terminated nor truncated, and is counted`()
    throws
  {
    let trainer = try make { [30, 31, 150].contains($0) }
    var episodes: [EpisodeRecord] = []
    var faults: [SimulatorFaultRecord] = []
    trainer.observer.episodeEnded = { episodes.append($0) }
    trainer.observer.simulatorFailed = { faults.append($0) }
    try trainer.train()
    #expect(trainer.step == 500 && trainer.buffer.count == 500 && trainer.faults.total == 3)
    #expect(faults.map(\.step) == [29, 29, 147] && faults.map(\.total) == [1, 2, 3])
    #expect(faults[0].description == "the joint came apart at call 30")
    // calls 30 and 150 broke off an episode after 29 and 118 steps, call 31 one before its first
    #expect(episodes.prefix(3).map(\.length) == [29, 0, 118])
    #expect(episodes.prefix(3).allSatisfy { !$0.terminated && !$0.truncated })
    #expect(episodes.dropFirst(3).allSatisfy { $0.truncated && $0.length == 200 })
    // every stored number is one, and each episode has one final frame after its last step
    let frames = trainer.buffer.frameValues(trainer.buffer.frameRange)
    let width = trainer.buffer.frameWidth
    #expect(frames.allSatisfy { $0.isFinite })
    let finals = stride(from: 0, to: frames.count, by: width).map { frames[$0 + width - 1] }.enumerated()
      .filter { $0.1 == -1 }.map(\.0)
    #expect(Array(finals.prefix(3)) == [29, 30, 149])
  }

  @Test(arguments: algorithmNames, [100, 149, 150, 300])
  func `a run with faults resumes to the bit`(algorithm: String, step: Int) throws {
    let breaks: (Int) -> Bool = { [30, 31, 150, 151].contains($0) }
    let whole = try make(algorithm, at: breaks)
    try whole.train()
    let part = try make(algorithm, at: breaks)
    part.observer.shouldStop = { [unowned part] in part.step >= step }
    try part.train()
    let directory = try RunDirectory.create(folder.path("run"), describe(part.run))
    try directory.save(part)
    let other = try make(algorithm, at: breaks)
    try RunDirectory.open(folder.path("run")).restore(other)
    try other.train()
    #expect(RunInspection.digest(other.algorithm.state.tensors) == RunInspection.digest(whole.algorithm.state.tensors))
    #expect(other.faults == whole.faults && other.faults.total == 4 && other.episodes == whole.episodes)
    #expect(
      other.buffer.frameValues(other.buffer.frameRange).map(\.bitPattern)
        == whole.buffer.frameValues(whole.buffer.frameRange).map(\.bitPattern))
  }

  @Test func `more than a few faults stop the run with an explanation and a dump, and the run is not lost`() throws {
    let trainer = try make { $0 % 40 == 0 }
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    trainer.observer.simulatorFailed = { if $0.total == 3 { try directory.save(trainer) } }
    var dump: FailureDump?
    trainer.observer.failed = { dump = $0 }
    let error = #expect(throws: TooManySimulatorFaults.self) { try trainer.train() }
    #expect(error?.count == 6 && error?.step == 234 && trainer.episodes == 6)
    let text = error?.description ?? ""
    #expect(
      text.contains("broke 6 times within 100000 steps, the last time at step 234: the joint came apart at call 240"))
    #expect(!text.contains("\n"))
    let file = try #require(dump?.file)
    #expect(
      file.names == [
        "environment.generator", "environment.values", "task.action", "task.observation", "trainer.action",
        "trainer.observation",
      ])
    #expect(file.metadata["step"] == "234" && file.metadata["reason"]?.contains("call 240") == true)
    let inspection = try RunInspection(RunDirectory.open(folder.path("run")))
    #expect(inspection.simulatorFaults == 3 && inspection.episodes == 3)
  }

  @Test func `faults farther apart than the window are only counted`() throws {
    var faults = SimulatorFaults()
    for k in 1...40 { try faults.add(step: k * 20_000, "x") }
    #expect(faults.total == 40)
    #expect(SimulatorFaults(counts: faults.counts) == faults)
    let error = #expect(throws: TooManySimulatorFaults.self) { try faults.add(step: 800_001, "x") }
    #expect(error?.count == 6)
  }

  @Test func `a task that breaks at every reset stops the run`() throws {
    let trainer = try makeTrainer("sac", steps: 500) { try Fragile(atReset: true) { _ in false } }
    let error = #expect(throws: TooManySimulatorFaults.self) { try trainer.train() }
    #expect(error?.step == 0 && error?.description.contains("at rest") == true && trainer.episodes == 0)
  }

  @Test func `a fault in an evaluation ends its episode there and changes nothing that is learned`() throws {
    func run(_ every: Int) throws -> (String, [Evaluation]) {
      var made = 0
      let trainer = try makeTrainer("sac", steps: 200, evaluateEvery: every) {
        made += 1
        let isTraining = made == 1
        return try Fragile { !isTraining && $0 == 250 }
      }
      var evaluations: [Evaluation] = []
      trainer.observer.evaluated = { evaluations.append($0.evaluation) }
      try trainer.train()
      #expect(trainer.faults.total == 0)
      return (RunInspection.digest(trainer.algorithm.parameters), evaluations)
    }
    let (with, evaluations) = try run(100)
    #expect(try run(0).0 == with)
    #expect(evaluations.map(\.faults) == [1, 0] && evaluations[0].lengths == [200, 49, 200])
  }

  static let hasSimulator = (try? EnvironmentRegistry.standard.make("HalfCheetah-v5")) != nil

  /// HalfCheetah, whose state is made impossible before some of its steps.
  final class Exploding: Environment {
    let task: any Environment
    let breaks: (Int) -> Bool
    let change: (Int, inout [Double]) -> Void
    var calls = 0

    init(at breaks: @escaping (Int) -> Bool, change: @escaping (Int, inout [Double]) -> Void) throws {
      task = try EnvironmentRegistry.standard.make("HalfCheetah-v5")
      (self.breaks, self.change) = (breaks, change)
    }
    var observationSpace: Box { task.observationSpace }
    var actionSpace: Space { task.actionSpace }
    func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
      try task.reset(seed: seed, into: &observation)
    }
    func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
      calls += 1
      if breaks(calls) {
        var state = try task.saveState()
        change(calls, &state.values)
        try task.restore(state)
      }
      return try task.step(action, into: &observation)
    }
    func saveState() throws -> EnvironmentState { try task.saveState() }
    func restore(_ state: EnvironmentState) throws { try task.restore(state) }
  }

  @Test(.enabled(if: hasSimulator), arguments: [Double.nan, .infinity, 1e12])
  func `a robot that blows up is a fault that names the quantity, and the next episode is sound`(value: Double) throws {
    let trainer = try makeTrainer("td3", steps: 300) {
      // the state is time, positions (9), velocities (9), …
      try Exploding(at: { $0 % 90 == 0 }) { call, values in values[1 + call / 90] = value }
    }
    var descriptions: [String] = []
    trainer.observer.simulatorFailed = { descriptions.append($0.description) }
    try trainer.train()
    #expect(trainer.faults.total == 3 && trainer.step == 300 && trainer.buffer.count == 300)
    #expect(
      descriptions
        == (1...3).map {
          "MuJoCo's simulation of half_cheetah broke: position \($0) is not finite or too large"
        })
    #expect(trainer.buffer.frameValues(trainer.buffer.frameRange).allSatisfy { $0.isFinite && abs($0) < 1000 })
  }
}
