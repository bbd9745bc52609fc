// PointReach.swift — PointReach-v0: bring a point in a box to a goal that each episode draws anew, told only when it is there.
// Observation, reward and time limit are built as those of the Fetch environments (Plappert 2018, arXiv:1802.09464), without a
// simulator and in four dimensions: a walk that does not know the goal meets it in fewer than 1 of 10,000 episodes.

/// A point in a box of four dimensions that is told its velocity, and a goal somewhere in the box.
///
/// Observation: position (m), achieved goal (the position again), desired goal, each in [−1, 1]⁴. Action: velocity in
/// units of 0.4 m/s, in [−1, 1]⁴, clipped. Reward −1, and 0 within 0.05 m of the goal. `PointReach-v0` never terminates;
/// `PointReachOnce-v0` does at the goal. The furthest goals are 28 steps away.
public final class PointReach: GoalEnvironment {
  static let dimensions = 4
  package static let bound: Float = 1  // m, |x| in each direction
  package static let timestep = 0.1  // s
  static let maximumSpeed = 0.4  // m/s, in each direction
  static let startBound = 0.1  // m
  package static let goalRadius = 0.05  // m

  private let id: String
  private let endsAtGoal: Bool
  package private(set) var position = [Double](repeating: 0, count: dimensions)  // m
  package private(set) var goal = [Double](repeating: 0, count: dimensions)  // m
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: -bound, high: bound, count: layout.count)
  public let actionSpace = actions
  public let goalLayout = layout

  static let layout = GoalLayout(observationSize: dimensions, goalSize: dimensions)
  static let actions = Space.box(Box(low: -1, high: 1, count: dimensions))

  /// - Parameter endsAtGoal: whether an episode terminates where the goal is reached.
  public init(endsAtGoal: Bool = false) {
    self.endsAtGoal = endsAtGoal
    id = endsAtGoal ? "PointReachOnce-v0" : "PointReach-v0"
  }

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    // x ← clip(x + v Δt),  v = 0.4 clip(a)
    for i in 0..<Self.dimensions {
      let velocity = Self.maximumSpeed * Double(min(max(action[i], -1), 1))
      position[i] = min(max(position[i] + velocity * Self.timestep, -Double(Self.bound)), Double(Self.bound))
    }
    observe(into: &observation)
    let isAtGoal = Self.isReached(observation.span, Self.layout.achieved, observation.span, Self.layout.desired)
    return StepOutcome(reward: isAtGoal ? 0 : -1, terminated: endsAtGoal && isAtGoal)
  }

  public func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) throws {
    for row in 0..<rewards.count {
      let goal = (row * Self.dimensions)..<((row + 1) * Self.dimensions)
      // r = −1 where ‖g_achieved − g_desired‖ > 0.05, else 0
      let isAtGoal = Self.isReached(achieved, goal, desired, goal)
      rewards[row] = isAtGoal ? 0 : -1
      terminated[row] = endsAtGoal && isAtGoal
    }
  }

  /// Of goals in single precision, as observations hold them: a step and a computation afterwards never disagree.
  private static func isReached(
    _ achieved: Span<Float>, _ achievedGoal: Range<Int>, _ desired: Span<Float>, _ desiredGoal: Range<Int>
  ) -> Bool {
    var squaredDistance = 0.0
    for i in 0..<dimensions {
      let difference = Double(achieved[achievedGoal.lowerBound + i]) - Double(desired[desiredGoal.lowerBound + i])
      squaredDistance += difference * difference
    }
    return squaredDistance <= goalRadius * goalRadius
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    for i in 0..<Self.dimensions { position[i] = generator.uniform(-Self.startBound, Self.startBound) }
    for i in 0..<Self.dimensions { goal[i] = generator.uniform(-Double(Self.bound), Double(Self.bound)) }
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    for i in 0..<Self.dimensions {
      observation[i] = Float(position[i])
      observation[Self.layout.achieved.lowerBound + i] = Float(position[i])
      observation[Self.layout.desired.lowerBound + i] = Float(goal[i])
    }
  }

  /// Position, then goal.
  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: position + goal, generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2 * Self.dimensions, for: id)
    position = Array(state.values[..<Self.dimensions])
    goal = Array(state.values[Self.dimensions...])
    generator = state.generator
  }

  static let entry = EnvironmentEntry(
    id: "PointReach-v0", summary: "bring a point to a goal, rewarded only when it is there",
    observationSize: layout.count, actionSpace: actions, maximumEpisodeSteps: 50, suggestedSteps: 20_000,
    suggestedRandomSteps: 1000, goals: layout
  ) { PointReach() }

  static let onceEntry = EnvironmentEntry(
    id: "PointReachOnce-v0", summary: "bring a point to a goal, where the episode ends",
    observationSize: layout.count, actionSpace: actions, maximumEpisodeSteps: 50, suggestedSteps: 20_000,
    suggestedRandomSteps: 1000, goals: layout
  ) { PointReach(endsAtGoal: true) }
}
