import Environments
import Testing

@Suite struct EnvironmentTests {
  @Test func `an episode ends by the task, by the clock or by both`() {
    #expect(!StepOutcome(reward: 0).endsEpisode)
    #expect(StepOutcome(reward: 0, terminated: true).endsEpisode)
    #expect(StepOutcome(reward: 0, truncated: true).endsEpisode)
    #expect(StepOutcome(reward: 0, terminated: true, truncated: true).endsEpisode)
  }

  @Test func `a state of another task is refused with both sizes`() throws {
    let state = try CartPole().saveState()
    let error = #expect(throws: MismatchedState.self) { try Pendulum().restore(state) }
    #expect(error == MismatchedState(task: "Pendulum-v1", expected: 2, actual: 5))
    #expect(error?.description.hasPrefix("Pendulum-v1 saves 2 values, this state has 5") == true)
  }

  @Test(arguments: EnvironmentRegistry.builtIn.entries.map(\.id))
  func `a task saved in mid-episode goes on in another instance to the bit`(id: String) throws {
    let original = Stepper(try EnvironmentRegistry.builtIn.make(id))
    try original.reset(seed: 11)
    let width = original.environment.actionSpace.count
    for _ in 0..<5 { _ = try original.step(Array(repeating: 1, count: width)) }
    let copy = Stepper(try EnvironmentRegistry.builtIn.make(id))
    try copy.environment.restore(original.environment.saveState())
    for n in 0..<300 {
      let action = Array(repeating: Float(n % 2), count: width)
      let (a, b) = (try original.step(action), try copy.step(action))
      #expect(a == b)
      #expect(original.observation == copy.observation)
      if a.endsEpisode { #expect(try original.reset() == copy.reset()) }
    }
  }
}
