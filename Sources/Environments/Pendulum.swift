// Pendulum.swift — Pendulum-v1: swing a pendulum up and hold it, with a torque that is too weak to lift it.
// As Gymnasium 1.4.0 with numpy 2 computes it, down to which steps are taken in single precision.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A uniform rod on a hinge, driven by a torque; θ = 0 is upright.
///
/// Observation: cos θ, sin θ, θ̇ (rad/s). Action: torque (N m) in [−2, 2]. Never terminates.
public final class Pendulum: Environment {
  /// Gravity, `g`.
  static let defaultGravity = 10.0  // m/s²
  static let mass = 1.0  // kg
  static let length = 1.0  // m
  package static let timestep = 0.05  // s
  static let maximumTorque: Float = 2  // N m
  static let maximumSpeed = 8.0  // rad/s

  private let gravity: Double  // m/s²
  package private(set) var angle = Double.pi  // rad, not wrapped
  private var speed = 0.0  // rad/s
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: [-1, -1, -8], high: [1, 1, 8])
  public let actionSpace = Space.box(Box(low: -maximumTorque, high: maximumTorque, count: 1))

  /// The environment with its default options.
  public convenience init() { self.init(gravity: Self.defaultGravity) }

  init(gravity: Double) { self.gravity = gravity }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let torque = min(max(action[0], -Self.maximumTorque), Self.maximumTorque)

    // r = −(θ² + 0.1 θ̇² + 0.001 u²), of the state before the step, θ wrapped to [−π, π)
    let wrapped = Self.wrap(angle)
    // differs: squares are products; numpy calls powf for u², which is at times one unit in the last place off
    let cost = wrapped * wrapped + 0.1 * (speed * speed) + Double(0.001 * (torque * torque))

    // θ̈ = 3g/2l sin θ + 3/ml² u;  θ̇ and then θ advance by the new θ̇ (semi-implicit Euler)
    let weight = 3 * gravity / (2 * Self.length) * sin(angle)
    let drive = Double(Float(3 / (Self.mass * Self.length * Self.length)) * torque)
    let newSpeed = speed + (weight + drive) * Self.timestep
    speed = min(max(newSpeed, -Self.maximumSpeed), Self.maximumSpeed)
    angle += speed * Self.timestep

    observe(into: &observation)
    return StepOutcome(reward: -cost)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    // differs: these bounds are fixed
    angle = generator.uniform(-.pi, .pi)
    speed = generator.uniform(-1, 1)
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(cos(angle))
    observation[1] = Float(sin(angle))
    observation[2] = Float(speed)
  }

  /// An angle brought into [−π, π), with the remainder that Python takes.
  private static func wrap(_ angle: Double) -> Double {
    var turned = fmod(angle + .pi, 2 * .pi)
    if turned < 0 { turned += 2 * .pi }
    return turned - .pi
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [angle, speed], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2, for: "Pendulum-v1")
    angle = state.values[0]
    speed = state.values[1]
    generator = state.generator
  }

  static let entry = EnvironmentEntry(
    id: "Pendulum-v1", summary: "swing a pendulum up and hold it",
    options: [.number("g", defaultGravity, "gravity, m/s²")], observationSize: { _ in 3 },
    actionSpace: .box(Box(low: -maximumTorque, high: maximumTorque, count: 1)), maximumEpisodeSteps: 200,
    suggestedSteps: 20_000, suggestedRandomSteps: 1000
  ) { Pendulum(gravity: $0.number("g")) }
}
