// MountainCarContinuous.swift — MountainCarContinuous-v0: rock a weak car out of a valley.
// Moore 1990, "Efficient memory-based learning for robot control". As Gymnasium 1.4.0 with numpy 2 computes it, down to
// which steps are taken in single precision.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A car on the curve sin 3x, pushed by a force that is too weak to climb directly.
///
/// Observation: position x, velocity v. Action: force in [−1, 1]. Terminates at the goal, x ≥ 0.45.
public final class MountainCarContinuous: Environment {
  static let power = 0.0015
  static let gravity = 0.0025
  package static let positions = -1.2...0.6
  static let maximumSpeed = 0.07
  package static let goal = 0.45

  private let goalVelocity: Double
  package private(set) var position = -0.5
  private var velocity = 0.0
  /// Gymnasium's state is in double precision from a reset to the first step, and in single precision from there on.
  private var isFresh = true
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: [-1.2, -0.07], high: [0.6, 0.07])
  public let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))

  /// The environment with its default options.
  public convenience init() { self.init(goalVelocity: 0) }

  init(goalVelocity: Double) { self.goalVelocity = goalVelocity }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let next =
      isFresh
      ? Self.advance(position, velocity, action[0], goalVelocity)
      : Self.advance(Float(position), Float(velocity), action[0], Float(goalVelocity))
    position = next.position
    velocity = next.velocity
    isFresh = false

    observe(into: &observation)
    // r = 100 at the goal − 0.1 a², of the action as it came
    let cost = Double(action[0]) * Double(action[0]) * 0.1
    return StepOutcome(reward: (next.isAtGoal ? 100 : 0) - cost, terminated: next.isAtGoal)
  }

  /// One step in the precision that the state has, rounded to single precision.
  private static func advance<Real: BinaryFloatingPoint>(
    _ position: Real, _ velocity: Real, _ action: Float, _ goalVelocity: Real
  ) -> (position: Double, velocity: Double, isAtGoal: Bool) {
    // v ← v + 0.0015 clip(a) − 0.0025 cos 3x;  within its bounds the force is single, at a bound it is double
    let slope = gravity * cos(Double(3 * position))
    let push =
      if action < -1 || action > 1 {
        Real((action < 0 ? -1 : 1) * power - slope)
      } else {
        Real(action * Float(power) - Float(slope))
      }
    var newVelocity = min(max(velocity + push, Real(-maximumSpeed)), Real(maximumSpeed))

    // x ← x + v, stopped dead by the left wall
    let newPosition = min(max(position + newVelocity, Real(positions.lowerBound)), Real(positions.upperBound))
    if newPosition == Real(positions.lowerBound) && newVelocity < 0 { newVelocity = 0 }

    let isAtGoal = newPosition >= Real(goal) && newVelocity >= goalVelocity
    return (Double(Float(newPosition)), Double(Float(newVelocity)), isAtGoal)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    // differs: these bounds are fixed
    position = generator.uniform(-0.6, -0.4)
    velocity = 0
    isFresh = true
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    observation[1] = Float(velocity)
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [position, velocity, isFresh ? 1 : 0], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(3, for: "MountainCarContinuous-v0")
    position = state.values[0]
    velocity = state.values[1]
    isFresh = state.values[2] == 1
    generator = state.generator
  }

  static let entry = EnvironmentEntry(
    id: "MountainCarContinuous-v0", summary: "rock a weak car out of a valley",
    options: [.number("goal_velocity", 0, "velocity to have at the goal, at least")], observationSize: { _ in 2 },
    actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 999, rewardThreshold: 90,
    suggestedSteps: 50_000
  ) { MountainCarContinuous(goalVelocity: $0.number("goal_velocity")) }
}
