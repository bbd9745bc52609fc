import Algorithms
import Kernels
import Networks
import Platform
import Testing

@Suite struct ExplorationNoiseTests {
  /// A policy whose best guess is the same everywhere, so that what it does beside it is noise.
  private func explorer(_ noise: ExplorationNoise, bias: [Float] = [0, 0]) throws -> DDPG {
    var configuration = DDPG.Configuration()
    configuration.explorationNoise = noise
    (configuration.hiddenSizes, configuration.batchSize) = ([4], 4)
    let ddpg = DDPG(
      configuration: configuration, observationSize: 1, actionSize: 2, seed: 9, workers: WorkerPool(count: 1))
    try ddpg.setTensors("policy", ["policy.layer.1.bias": bias])
    return ddpg
  }

  /// Normal values as the acting stream gives them.
  private struct Normals {
    private var stream = RandomStream(seed: 9, purpose: "acting")

    mutating func next() -> [Double] {
      let block = Block(count: 2)
      stream.fillNormal(block)
      return block.values.map(Double.init)
    }
  }

  @Test func `Gaussian noise is σ ε, independent at each step`() throws {
    let ddpg = try explorer(.gaussian(standardDeviation: 0.1))
    var normals = Normals()
    for _ in 0..<50 {
      let action = ddpg.action([1], size: 2, explore: true)
      for (a, e) in zip(action, normals.next()) { #expect(abs(Double(a) - 0.1 * e) < 1e-7) }
    }
  }

  @Test func `Ornstein and Uhlenbeck's noise follows x ← x − θ x dt + σ √dt ε, from 0 in each episode`() throws {
    let (stiffness, deviation, timestep) = (1.5, 0.3, 0.04)
    let ddpg = try explorer(
      .ornsteinUhlenbeck(
        stiffness: Float(stiffness), standardDeviation: Float(deviation), timestep: Float(timestep)))
    var normals = Normals()
    for _ in 0..<3 {
      ddpg.beginEpisode(lane: 0)
      var x = [0.0, 0.0]
      for _ in 0..<40 {
        let action = ddpg.action([1], size: 2, explore: true)
        let noise = normals.next()
        for i in 0..<2 {
          x[i] += -stiffness * x[i] * timestep + deviation * timestep.squareRoot() * noise[i]
          #expect(abs(Double(action[i]) - min(1, max(-1, x[i]))) < 1e-6)
        }
      }
    }
  }

  @Test func `actions with noise stay in [−1, 1], and the clipping does not reach the correlated noise itself`() throws
  {
    let ddpg = try explorer(.ornsteinUhlenbeck(stiffness: 0.1, standardDeviation: 4, timestep: 1), bias: [3, -3])
    var normals = Normals()
    var x = [0.0, 0.0]
    var clipped = 0
    for _ in 0..<100 {
      let action = ddpg.action([1], size: 2, explore: true)
      let noise = normals.next()
      for i in 0..<2 {
        x[i] += -0.1 * x[i] + 4 * noise[i]
        let guess = i == 0 ? 0.995_054_75 : -0.995_054_75
        #expect(abs(Double(action[i]) - min(1, max(-1, guess + x[i]))) < 1e-5)
        if abs(action[i]) == 1 { clipped += 1 }
      }
    }
    #expect(clipped > 50)
  }

  @Test func `without exploration there is no noise and none is drawn`() throws {
    let ddpg = try explorer(.gaussian(standardDeviation: 0.1))
    var normals = Normals()
    #expect(ddpg.action([1], size: 2, explore: false) == [0, 0])
    let action = ddpg.action([1], size: 2, explore: true)
    #expect(abs(Double(action[0]) - 0.1 * normals.next()[0]) < 1e-7)
  }
}
