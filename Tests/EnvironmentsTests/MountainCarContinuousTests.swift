import Environments
import Testing

@Suite struct MountainCarContinuousTests {
  @Test(arguments: [0, 42, 123] as [UInt64])
  func `a rollout gives Gymnasium's observations, rewards and flags`(seed: UInt64) throws {
    let environment = try EnvironmentRegistry.builtIn.make("MountainCarContinuous-v0")
    let difference = try firstDifference(of: environment, from: fixture("MountainCarContinuous-v0"), seed: seed)
    #expect(difference == nil)
  }

  static func task(position: Double, velocity: Double) throws -> Stepper {
    let task = Stepper(MountainCarContinuous())
    let state = EnvironmentState(values: [position, velocity, 0], generator: NumPyGenerator(seed: 0))
    try task.environment.restore(state)
    return task
  }

  @Test func `the goal terminates with 100 less the cost of the unclipped action`() throws {
    let task = try Self.task(position: 0.44, velocity: 0.05)
    let outcome = try task.step(3)
    #expect(outcome == StepOutcome(reward: 100 - 0.9, terminated: true))
  }

  @Test func `the left wall stops the car dead`() throws {
    let task = try Self.task(position: -1.19, velocity: -0.07)
    #expect(try task.step(-1) == StepOutcome(reward: -0.1))
    #expect(task.observation == [-1.2, 0])
  }
}
