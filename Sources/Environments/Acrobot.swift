// Acrobot.swift — Acrobot-v1: swing the tip of a two-link arm above a line, by torque on the joint between the links.
// Sutton 1996, "Generalization in reinforcement learning: successful examples using sparse coarse coding", with the
// equations of the book (Sutton and Barto 2018, section 11.3 of its first edition). As Gymnasium 1.4.0.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Two links hang from a fixed joint; the choice is a torque of −1 (0), 0 (1) or 1 N m (2) on the joint between them.
///
/// Observation: cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂ (rad/s), θ₁ = 0 hanging, θ₂ relative to the first link. Each
/// step costs 1. Terminates when the tip is a link's length above the fixed joint: −cos θ₁ − cos(θ₁ + θ₂) > 1.
public final class Acrobot: Environment {
  // both links: length 1 m, mass 1 kg, moment of inertia 1 kg m²
  package static let length = 1.0  // l, m
  static let mass = 1.0  // m, kg
  static let centre = 0.5  // l_c, m
  static let inertia = 1.0  // I, kg m²
  static let gravity = 9.8  // m/s²
  package static let timestep = 0.2  // s
  static let maximumSpin = (4 * Double.pi, 9 * Double.pi)  // rad/s

  /// θ₁, θ₂, θ̇₁, θ̇₂.
  package private(set) var state = SIMD4<Double>.zero
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(
    low: [-1, -1, -1, -1, Float(-4 * Double.pi), Float(-9 * Double.pi)],
    high: [1, 1, 1, 1, Float(4 * Double.pi), Float(9 * Double.pi)])
  public let actionSpace = Space.discrete(Discrete(3))

  /// The environment, before its first reset.
  public init() {}

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    guard action[0] == 0 || action[0] == 1 || action[0] == 2 else {
      throw SimulatorFault("Acrobot-v1 takes action 0, 1 or 2 (torque −1, 0 or 1), got \(action[0])")
    }
    let torque = Double(action[0] - 1)

    // one step of Runge and Kutta's fourth order
    let half = Self.timestep / 2
    let k1 = Self.derivative(state, torque)
    let k2 = Self.derivative(state + half * k1, torque)
    let k3 = Self.derivative(state + half * k2, torque)
    let k4 = Self.derivative(state + Self.timestep * k3, torque)
    state += Self.timestep / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    state[0] = Self.wrap(state[0])
    state[1] = Self.wrap(state[1])
    state[2] = min(max(state[2], -Self.maximumSpin.0), Self.maximumSpin.0)
    state[3] = min(max(state[3], -Self.maximumSpin.1), Self.maximumSpin.1)

    observe(into: &observation)
    let terminated = -cos(state[0]) - cos(state[1] + state[0]) > 1
    return StepOutcome(reward: terminated ? 0 : -1, terminated: terminated)
  }

  // differs: the equations of the book, without torque noise; those of the 1996 paper are not offered
  /// d(θ₁, θ₂, θ̇₁, θ̇₂)/dt, in the order of operations of the original.
  private static func derivative(_ s: SIMD4<Double>, _ torque: Double) -> SIMD4<Double> {
    let (angle1, angle2, spin1, spin2) = (s[0], s[1], s[2], s[3])
    // differs: squares are products; numpy takes the power function, at times one unit in the last place off
    let (m, l, c, g) = (mass, length, centre, gravity)
    // d₁ = m l_c² + m (l² + l_c² + 2 l l_c cos θ₂) + 2 I,   d₂ = m (l_c² + l l_c cos θ₂) + I
    let d1 = m * (c * c) + m * (l * l + c * c + 2 * l * c * cos(angle2)) + inertia + inertia
    let d2 = m * (c * c + l * c * cos(angle2)) + inertia
    // φ₂ = m l_c g cos(θ₁ + θ₂ − π/2)
    let phi2 = m * c * g * cos(angle1 + angle2 - Double.pi / 2)
    // φ₁ = −m l l_c θ̇₂² sin θ₂ − 2 m l l_c θ̇₁ θ̇₂ sin θ₂ + (m l_c + m l) g cos(θ₁ − π/2) + φ₂
    let turning = -m * l * c * (spin2 * spin2) * sin(angle2) - 2 * m * l * c * spin2 * spin1 * sin(angle2)
    let phi1 = turning + (m * c + m * l) * g * cos(angle1 - Double.pi / 2) + phi2
    // θ̈₂ = (τ + d₂/d₁ φ₁ − m l l_c θ̇₁² sin θ₂ − φ₂) / (m l_c² + I − d₂²/d₁),   θ̈₁ = −(d₂ θ̈₂ + φ₁) / d₁
    let push = torque + d2 / d1 * phi1 - m * l * c * (spin1 * spin1) * sin(angle2) - phi2
    let rate2 = push / (m * (c * c) + inertia - d2 * d2 / d1)
    let rate1 = -(d2 * rate2 + phi1) / d1
    return SIMD4(spin1, spin2, rate1, rate2)
  }

  /// An angle within [−π, π].
  private static func wrap(_ angle: Double) -> Double {
    var angle = angle
    while angle > Double.pi { angle -= 2 * Double.pi }
    while angle < -Double.pi { angle += 2 * Double.pi }
    return angle
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    // rounded to single precision, as the original keeps its first state
    for i in 0..<4 { state[i] = Double(Float(generator.uniform(-0.1, 0.1))) }
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    // differs: the first observation too is rounded from double precision; numpy's is at times one unit off
    observation[0] = Float(cos(state[0]))
    observation[1] = Float(sin(state[0]))
    observation[2] = Float(cos(state[1]))
    observation[3] = Float(sin(state[1]))
    observation[4] = Float(state[2])
    observation[5] = Float(state[3])
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [state[0], state[1], state[2], state[3]], generator: generator)
  }

  public func restore(_ saved: EnvironmentState) throws {
    try saved.requireValues(4, for: "Acrobot-v1")
    for i in 0..<4 { state[i] = saved.values[i] }
    generator = saved.generator
  }

  static let entry = EnvironmentEntry(
    id: "Acrobot-v1", summary: "swing a two-link arm's tip up, by torque on its middle joint", observationSize: 6,
    actionSpace: .discrete(Discrete(3)), maximumEpisodeSteps: 500, rewardThreshold: -100, suggestedSteps: 100_000
  ) { Acrobot() }
}
