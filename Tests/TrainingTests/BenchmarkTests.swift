import OffPolicy
import Testing

@testable import Training

@Suite struct BenchmarkTests {
  // MFLOP per update at batch 256 and 256, 256 units, counted by hand from the products that each update cannot do without
  @Test(arguments: [
    ("sac", 11, 3, 561), ("td3", 11, 3, 403), ("ddpg", 11, 3, 350), ("sac", 17, 6, 577), ("td3", 17, 6, 414),
    ("ddpg", 17, 6, 359), ("sac", 105, 8, 709), ("td3", 105, 8, 514), ("ddpg", 105, 8, 442), ("sac", 348, 17, 1080),
    ("td3", 348, 17, 796), ("ddpg", 348, 17, 676),
  ])
  func `an update needs at least the counted operations`(algorithm: String, s: Int, a: Int, expected: Double) {
    let flops = Benchmark.minimumFLOPs(
      algorithm, batch: 256, observations: s, actions: a, hidden: [256, 256], policyDelay: 2)
    #expect(abs(flops / 1e6 - expected) <= 0.6)
  }

  @Test func `the pendulum's small networks too`() {
    for (algorithm, expected) in [("sac", 13.9), ("td3", 10.0), ("ddpg", 8.7)] {
      let flops = Benchmark.minimumFLOPs(
        algorithm, batch: 100, observations: 3, actions: 1, hidden: [64, 64], policyDelay: 2)
      #expect(abs(flops / 1e6 - expected) <= 0.06)
    }
  }

  // forward F = 2 B (S H + H² + A H) = 35.1; back through one action 2 B (S H + 2 H² + 2 H) = 68.4, through all 69.7:
  // DQN 2 F + 68.4, double one F more; discrete SAC 3 F, 2 (F + 68.4), 3 F + 69.7
  @Test(
    arguments: [("dqn", false, 138.7), ("dqn", true, 173.8), ("sac-discrete", false, 487.5)] as [(String, Bool, Double)]
  )
  func `an update of discrete actions needs at least the counted operations`(
    algorithm: String, doubleQ: Bool, expected: Double
  ) {
    let flops = Benchmark.minimumFLOPs(
      algorithm, batch: 256, observations: 8, actions: 4, hidden: [256, 256], policyDelay: 1, doubleQ: doubleQ)
    #expect(abs(flops / 1e6 - expected) <= 0.6)
  }

  @Test func `TD3's policy step is shared by the updates of its delay`() {
    func flops(_ delay: Int) -> Double {
      Benchmark.minimumFLOPs("td3", batch: 256, observations: 17, actions: 6, hidden: [256, 256], policyDelay: delay)
    }
    let step = flops(1) - flops(2)
    #expect(step > 0 && abs(flops(1) - flops(4) - 1.5 * step) < 1)
  }

  @Test(arguments: algorithmNames, [1, 2])
  func `a benchmark's numbers agree with each other`(algorithm: String, threads: Int) throws {
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting([
      "hiddenSizes=24,24", "batchSize=32",
    ])
    let result = try Benchmark.run(
      algorithm: algorithm, configuration: configuration, observationSize: 5, actionSize: 2, hiddenSizes: [24, 24],
      bufferCapacity: 2000,
      threads: threads, seconds: 0.05, warmUp: 10)
    // allocations are counted for the whole process, other tests among it: CommandTests expects none
    // no figure is asked for: the machine may be busy
    #expect(result.updates > 0 && result.updatesPerSecond > 0 && result.peakGFLOPS > 0)
    let fraction = result.flopsPerUpdate * result.updatesPerSecond / (result.peakGFLOPS * 1e9)
    #expect(abs(result.fractionOfPeak / fraction - 1) < 1e-6)
    #expect(result.medianMicroseconds <= result.p99Microseconds)
    // TD3's are means of two updates
    if algorithm != "td3" { #expect(result.p10Microseconds <= result.medianMicroseconds) }
    #expect(result.undisturbedFractionOfPeak > 0 && result.undisturbedFractionOfPeak < 1.5)
    #expect(result.actingMicroseconds > 0)
  }

  @Test(arguments: ["sac", "td3", "ddpg", "dqn", "sac-discrete"])
  func `killed units are dead in every network and stay so while the others learn`(name: String) throws {
    let configuration = try AlgorithmRegistry.entry(name).defaults.setting(["hiddenSizes=40", "batchSize=16"])
    let algorithm = configuration.makeAlgorithm(
      observationSize: 3, actionSize: 2, seed: 0, workers: WorkerPool(count: 1))
    let batch = Batch(
      count: 16, observationSize: 3, actionSize: configuration.actions.width(actionSize: 2))
    for row in 0..<16 { batch.rewards[row] = Float(row) }
    try Benchmark.kill(0.5, of: algorithm)
    let before = algorithm.parameters
    for _ in 0..<20 { _ = try algorithm.update(batch) }
    for (old, new) in zip(before, algorithm.parameters) where new.name.hasSuffix(".layer.0.bias") {
      // a unit that no gradient reaches is dead
      #expect(new.values.prefix(20).allSatisfy { $0 == -1e6 }, "\(new.name)")
      #expect(new.values.suffix(20) != old.values.suffix(20), "\(new.name)")
    }
  }
}
