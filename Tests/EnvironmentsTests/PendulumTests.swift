import Environments
import Foundation
import Testing

@Suite struct PendulumTests {
  @Test(arguments: [0, 42, 123] as [UInt64])
  func `a rollout gives Gymnasium's observations, rewards and flags`(seed: UInt64) throws {
    let environment = try EnvironmentRegistry.builtIn.make("Pendulum-v1")
    let difference = try firstDifference(of: environment, from: fixture("Pendulum-v1"), seed: seed)
    #expect(difference == nil)
  }

  @Test func `the reward is of the state before the step, with the angle wrapped and the torque clipped`() throws {
    // three turns and a bit past upright
    let (angle, speed) = (6 * Double.pi + 0.5, 2.0)
    let task = Stepper(Pendulum())
    try task.environment.restore(EnvironmentState(values: [angle, speed], generator: NumPyGenerator(seed: 0)))
    let reward = try task.step(-7).reward
    #expect(abs(reward + (0.25 + 0.1 * 4 + 0.001 * 4)) < 1e-8)
  }

  @Test func `without torque and near the bottom it swings as a rod does`() throws {
    // small swings about θ = π:  ω² = 3g / 2l = 15;  semi-implicit Euler turns by acos(1 − ω² Δt² / 2) each step
    let turn = acos(1 - 15 * 0.05 * 0.05 / 2)
    let task = Stepper(Pendulum())
    try task.environment.restore(EnvironmentState(values: [.pi + 0.01, 0], generator: NumPyGenerator(seed: 0)))
    try task.step(0)
    var crossings: [Int] = []
    var side = task.observation[1]
    for n in 0..<400 {
      try task.step(0)
      if (side < 0) != (task.observation[1] < 0) { crossings.append(n) }
      side = task.observation[1]
    }
    let halfPeriod = Double(crossings.last! - crossings.first!) / Double(crossings.count - 1)
    #expect(crossings.count > 20)
    #expect(abs(halfPeriod - .pi / turn) < 1 / Double(crossings.count - 1))
  }
}
