// MultiGoal.swift — MultiGoal-v0: a point between four goals that are equally good.
// Haarnoja et al. 2017, "Reinforcement Learning with Deep Energy-Based Policies", arXiv:1702.08165, section 5.1; the
// numbers are those of the authors' program, softqlearning/environments/multigoal.py. No environment of Gymnasium.

/// A point in the plane that is told its velocity, and may go to any of four goals: N15 to look at.
///
/// Observation: position x, y in [−7, 7]. Action: velocity in [−1, 1]², clipped. Terminates closer than 1 to a goal.
/// Near the origin the best action has four answers, and a policy shows which of them it knows.
public final class MultiGoal: Environment {
  package static let goals: [(x: Double, y: Double)] = [(5, 0), (-5, 0), (0, 5), (0, -5)]
  package static let goalRadius = 1.0
  static let goalReward = 10.0
  static let actionCost = 30.0
  static let distanceCost = 1.0
  static let startDeviation = 0.1
  package static let bound: Float = 7  // |x|, |y|
  static let maximumSpeed: Float = 1  // in each direction, a step

  package private(set) var x = 0.0
  package private(set) var y = 0.0
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: -bound, high: bound, count: 2)
  public let actionSpace = Space.box(Box(low: -maximumSpeed, high: maximumSpeed, count: 2))

  /// The environment, before its first reset.
  public init() {}

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    // s ← clip(s + clip(a))
    let velocityX = Double(Self.clip(action[0], to: Self.maximumSpeed))
    let velocityY = Double(Self.clip(action[1], to: Self.maximumSpeed))
    x = Self.clip(x + velocityX, to: Double(Self.bound))
    y = Self.clip(y + velocityY, to: Double(Self.bound))
    observe(into: &observation)

    // r = −30 ‖a‖² − min_g ‖s′ − g‖², and 10 at a goal; a as clipped
    var squaredDistance = Double.infinity
    for goal in Self.goals {
      let (dx, dy) = (x - goal.x, y - goal.y)
      squaredDistance = min(squaredDistance, dx * dx + dy * dy)
    }
    let cost =
      Self.actionCost * (velocityX * velocityX + velocityY * velocityY) + Self.distanceCost * squaredDistance
    let isAtGoal = squaredDistance < Self.goalRadius * Self.goalRadius
    return StepOutcome(reward: (isAtGoal ? Self.goalReward : 0) - cost, terminated: isAtGoal)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    // s₀ ~ N(0, 0.1² I)
    x = Self.clip(Self.startDeviation * generator.standardNormal(), to: Double(Self.bound))
    y = Self.clip(Self.startDeviation * generator.standardNormal(), to: Double(Self.bound))
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(x)
    observation[1] = Float(y)
  }

  private static func clip<Real: BinaryFloatingPoint>(_ value: Real, to bound: Real) -> Real {
    min(max(value, -bound), bound)
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [x, y], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2, for: "MultiGoal-v0")
    (x, y) = (state.values[0], state.values[1])
    generator = state.generator
  }

  // 30 steps: examples/multigoal_sql.py of the authors
  static let entry = EnvironmentEntry(
    id: "MultiGoal-v0", summary: "go to any of four goals that are equally good", observationSize: 2,
    actionSpace: .box(Box(low: -maximumSpeed, high: maximumSpeed, count: 2)), maximumEpisodeSteps: 30,
    suggestedSteps: 20_000, suggestedRandomSteps: 1000
  ) { MultiGoal() }
}
