import Environments
import Testing

@Suite struct TimeLimitTests {
  @Test func `the last step allowed is truncated, and none before`() throws {
    let task = Stepper(TimeLimit(Pendulum(), maximumEpisodeSteps: 3))
    try task.reset(seed: 1)
    #expect(try (0..<3).map { _ in try task.step(0).truncated } == [false, false, true])
    try task.reset()
    #expect(try (0..<3).map { _ in try task.step(0).truncated } == [false, false, true])
  }

  @Test func `a step that terminates at the limit is both terminated and truncated`() throws {
    // pushed to the right from seed 42, the pole falls at step 10
    for (limit, truncated) in [(10, true), (11, false)] {
      let task = Stepper(TimeLimit(CartPole(), maximumEpisodeSteps: limit))
      try task.reset(seed: 42)
      for _ in 0..<9 { #expect(try !task.step(1).endsEpisode) }
      #expect(try task.step(1) == StepOutcome(reward: 1, terminated: true, truncated: truncated))
    }
  }

  @Test func `elapsed steps are part of the saved state`() throws {
    let task = Stepper(TimeLimit(Pendulum(), maximumEpisodeSteps: 5))
    try task.reset(seed: 1)
    for _ in 0..<3 { try task.step(0) }
    let other = TimeLimit(Pendulum(), maximumEpisodeSteps: 5)
    try other.restore(task.environment.saveState())
    #expect(other.elapsedSteps == 3)
    let goesOn = Stepper(other)
    #expect(try !goesOn.step(0).truncated)
    #expect(try goesOn.step(0).truncated)
  }

  @Test func `a state without a count of steps is refused`() {
    let generator = NumPyGenerator(seed: 0)
    for values in [[], [0, 0, -1], [0, 0, 0.5], [0, 0, .nan]] as [[Double]] {
      #expect(throws: MismatchedState.self) {
        try TimeLimit(Pendulum(), maximumEpisodeSteps: 5).restore(
          EnvironmentState(values: values, generator: generator))
      }
    }
  }
}
