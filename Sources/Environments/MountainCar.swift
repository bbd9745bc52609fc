// MountainCar.swift — MountainCar-v0: rock a weak car out of a valley with full throttle, reverse, or none.
// Moore 1990, "Efficient memory-based learning for robot control". As Gymnasium 1.4.0.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A car on the curve sin 3x; the choice is to push left (0), not at all (1) or right (2), too weakly to climb directly.
///
/// Observation: position x, velocity v. Each step costs 1. Terminates at the goal, x ≥ 0.5.
public final class MountainCar: Environment {
  static let force = 0.001
  static let gravity = 0.0025
  package static let positions = -1.2...0.6
  static let maximumSpeed = 0.07
  package static let goal = 0.5

  private let goalVelocity: Double
  package private(set) var position = -0.5
  private var velocity = 0.0
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: [-1.2, -0.07], high: [0.6, 0.07])
  public let actionSpace = Space.discrete(Discrete(3))

  /// The environment with its default options.
  public convenience init() { self.init(goalVelocity: 0) }

  init(goalVelocity: Double) { self.goalVelocity = goalVelocity }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    guard action[0] == 0 || action[0] == 1 || action[0] == 2 else {
      throw SimulatorFault("MountainCar-v0 takes action 0 (left), 1 (none) or 2 (right), got \(action[0])")
    }
    // v ← v + 0.001 (a − 1) − 0.0025 cos 3x
    velocity += Double(action[0] - 1) * Self.force + cos(3 * position) * -Self.gravity
    velocity = min(max(velocity, -Self.maximumSpeed), Self.maximumSpeed)

    // x ← x + v, stopped dead by the left wall
    position = min(max(position + velocity, Self.positions.lowerBound), Self.positions.upperBound)
    if position == Self.positions.lowerBound && velocity < 0 { velocity = 0 }

    observe(into: &observation)
    // r = −1, also on the step that reaches the goal
    return StepOutcome(reward: -1, terminated: position >= Self.goal && velocity >= goalVelocity)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    // differs: these bounds are fixed
    position = generator.uniform(-0.6, -0.4)
    velocity = 0
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    observation[1] = Float(velocity)
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [position, velocity], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2, for: "MountainCar-v0")
    (position, velocity) = (state.values[0], state.values[1])
    generator = state.generator
  }

  static let entry = EnvironmentEntry(
    id: "MountainCar-v0", summary: "rock a weak car out of a valley, by full throttle or none",
    options: [.number("goal_velocity", 0, "velocity to have at the goal, at least")], observationSize: { _ in 2 },
    actionSpace: .discrete(Discrete(3)), maximumEpisodeSteps: 200, rewardThreshold: -110, suggestedSteps: 120_000
  ) { MountainCar(goalVelocity: $0.number("goal_velocity")) }
}
