import Environments
import Testing

@Suite struct MountainCarTests {
  @Test(arguments: [0, 42, 123] as [UInt64])
  func `a rollout gives Gymnasium's observations, rewards and flags`(seed: UInt64) throws {
    let environment = try EnvironmentRegistry.builtIn.make("MountainCar-v0")
    let difference = try firstDifference(of: environment, from: fixture("MountainCar-v0"), seed: seed)
    #expect(difference == nil)
  }

  static func task(position: Double, velocity: Double) throws -> Stepper {
    let task = Stepper(MountainCar())
    let state = EnvironmentState(values: [position, velocity], generator: NumPyGenerator(seed: 0))
    try task.environment.restore(state)
    return task
  }

  @Test func `the goal terminates, and the step that reaches it costs 1 too`() throws {
    #expect(try Self.task(position: 0.48, velocity: 0.05).step(2) == StepOutcome(reward: -1, terminated: true))
    #expect(try Self.task(position: 0.4, velocity: 0.05).step(2) == StepOutcome(reward: -1))
  }

  @Test func `the left wall stops the car dead`() throws {
    let task = try Self.task(position: -1.19, velocity: -0.07)
    #expect(try task.step(0) == StepOutcome(reward: -1))
    #expect(task.observation == [-1.2, 0])
  }

  @Test func `the clock ends an episode after 200 steps without a goal`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("MountainCar-v0"))
    try task.reset(seed: 5)
    for _ in 0..<199 { #expect(try task.step(1) == StepOutcome(reward: -1)) }
    #expect(try task.step(1) == StepOutcome(reward: -1, truncated: true))
  }

  @Test(arguments: [-1, 0.5, 3, .nan] as [Float])
  func `an action that is no choice is refused before the step`(action: Float) throws {
    let task = Stepper(MountainCar())
    try task.reset(seed: 1)
    let before = try task.environment.saveState()
    #expect(throws: SimulatorFault.self) { try task.step(action) }
    #expect(try task.environment.saveState() == before)
  }
}
