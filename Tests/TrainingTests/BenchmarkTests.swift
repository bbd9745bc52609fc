import OffPolicy
import Testing

@testable import Training

@Suite struct BenchmarkTests {
  @Test(arguments: algorithmNames, [1, 2])
  func `a benchmark's numbers agree with each other`(algorithm: String, threads: Int) throws {
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting([
      "hiddenSizes=24,24", "batchSize=32",
    ])
    let result = try Benchmark.run(
      algorithm: algorithm, configuration: configuration, observationSize: 5, actionSize: 2, bufferCapacity: 2000,
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
    batch.setDiscounts(0.99)
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
