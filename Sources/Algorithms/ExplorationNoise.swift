// ExplorationNoise.swift — what a deterministic policy adds to its actions while it collects data.

import Kernels
import Networks

/// Noise in units of the normalised action, [−1, 1].
public enum ExplorationNoise: Codable, Sendable, Equatable {
  /// Independent at each step: σ ε.
  case gaussian(standardDeviation: Float)
  /// Correlated (Uhlenbeck & Ornstein 1930): x ← x − θ x dt + σ √dt ε, from 0 at each episode's start.
  case ornsteinUhlenbeck(stiffness: Float, standardDeviation: Float, timestep: Float)
}

/// A noise and where it stands.
public struct ExplorationNoiseProcess: ~Copyable {
  private let noise: ExplorationNoise
  private let normal: Block  // (A)
  public private(set) var stream: RandomStream
  /// x of the correlated noise; zero for the independent one.
  private(set) var values: [Float]  // (A)

  public init(_ noise: ExplorationNoise, actionSize: Int, stream: RandomStream) {
    self.noise = noise
    self.stream = stream
    normal = Block(count: actionSize)
    values = [Float](repeating: 0, count: actionSize)
  }

  public mutating func beginEpisode() {
    for i in values.indices { values[i] = 0 }
  }

  /// Adds the next noise and clips to [−1, 1].
  public mutating func add(to action: inout MutableSpan<Float>) {
    stream.fillNormal(normal)
    for i in values.indices {
      let sample: Float
      switch noise {
      case .gaussian(let standardDeviation):
        sample = standardDeviation * normal[i]
      case .ornsteinUhlenbeck(let stiffness, let standardDeviation, let timestep):
        values[i] += -stiffness * values[i] * timestep + standardDeviation * timestep.squareRoot() * normal[i]
        sample = values[i]
      }
      action[i] = (action[i] + sample).clipped(to: -1, 1)
    }
  }

  /// x, for checkpoints.
  public var tensor: Tensor { Tensor(name: "exploration_noise", shape: [values.count], values: values) }

  public mutating func restore(position: UInt64, from find: (String) throws -> Tensor) throws {
    stream.position = position
    let saved = try find("exploration_noise").values
    guard saved.count == values.count else { throw MissingState(name: "exploration_noise of \(values.count) values") }
    values = saved
  }
}

extension Float {
  /// Between two bounds. NaN stays NaN: `min` and `max` would make a bound of it, and a broken network would go unseen.
  public func clipped(to low: Float, _ high: Float) -> Float { self < low ? low : self > high ? high : self }
}
