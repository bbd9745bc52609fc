import Environments
import Testing

@Suite struct CartPoleTests {
  @Test(arguments: [0, 42, 123] as [UInt64])
  func `a rollout gives Gymnasium's observations, rewards and flags`(seed: UInt64) throws {
    let environment = try EnvironmentRegistry.builtIn.make("CartPole-v1")
    let difference = try firstDifference(of: environment, from: fixture("CartPole-v1"), seed: seed)
    #expect(difference == nil)
  }

  @Test func `a balanced pole earns 500 and is truncated, not terminated`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("CartPole-v1"))
    try task.reset(seed: 3)
    var (total, last) = (0.0, StepOutcome(reward: 0))
    repeat {
      let state = task.observation
      last = try task.step(state[2] + 0.5 * state[3] + 0.05 * state[0] + 0.1 * state[1] > 0 ? 1 : 0)
      total += last.reward
    } while !last.endsEpisode
    #expect(last == StepOutcome(reward: 1, terminated: false, truncated: true))
    #expect(total == 500)
  }

  @Test func `the step that lets the pole fall is rewarded, later ones are not`() throws {
    let task = Stepper(CartPole())
    try task.reset(seed: 42)
    var outcome = try task.step(1)
    while !outcome.terminated { outcome = try task.step(1) }
    #expect(outcome.reward == 1)
    let restored = Stepper(CartPole())
    try restored.environment.restore(task.environment.saveState())
    #expect(try restored.step(1) == StepOutcome(reward: 0, terminated: true))
    #expect(try task.step(1) == StepOutcome(reward: 0, terminated: true))
  }

  @Test(arguments: [-1, 0.5, 2, .nan] as [Float])
  func `an action that is no choice is refused before the step`(action: Float) throws {
    let task = Stepper(CartPole())
    try task.reset(seed: 1)
    let before = try task.environment.saveState()
    #expect(throws: SimulatorFault.self) { try task.step(action) }
    #expect(try task.environment.saveState() == before)
  }
}
