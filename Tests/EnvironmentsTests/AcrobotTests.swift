import Environments
import Testing

@Suite struct AcrobotTests {
  @Test(arguments: [0, 42, 123] as [UInt64])
  func `a rollout gives Gymnasium's observations, rewards and flags`(seed: UInt64) throws {
    let environment = try EnvironmentRegistry.builtIn.make("Acrobot-v1")
    // numpy's single-precision cosine and its power function are at times one unit off
    let difference = try firstDifference(of: environment, from: fixture("Acrobot-v1"), seed: seed, tolerance: 1e-6)
    #expect(difference == nil)
  }

  /// The kinetic and potential energy of two rods that hang from a joint.
  static func energy(_ s: [Double]) -> Double {
    let (spin1, spin2) = (s[2], s[3])
    // the centres' velocities squared: l_c² θ̇₁², and l² θ̇₁² + l_c² (θ̇₁ + θ̇₂)² + 2 l l_c θ̇₁ (θ̇₁ + θ̇₂) cos θ₂
    let both = spin1 + spin2
    let first = 0.25 * spin1 * spin1
    let second = spin1 * spin1 + 0.25 * both * both + spin1 * both * cosine(s[1])
    let kinetic = 0.5 * (first + second) + 0.5 * (spin1 * spin1 + both * both)
    let heights = -0.5 * cosine(s[0]) + (-cosine(s[0]) - 0.5 * cosine(s[0] + s[1]))
    return kinetic + 9.8 * heights
  }

  private static func cosine(_ x: Double) -> Double {
    // by its series: independent of the task's libm
    var (term, sum) = (1.0, 1.0)
    for k in 1..<30 {
      term *= -x * x / Double((2 * k - 1) * (2 * k))
      sum += term
    }
    return sum
  }

  @Test func `without torque a swinging arm keeps its energy`() throws {
    let task = Stepper(Acrobot())
    try task.environment.restore(
      EnvironmentState(values: [0.8, -0.4, 0.1, 0.2], generator: NumPyGenerator(seed: 0)))
    let start = Self.energy(try task.environment.saveState().values)
    for _ in 0..<50 { try task.step(1) }
    let end = try task.environment.saveState().values
    #expect(abs(end[0] - 0.8) > 0.01)
    #expect(abs(Self.energy(end) / start - 1) < 0.01)
  }

  @Test func `the tip above the line terminates, and that step costs nothing`() throws {
    let task = Stepper(Acrobot())
    try task.environment.restore(
      EnvironmentState(values: [.pi, 0, 0, 0], generator: NumPyGenerator(seed: 0)))
    #expect(try task.step(1) == StepOutcome(reward: 0, terminated: true))
    try task.reset(seed: 1)
    #expect(try task.step(1) == StepOutcome(reward: -1))
  }

  @Test func `angles are wrapped and spins are bounded`() throws {
    let task = Stepper(Acrobot())
    let (limit1, limit2) = (Float(4 * Double.pi), Float(9 * Double.pi))
    try task.environment.restore(
      EnvironmentState(values: [3.1, -3.1, 12.5, -28.2], generator: NumPyGenerator(seed: 0)))
    for _ in 0..<20 {
      try task.step(2)
      let state = try task.environment.saveState().values
      #expect(abs(state[0]) <= .pi && abs(state[1]) <= .pi)
      #expect(abs(task.observation[4]) <= limit1 && abs(task.observation[5]) <= limit2)
    }
  }

  @Test(arguments: [-1, 0.5, 3, .nan] as [Float])
  func `an action that is no choice is refused before the step`(action: Float) throws {
    let task = Stepper(Acrobot())
    try task.reset(seed: 1)
    let before = try task.environment.saveState()
    #expect(throws: SimulatorFault.self) { try task.step(action) }
    #expect(try task.environment.saveState() == before)
  }
}
