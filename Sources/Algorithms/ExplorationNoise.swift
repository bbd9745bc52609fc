// ExplorationNoise.swift — the noise on a deterministic policy's actions while it collects data.

import Kernels
import Networks

/// Noise in units of the normalised action, [−1, 1].
public enum ExplorationNoise: Codable, Sendable, Equatable {
  /// Independent at each step: σ ε.
  case gaussian(standardDeviation: Float)
  /// Correlated (Uhlenbeck & Ornstein 1930): x ← x − θ x dt + σ √dt ε, from 0 at each episode's start.
  case ornsteinUhlenbeck(stiffness: Float, standardDeviation: Float, timestep: Float)
}

/// A noise process and its state.
public struct ExplorationNoiseProcess: ~Copyable {
  private let noise: ExplorationNoise
  private let (lanes, actionSize): (Int, Int)
  private let normal: Block  // (N × A)
  /// The stream that the noise is drawn from.
  public private(set) var stream: RandomStream
  /// x of the correlated noise of each lane; zero for the independent one.
  private(set) var values: [Float]  // (N × A)

  /// Noise for the actions of some lanes.
  public init(_ noise: ExplorationNoise, lanes: Int, actionSize: Int, stream: RandomStream) {
    self.noise = noise
    (self.lanes, self.actionSize) = (lanes, actionSize)
    self.stream = stream
    normal = Block(count: lanes * actionSize)
    values = [Float](repeating: 0, count: lanes * actionSize)
  }

  /// Sets a lane's correlated noise to 0.
  public mutating func beginEpisode(lane: Int) {
    for i in (lane * actionSize)..<((lane + 1) * actionSize) { values[i] = 0 }
  }

  /// Adds the next noise to every lane's action (N × A) and clips to [−1, 1].
  public mutating func add(to actions: borrowing Matrix) {
    stream.fillNormal(normal)
    var i = 0
    for lane in 0..<lanes {
      for column in 0..<actionSize {
        let sample: Float
        switch noise {
        case .gaussian(let standardDeviation):
          sample = standardDeviation * normal[i]
        case .ornsteinUhlenbeck(let stiffness, let standardDeviation, let timestep):
          values[i] += -stiffness * values[i] * timestep + standardDeviation * timestep.squareRoot() * normal[i]
          sample = values[i]
        }
        actions[lane, column] = (actions[lane, column] + sample).clipped(to: -1, 1)
        i += 1
      }
    }
  }

  /// Codes x as the tensor `exploration_noise`, and the position of the stream.
  public mutating func codeProgress(_ coder: inout StateCoder) throws {
    let name = "exploration_noise"
    let tensor = Tensor(name: name, shape: lanes == 1 ? [actionSize] : [lanes, actionSize], values: values)
    try coder.code([tensor]) { find in
      let saved = try find(name).values
      guard saved.count == values.count else { throw MissingState(name: "\(name) of \(values.count) values") }
      values = saved
    }
    try coder.code("acting_stream", &stream)
  }
}

extension Float {
  /// The value clipped to two bounds. NaN stays NaN; `min` and `max` would turn it into a bound and hide the error.
  public func clipped(to low: Float, _ high: Float) -> Float { self < low ? low : self > high ? high : self }
}
