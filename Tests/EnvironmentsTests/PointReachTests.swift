import Environments
import Testing

@Suite struct PointReachTests {
  static func task(
    at position: [Double], goal: [Double], endsAtGoal: Bool = false
  ) throws -> Stepper {
    let task = Stepper(PointReach(endsAtGoal: endsAtGoal))
    try task.environment.restore(EnvironmentState(values: position + goal, generator: NumPyGenerator(seed: 0)))
    return task
  }

  @Test func `a step moves by 0.04 m for an action of 1, clipped, and the walls hold the point`() throws {
    let task = try Self.task(at: [0, 0.5, -0.99, 0.98], goal: [1, 1, 1, 1])
    #expect(try task.step(1, -0.5, -1, 7) == StepOutcome(reward: -1))
    let position: [Float] = [0.04, 0.48, -1, 1]
    #expect(zip(task.observation, position + position + [1, 1, 1, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func `within 0.05 m of the goal the reward is 0, and nothing ends`() throws {
    let task = try Self.task(at: [0, 0, 0, 0], goal: [0.1, 0, 0.03, 0])
    // √(0.06² + 0.03²) = 0.067, then √(0.02² + 0.03²) = 0.036, then away again
    #expect(try task.step(1, 0, 0, 0) == StepOutcome(reward: -1))
    #expect(try task.step(1, 0, 0, 0) == StepOutcome(reward: 0))
    #expect(try task.step(0, 0, 0, -1) == StepOutcome(reward: -1))
    #expect(try task.step(0, 0, 0, 1) == StepOutcome(reward: 0))
  }

  @Test func `the other task ends there`() throws {
    let task = try Self.task(at: [0, 0, 0, 0], goal: [0.06, 0, 0, 0], endsAtGoal: true)
    #expect(try task.step(-1, 0, 0, 0) == StepOutcome(reward: -1))
    #expect(try task.step(1, 0, 0, 0) == StepOutcome(reward: -1))
    #expect(try task.step(1, 0, 0, 0) == StepOutcome(reward: 0, terminated: true))
  }

  @Test(arguments: ["PointReach-v0", "PointReachOnce-v0"])
  func `rewards and terminations computed for other goals are what a step with that goal gives`(id: String) throws {
    let goals = try #require(try EnvironmentRegistry.builtIn.make(id).goals)
    let achieved: [Float] = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 1]
    let desired: [Float] = [0, 0, 0.04, 0, 0.5, 0.5, 0.5, 0.56, 0, 0, 0, -1]
    var (rewards, terminated) = ([Float](repeating: .nan, count: 3), [Bool](repeating: false, count: 3))
    var rewardSpan = rewards.mutableSpan
    var terminatedSpan = terminated.mutableSpan
    try goals.recompute(
      achieved: achieved.span, desired: desired.span, rewards: &rewardSpan, terminated: &terminatedSpan)
    #expect(rewards == [0, -1, -1])
    #expect(terminated == [id == "PointReachOnce-v0", false, false])
  }

  @Test func `an episode begins near the middle with a goal anywhere, drawn in this order`() throws {
    let task = Stepper(PointReach())
    var lows = [Float](repeating: 1, count: 12)
    var highs = [Float](repeating: -1, count: 12)
    for seed in 0..<2000 as Range<UInt64> {
      try task.reset(seed: seed)
      for i in 0..<12 {
        lows[i] = min(lows[i], task.observation[i])
        highs[i] = max(highs[i], task.observation[i])
      }
      #expect(task.observation[0..<4] == task.observation[4..<8])
    }
    for i in 0..<8 { #expect(lows[i] >= -0.1 && lows[i] < -0.099 && highs[i] <= 0.1 && highs[i] > 0.099) }
    for i in 8..<12 { #expect(lows[i] < -0.99 && highs[i] > 0.99) }
    var generator = NumPyGenerator(seed: 5)
    let draws = (0..<8).map { _ in generator.uniform(0, 1) }
    try task.reset(seed: 5)
    for i in 0..<4 {
      #expect(abs(Double(task.observation[i]) - (0.2 * draws[i] - 0.1)) < 1e-6)
      #expect(abs(Double(task.observation[8 + i]) - (2 * draws[4 + i] - 1)) < 1e-6)
    }
  }

  @Test func `going straight reaches every goal within 28 steps, and random walks hardly ever one`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("PointReach-v0"))
    var generator = NumPyGenerator(seed: 1)
    var (slowest, met) = (0, 0)
    for seed in 0..<300 as Range<UInt64> {
      try task.reset(seed: seed)
      var (first, steps, outcome): (Int?, Int, StepOutcome) = (nil, 0, StepOutcome(reward: -1))
      while !outcome.endsEpisode {
        let left = (0..<4).map { (task.observation[8 + $0] - task.observation[$0]) / 0.04 }
        outcome = try task.step(left[0], left[1], left[2], left[3])
        steps += 1
        if outcome.reward == 0 && first == nil { first = steps }
      }
      #expect(steps == 50 && outcome.reward == 0 && outcome.truncated && !outcome.terminated)
      slowest = max(slowest, first ?? .max)

      try task.reset(seed: seed)
      for _ in 0..<50 {
        let action = (0..<4).map { _ in Float(generator.uniform(-1, 1)) }
        if try task.step(action[0], action[1], action[2], action[3]).reward == 0 {
          met += 1
          break
        }
      }
    }
    #expect(slowest <= 28 && slowest >= 24 && met <= 1)
  }

  @Test func `a state saved between two steps goes on to the same place, and to the same next episode`() throws {
    let task = Stepper(try EnvironmentRegistry.builtIn.make("PointReach-v0"))
    try task.reset(seed: 5)
    try task.step(0.3, 0.1, 1, -1)
    let copy = Stepper(try EnvironmentRegistry.builtIn.make("PointReach-v0"))
    try copy.environment.restore(task.environment.saveState())
    #expect(try task.step(0.1, -0.7, 0, 0) == copy.step(0.1, -0.7, 0, 0))
    #expect(task.observation == copy.observation)
    #expect(try task.reset() == copy.reset())
    let error = #expect(throws: MismatchedState.self) { try PointReach().restore(CartPole().saveState()) }
    #expect(error == MismatchedState(task: "PointReach-v0", expected: 8, actual: 5))
  }
}
