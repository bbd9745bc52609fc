import OffPolicy
import Testing

@Suite struct EvaluatorTests {
  /// Rewards what it was seeded with, for as many steps.
  final class Counter: Environment {
    var left = 0
    var seeds: [UInt64?] = []
    var actions: [Float] = []
    let observationSpace = Box(low: 0, high: 100, count: 1)
    let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))

    func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) {
      seeds.append(seed)
      left = Int(seed ?? 1)
      observation[0] = Float(left)
    }

    func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome {
      actions.append(action[0])
      left -= 1
      observation[0] = Float(left)
      return StepOutcome(reward: 2, terminated: left == 0)
    }

    func saveState() -> EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
    func restore(_ state: EnvironmentState) {}
  }

  @Test func `returns and lengths are those of whole episodes on consecutive seeds`() throws {
    let task = Counter()
    let result = try Evaluator(task).run(episodes: 3, firstSeed: 4) { $1[0] = $0[0] / 10 }
    #expect(task.seeds == [4, 5, 6])
    #expect(result.returns == [8, 10, 12] && result.lengths == [4, 5, 6])
    // the first action answers the reset's observation, each later one its step's
    #expect(task.actions.prefix(5) == [0.4, 0.3, 0.2, 0.1, 0.5])
  }

  @Test func `mean, standard deviation and extremes are those of the returns`() {
    let result = Evaluation(returns: [1, 2, 6, 7], lengths: [1, 2, 3, 5])
    #expect(result.episodes == 4 && result.mean == 4 && result.minimum == 1 && result.maximum == 7)
    #expect(result.standardDeviation == 6.5.squareRoot())
    #expect(result.meanLength == 2.75)
  }

  @Test func `a cancelled evaluation returns the whole episodes that were run`() throws {
    var asked = 0
    let result = try Evaluator(Counter()).run(
      episodes: 9, firstSeed: 4,
      isCancelled: {
        asked += 1
        return asked > 2
      }
    ) { $1[0] = 0 }
    #expect(result.returns == [8, 10])
  }

  @Test func `an episode that does not end is told, and does not keep a stop from being heard`() throws {
    let endless = Probe(observations: 1, observe: { _ in [0] }) { _, _ in StepOutcome(reward: 0) }
    let error = #expect(throws: EndlessEpisode.self) {
      try Evaluator(endless).run(episodes: 3, firstSeed: 1, longestEpisode: 500) { $1[0] = 0 }
    }
    #expect(error?.episode == 1 && error?.steps == 500)
    #expect(error?.description.contains("has not ended after 500 steps") == true)
    let stopped = try Evaluator(endless).run(episodes: 3, firstSeed: 1, isCancelled: { endless.t > 1000 }) { $1[0] = 0 }
    #expect(stopped.episodes == 0 && endless.t < 1200)
  }

  @Test func `the end of each episode is told`() throws {
    var ends: [Int] = []
    _ = try Evaluator(Counter()).run(episodes: 3, firstSeed: 4, ended: { ends.append($0) }) { $1[0] = 0 }
    #expect(ends == [1, 2, 3])
  }

  @Test func `the same seeds and actions give the same evaluation`() throws {
    let evaluator = Evaluator(try pendulum())
    let results = try (0..<2).map { _ in
      try evaluator.run(episodes: 2, firstSeed: 7) { $1[0] = -0.5 * $0[2] }
    }
    #expect(results[0] == results[1])
    #expect(results[0].lengths == [200, 200])
    #expect(results[0].returns[0] != results[0].returns[1])
  }
}
