import OffPolicy
import Testing

@testable import Training

@Suite struct EvaluationScheduleTests {
  /// Two steps that pay what was done; notes its seeds.
  final class Payer: Environment {
    var left = 0
    var seeds: [UInt64?] = []
    let observationSpace = Box(low: 0, high: 1, count: 1)
    let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))

    func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) {
      seeds.append(seed)
      (left, observation[0]) = (2, 0)
    }

    func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome {
      left -= 1
      return StepOutcome(reward: Double(action[0]), terminated: left == 0)
    }

    func saveState() -> EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
    func restore(_ state: EnvironmentState) {}
  }

  private func run(every: Int, seed: UInt64 = 1) throws -> RunConfiguration {
    RunConfiguration(
      algorithm: "sac", environment: "Payer-v0", configuration: try AlgorithmRegistry.entry("sac").defaults.values,
      steps: 100, seed: seed, threads: 1, evaluateEvery: every, evaluationEpisodes: 3, checkpointEvery: 0)
  }

  @Test func `it is due at every n-th step once, never at step 0, and not without a task`() throws {
    let schedule = EvaluationSchedule(try run(every: 10)) { Payer() }
    var evaluated: [Int] = []
    for step in 0...40 where schedule.isDue(at: step) {
      _ = try schedule.evaluate(step: step, isCancelled: { false }) { $1[0] = 0.5 }
      evaluated.append(step)
    }
    #expect(evaluated == [10, 20, 30, 40])
    #expect(!(0...40).contains(where: EvaluationSchedule(try run(every: 0)) { Payer() }.isDue))
    #expect(!(0...40).contains(where: EvaluationSchedule(try run(every: 10), makeEnvironment: nil).isDue))
  }

  @Test func `a round of several environments that steps over the number is evaluated at its end, once`() throws {
    let schedule = EvaluationSchedule(try run(every: 10)) { Payer() }
    var evaluated: [Int] = []
    for step in stride(from: 0, through: 60, by: 4) where schedule.isDue(at: step) {
      _ = try schedule.evaluate(step: step, isCancelled: { false }) { $1[0] = 0.5 }
      evaluated.append(step)
    }
    #expect(evaluated == [12, 20, 32, 40, 52, 60])
  }

  @Test func `the last policy is evaluated whatever its step is, once`() throws {
    let schedule = EvaluationSchedule(try run(every: 30)) { Payer() }
    var evaluated: [Int] = []
    for step in 0...100 where schedule.isDue(at: step) {
      _ = try schedule.evaluate(step: step, isCancelled: { false }) { $1[0] = 0.5 }
      evaluated.append(step)
    }
    #expect(evaluated == [30, 60, 90, 100])
    #expect(!schedule.isDue(at: 100))
    #expect(!EvaluationSchedule(try run(every: 0)) { Payer() }.isDue(at: 100))
  }

  @Test func `each evaluation has the same seeds, and those of another run others`() throws {
    let task = Payer()
    let schedule = EvaluationSchedule(try run(every: 10)) { task }
    for step in [10, 20] { _ = try schedule.evaluate(step: step, isCancelled: { false }) { $1[0] = 0 } }
    #expect(task.seeds.count == 6 && task.seeds.prefix(3) == task.seeds.suffix(3))
    #expect(Set(task.seeds).count == 3)
    let other = Payer()
    _ = try EvaluationSchedule(try run(every: 10, seed: 2)) { other }.evaluate(step: 10, isCancelled: { false }) {
      $1[0] = 0
    }
    #expect(Set(other.seeds).isDisjoint(with: task.seeds))
  }

  @Test func `the best is the first of the highest, also after it was restored`() throws {
    var schedule = EvaluationSchedule(try run(every: 10)) { Payer() }
    var best: [Bool] = []
    for (step, action) in [(10, 0.25), (20, 0.5), (30, 0.5), (40, -1), (50, 0.75)] as [(Int, Float)] {
      let record = try #require(try schedule.evaluate(step: step, isCancelled: { false }) { $1[0] = action })
      #expect(record.evaluation.mean == 2 * Double(action) && record.step == step)
      best.append(record.isBest)
      if step == 30 {
        let next = EvaluationSchedule(try run(every: 10)) { Payer() }
        next.restore(evaluatedStep: schedule.evaluatedStep, bestReturn: schedule.bestReturn)
        #expect(!next.isDue(at: 30) && next.bestReturn == 1)
        schedule = next
      }
    }
    #expect(best == [true, true, false, false, true])
    #expect(schedule.last?.step == 50 && schedule.bestReturn == 1.5)
  }

  @Test func `one that is stopped in the middle never was: it stays due`() throws {
    let schedule = EvaluationSchedule(try run(every: 10)) { Payer() }
    var asked = 0
    let record = try schedule.evaluate(
      step: 10,
      isCancelled: {
        asked += 1
        return asked > 1
      }
    ) { $1[0] = 1 }
    #expect(record == nil && schedule.last == nil && schedule.isDue(at: 10))
    #expect(schedule.bestReturn == -.infinity)
  }
}
