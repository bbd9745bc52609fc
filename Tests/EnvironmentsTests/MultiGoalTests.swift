import Environments
import Testing

@Suite struct MultiGoalTests {
  static func task(at x: Double, _ y: Double) throws -> Stepper {
    let task = Stepper(MultiGoal())
    try task.environment.restore(EnvironmentState(values: [x, y], generator: NumPyGenerator(seed: 0)))
    return task
  }

  @Test func `a step moves by the action and costs 30 ‖a‖² and the squared distance to the nearest goal`() throws {
    let task = try Self.task(at: 1, 0.5)
    // (1.5, 0.25): 12.25 + 0.0625 from (5, 0), further from the others
    #expect(try task.step(0.5, -0.25) == StepOutcome(reward: -30 * (0.25 + 0.0625) - 12.3125))
    #expect(task.observation == [1.5, 0.25])
    // (1, 1.25): now (0, 5) is nearest
    #expect(try task.step(-0.5, 1) == StepOutcome(reward: -30 * 1.25 - (1 + 3.75 * 3.75)))
    #expect(task.observation == [1, 1.25])
  }

  @Test func `an action is clipped before it moves and before it costs`() throws {
    let task = try Self.task(at: 0, 0)
    #expect(try task.step(-3, 0) == StepOutcome(reward: -30 - 16))
    #expect(task.observation == [-1, 0])
    #expect(try task.step(0.5, 2) == StepOutcome(reward: -30 * 1.25 - (0.25 + 16)))
    #expect(task.observation == [-0.5, 1])
  }

  @Test func `the walls hold the point, and the action costs all the same`() throws {
    let task = try Self.task(at: 6.5, -6.75)
    // (7, −7) is √53 from (5, 0)
    #expect(try task.step(1, -1) == StepOutcome(reward: -60 - 53))
    #expect(task.observation == [7, -7])
  }

  @Test(arguments: [(1, 0), (-1, 0), (0, 1), (0, -1)] as [(Float, Float)])
  func `each goal ends the episode with 10 more, strictly within 1 of it`(direction: (Float, Float)) throws {
    let (x, y) = direction
    let task = try Self.task(at: 3.5 * Double(x), 3.5 * Double(y))
    // a distance of 1 is not close enough, 0.75 is
    #expect(try task.step(0.5 * x, 0.5 * y) == StepOutcome(reward: -7.5 - 1))
    #expect(try task.step(0.25 * x, 0.25 * y) == StepOutcome(reward: 10 - 30 * 0.0625 - 0.5625, terminated: true))
  }

  @Test func `the four goals are equally good, and so are a walk and its mirror images`() throws {
    for (x, y) in [(1, 0), (-1, 0), (0, 1), (0, -1)] as [(Float, Float)] {
      let task = try Self.task(at: 0, 0)
      var total = 0.0
      for _ in 0..<4 { total += try task.step(x, y).reward }
      // four steps to a distance of 1: 4 · 30 + 16 + 9 + 4 + 1
      #expect(total == -150)
      let last = try task.step(x, y)
      #expect(last == StepOutcome(reward: 10 - 30, terminated: true))
    }
  }

  @Test func `the first position is a tenth of numpy's normal draws, x before y`() throws {
    // numpy 2.4.6: default_rng(42).standard_normal(4)
    let draws = [0.30471707975443135, -1.0399841062404955, 0.7504511958064572, 0.9405647163912139]
    let task = Stepper(MultiGoal())
    #expect(try task.reset(seed: 42) == [Float(0.1 * draws[0]), Float(0.1 * draws[1])])
    // an unseeded reset goes on with the same generator
    #expect(try task.reset() == [Float(0.1 * draws[2]), Float(0.1 * draws[3])])
  }

  @Test func `thirty steps are an episode, and reaching a goal on the last of them is an end`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("MultiGoal-v0"))
    try task.reset(seed: 0)
    for _ in 0..<29 { #expect(try !task.step(0, 0).endsEpisode) }
    let saved = try task.environment.saveState()
    let last = try task.step(0, 0)
    #expect(last.truncated && !last.terminated)

    // the same clock, the point beside a goal; the limit's own count is the last value
    var beside = saved
    (beside.values[0], beside.values[1]) = (4, 0)
    try task.environment.restore(beside)
    let reached = try task.step(1, 0)
    #expect(reached.terminated && reached.truncated && reached.reward == 10 - 30)
  }

  @Test func `a state saved between two steps goes on to the same place, and to the same next start`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("MultiGoal-v0"))
    try task.reset(seed: 5)
    try task.step(0.3, 0.1)
    let copy = Stepper(try EnvironmentRegistry.builtIn.make("MultiGoal-v0"))
    try copy.environment.restore(task.environment.saveState())
    #expect(try task.step(0.1, -0.7) == copy.step(0.1, -0.7))
    #expect(task.observation == copy.observation)
    #expect(try task.reset() == copy.reset())
  }

  @Test func `one seed gives one episode, two seeds give two`() throws {
    func walk(seed: UInt64) throws -> [Float] {
      let task = Stepper(MultiGoal())
      try task.reset(seed: seed)
      for _ in 0..<10 { try task.step(0.25, -0.125) }
      return task.observation
    }
    #expect(try walk(seed: 7) == walk(seed: 7))
    #expect(try walk(seed: 7) != walk(seed: 8))
  }

  @Test func `the state of another task is refused`() throws {
    let state = try CartPole().saveState()
    let error = #expect(throws: MismatchedState.self) { try MultiGoal().restore(state) }
    #expect(error == MismatchedState(task: "MultiGoal-v0", expected: 2, actual: 5))
  }
}
