// CartPole.swift — CartPole-v1: keep a pole upright on a cart by pushing left or right.
// Barto, Sutton and Anderson 1983, doi:10.1109/TSMC.1983.6313077; equations of Florian 2007, "Correct equations for the
// dynamics of the cart-pole system", without friction. As Gymnasium 1.4.0.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A pole on a cart on a rail; the only choice is to push left (0) or right (1).
///
/// Observation: x (m), ẋ (m/s), θ (rad), θ̇ (rad/s). Terminates when |x| > 2.4 m or |θ| > 12°.
public final class CartPole: Environment {
  static let gravity = 9.8  // m/s²
  static let poleMass = 0.1  // kg
  static let totalMass = 0.1 + 1.0  // kg, pole and cart
  package static let halfLength = 0.5  // m
  static let poleMoment = poleMass * halfLength  // kg m
  static let force = 10.0  // N
  package static let timestep = 0.02  // s
  package static let positionLimit = 2.4  // m
  static let angleLimit = 12 * 2 * Double.pi / 360  // rad

  /// Rewards 0 and then −1, as Sutton and Barto have them, instead of 1.
  private let rewardsFallAlone: Bool
  package private(set) var position = 0.0  // x, m
  private var velocity = 0.0  // ẋ, m/s
  package private(set) var angle = 0.0  // θ, rad
  private var spin = 0.0  // θ̇, rad/s
  private var hasFallen = false
  private var generator = NumPyGenerator(seed: 0)

  // twice the limits, so that the last observation of an episode is within
  public let observationSpace = Box(
    low: [Float(-2 * positionLimit), -.infinity, Float(-2 * angleLimit), -.infinity],
    high: [Float(2 * positionLimit), .infinity, Float(2 * angleLimit), .infinity])
  public let actionSpace = Space.discrete(Discrete(2))

  /// The environment with its default options.
  public convenience init() { self.init(rewardsFallAlone: false) }

  init(rewardsFallAlone: Bool) { self.rewardsFallAlone = rewardsFallAlone }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    guard action[0] == 0 || action[0] == 1 else {
      throw SimulatorFault("CartPole-v1 takes action 0 (left) or 1 (right), got \(action[0])")
    }
    let push = action[0] == 1 ? Self.force : -Self.force
    let (cosine, sine) = (cos(angle), sin(angle))

    // q = (F + m l θ̇² sin θ) / M
    // θ̈ = (g sin θ − q cos θ) / (l (4/3 − m cos² θ / M))
    // ẍ = q − m l θ̈ cos θ / M
    let shared = (push + Self.poleMoment * (spin * spin) * sine) / Self.totalMass
    let leverage = Self.halfLength * (4.0 / 3.0 - Self.poleMass * (cosine * cosine) / Self.totalMass)
    let spinRate = (Self.gravity * sine - cosine * shared) / leverage
    let acceleration = shared - Self.poleMoment * spinRate * cosine / Self.totalMass

    // explicit Euler: positions advance by the old velocities
    position += Self.timestep * velocity
    velocity += Self.timestep * acceleration
    angle += Self.timestep * spin
    spin += Self.timestep * spinRate

    let terminated = abs(position) > Self.positionLimit || abs(angle) > Self.angleLimit
    // differs: other integrators and first states are not offered
    // r = 1, also on the step that lets the pole fall, and 0 from there on; or 0 and, once it has fallen, −1
    let reward = rewardsFallAlone ? (terminated ? -1.0 : 0.0) : terminated && hasFallen ? 0.0 : 1.0
    hasFallen = hasFallen || terminated

    observe(into: &observation)
    return StepOutcome(reward: reward, terminated: terminated)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    position = generator.uniform(-0.05, 0.05)
    velocity = generator.uniform(-0.05, 0.05)
    angle = generator.uniform(-0.05, 0.05)
    spin = generator.uniform(-0.05, 0.05)
    hasFallen = false
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    observation[1] = Float(velocity)
    observation[2] = Float(angle)
    observation[3] = Float(spin)
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [position, velocity, angle, spin, hasFallen ? 1 : 0], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(5, for: "CartPole-v1")
    position = state.values[0]
    velocity = state.values[1]
    angle = state.values[2]
    spin = state.values[3]
    hasFallen = state.values[4] == 1
    generator = state.generator
  }

  static let entry = EnvironmentEntry(
    id: "CartPole-v1", summary: "keep a pole upright on a cart by pushing left or right",
    options: [.flag("sutton_barto_reward", false, "reward 0, and −1 when the pole falls")], observationSize: { _ in 4 },
    actionSpace: .discrete(Discrete(2)), maximumEpisodeSteps: 500, rewardThreshold: 475,
    suggestedSteps: 50_000
  ) { CartPole(rewardsFallAlone: $0.flag("sutton_barto_reward")) }
}
