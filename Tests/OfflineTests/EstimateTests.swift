import OffPolicy
import Testing

@testable import Offline
@testable import Training

@Suite struct EstimateTests {
  @Test(arguments: [2, 3, 5, 10, 40])
  func `the interval holds the true mean as often as it says, of few values too`(count: Int) {
    var stream = RandomStream(seed: 1, purpose: "test")
    let noise = Block(count: count)
    var held = 0
    for _ in 0..<1000 {
      stream.fillNormal(noise)
      if Estimate(of: noise.values.map(Double.init)).contains(0) { held += 1 }
    }
    // 0.95 of 1,000 is 950; 3 standard errors are 21
    #expect((929...971).contains(held), "\(held) of 1,000 at \(count) values")
  }

  @Test func `the interval is Student's, equal values have none`() {
    let estimate = Estimate(of: [1, 4, 2, 8, 5, 7])
    // 4.5 ± 2.570582 · 2.738613 / √6
    #expect(estimate.mean == 4.5 && abs(estimate.low - 1.62600) < 1e-4 && abs(estimate.high - 7.37400) < 1e-4)
    let same = Estimate(of: [2, 2, 2])
    #expect(same.low == 2 && same.high == 2 && same.mean == 2 && same.count == 3)
  }

  /// Differences of a stochastic policy with itself, episode by episode, in one environment.
  static func differences(of task: String, episodes: Int) throws -> [Double] {
    let entry = try EnvironmentRegistry.builtIn.entry(task)
    let algorithm = SAC(
      configuration: try SAC.Configuration().setting(["hiddenSizes=8"]), observationSize: entry.observationSize,
      actionSize: entry.actionSpace.count, seed: 3, workers: WorkerPool(count: 1))
    let box = try ActionScaling(entry.actionSpace, of: task)
    let file = PolicyFile.encode(
      algorithm.policyTensors,
      PolicyDescription(
        algorithm: "sac", environment: task, observationSize: entry.observationSize, hiddenSizes: [8],
        actionLow: box.low, actionHigh: box.high, step: 0))
    let folder = try TemporaryFolder()
    try file.write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    let runner = PolicyRunner(
      makeEnvironment: { try entry.makeEndless() }, task: task, discount: 0.9, episodes: episodes, seed: 5)
    let old = try runner.run(policy, drawsActions: true, purpose: "old")
    let new = try runner.run(policy, drawsActions: true, purpose: "new")
    return zip(new, old).map { $0.discountedReturn(0.9) - $1.discountedReturn(0.9) }
  }

  @Test(arguments: ["Pendulum-v1", "MultiGoal-v0", "MountainCarContinuous-v0", "PointReach-v0"])
  func `the gate opens for a policy against itself in 35 of 1,000 repetitions at most`(task: String) throws {
    let pool = try Self.differences(of: task, episodes: 2000)
    var stream = RandomStream(seed: 2, purpose: "test")
    for count in [2, 5, 10, 30, 100] {
      var opened = 0
      for _ in 0..<1000 {
        // a random sign beside the draw: old and new are the same policy
        let sample = (0..<count).map { _ in
          (stream.index(below: 2) == 0 ? 1 : -1) * pool[stream.index(below: pool.count)]
        }
        if Estimate(of: sample).low > 0 { opened += 1 }
      }
      #expect(opened <= 35, "\(task), \(count) episodes: \(opened) of 1,000")
    }
  }
}
