// Robot.swift — what the MuJoCo environments share: all but their observations, rewards and ends.

import Environments

/// An environment with a robot in MuJoCo. Its file defines entry, observation, reward, end of the episode, first state.
///
/// A robot of your own needs a model (MJCF), an `init` that makes the `simulation`, `step`, `drawFirstState` and
/// `observe`; reset, saving and restoring are here. `Examples/CustomRobot` is a whole one.
public protocol Robot: Environment {
  /// The environment as registries and runs know it.
  static var entry: EnvironmentEntry { get }

  /// The robot's simulation.
  var simulation: Simulation { get }
  /// What every draw comes from; saved with the environment's state.
  var generator: NumPyGenerator { get set }
  /// Values that `observe` writes (S). Given: the entry's, which is right where no option changes it.
  var observationSize: Int { get }
  /// What the environment remembers from step to step, beyond the simulation's own state; as many numbers each time. Given:
  /// nothing.
  var memory: [Double] { get set }

  /// Draws the first state of an episode into the simulation's positions and velocities.
  func drawFirstState()
  /// Takes up what `memory` has to hold when an episode begins. Given: nothing.
  func beginEpisode()
  /// Writes the observation (S) of the state that the simulation is in.
  func observe(into observation: inout MutableSpan<Float>)
}

extension Robot {
  public var observationSize: Int { Self.entry.observationSize }
  public var observationSpace: Box { Box(low: -.infinity, high: .infinity, count: observationSize) }
  public var actionSpace: Space { simulation.actionSpace }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    try simulation.reset()
    drawFirstState()
    try simulation.start()
    beginEpisode()
    observe(into: &observation)
  }

  public var memory: [Double] {
    get { [] }
    set {}
  }

  public func beginEpisode() {}

  /// The simulation's state, then what the environment remembers.
  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: simulation.savedState + memory, generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    let count = simulation.stateCount
    try state.requireValues(count + memory.count, for: Self.entry.id)
    simulation.savedState = Array(state.values[..<count])
    memory = Array(state.values[count...])
    generator = state.generator
  }
}

// First states.
extension Robot {
  /// q = q₀ + U(−width, width)
  public func drawPositions(within width: Double) {
    for i in 0..<simulation.positions.count {
      simulation.positions[i] = simulation.initialPositions[i] + generator.uniform(-width, width)
    }
  }

  /// q̇ = U(−width, width)
  public func drawVelocities(within width: Double) {
    for i in 0..<simulation.velocities.count {
      simulation.velocities[i] = generator.uniform(-width, width)
    }
  }

  /// q̇ = σ N(0, 1)
  public func drawVelocities(deviation: Double) {
    for i in 0..<simulation.velocities.count {
      // Gymnasium adds this to the model's 0, which makes −0 of no noise 0
      simulation.velocities[i] = 0 + deviation * generator.standardNormal()
    }
  }
}

extension MutableSpan<Float> {
  /// Writes the numbers of `field` from place `first` to before place `end`, each clipped to `limits`, into the columns
  /// from `column` on, and moves `column` behind them.
  ///
  /// - Precondition: the field has these places, and the observation these columns.
  public mutating func write(
    _ field: Field, from first: Int = 0, to end: Int? = nil,
    within limits: ClosedRange<Double> = -Double.infinity...Double.infinity, at column: inout Int
  ) {
    for i in first..<(end ?? field.count) {
      // differs: Gymnasium gives 64 bits; these are its values rounded
      self[column] = Float(limits.clip(field[i]))
      column += 1
    }
  }
}

/// Σᵢ aᵢ², in single precision and in NumPy's order of summation, as Gymnasium's costs of control are.
public func squaredNorm(_ action: Span<Float>) -> Float {
  // fewer than 8 one after the other; else 8 sums side by side, then those in pairs, then what is left
  var sum: Float = 0
  var i = 0
  if action.count >= 8 {
    var sums = SIMD8<Float>()
    while i + 8 <= action.count {
      for lane in 0..<8 { sums[lane] += action[i + lane] * action[i + lane] }
      i += 8
    }
    let pairs = sums.evenHalf + sums.oddHalf
    let fours = pairs.evenHalf + pairs.oddHalf
    sum = fours[0] + fours[1]
  }
  while i < action.count {
    sum += action[i] * action[i]
    i += 1
  }
  return sum
}

/// Σᵢ xᵢ², each number first clipped to `limits`.
func squaredNorm(_ field: Field, within limits: ClosedRange<Double> = .all) -> Double {
  var sum = 0.0
  for i in 0..<field.count {
    let x = limits.clip(field[i])
    sum += x * x
  }
  return sum
}

/// ‖v‖
func length(_ vector: SIMD3<Double>) -> Double {
  (vector * vector).sum().squareRoot()
}
