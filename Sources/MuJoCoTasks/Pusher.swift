// Pusher.swift — Pusher-v5: an arm with seven joints pushes a cylinder to a goal on a table.
// As Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (23): q₀ … q₆ (rad), q̇₀ … q̇₆ (rad/s), places of the arm's tip, the cylinder and the goal (3 × 3: m).
/// Action (7): torques, scaled to [−2, 2]. Never terminates.
final class Pusher: Robot {
  static let entry = EnvironmentEntry(
    id: "Pusher-v5", summary: "push a cylinder to a goal with an arm",
    options: [
      .number(RobotOption.nearWeight, 0.5, "weight of the distance from the arm's tip to the cylinder"),
      .number(RobotOption.distanceWeight, 1, "weight of the distance from the cylinder to the goal"),
      .number(RobotOption.controlWeight, 0.1, "weight of the squared action"), .frameSkip(5),
    ],
    observationSize: { _ in 23 },
    actionSpace: .box(Box(low: -2, high: 2, count: 7)), maximumEpisodeSteps: 100, rewardThreshold: 0
  ) { try Pusher($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let bodyPositions: Field  // m (bodies × 3)
  private let tip: Int
  private let cylinder: Int
  private let goal: Int

  private let nearWeight: Double
  private let distanceWeight: Double
  private let controlWeight: Float

  init(_ options: EnvironmentOptions) throws {
    nearWeight = options.number(RobotOption.nearWeight)
    distanceWeight = options.number(RobotOption.distanceWeight)
    controlWeight = Float(options.number(RobotOption.controlWeight))
    simulation = try Simulation(model: "pusher_v5", frameSkip: options.whole(RobotOption.frameSkip))
    bodyPositions = try simulation.output("xpos")
    tip = try simulation.body("tips_arm")
    cylinder = try simulation.body("object")
    goal = try simulation.body("goal")
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = −‖cylinder − goal‖ − 0.1 Σ a² − 0.5 ‖cylinder − tip‖
    let cylinder = bodyPositions.point(cylinder)  // m
    let distance = length(cylinder - bodyPositions.point(goal))  // m
    let reach = length(cylinder - bodyPositions.point(tip))  // m
    let controlCost = Double(controlWeight * squaredNorm(action))
    return StepOutcome(reward: -distance * distanceWeight - controlCost - reach * nearWeight)
  }

  /// The arm as the model has it, the goal at the origin, the cylinder more than 0.17 m from it.
  func drawFirstState() {
    let positions = simulation.positions
    for i in 0..<7 { positions[i] = simulation.initialPositions[i] }
    var x = 0.0  // m
    var y = 0.0  // m
    repeat {
      x = generator.uniform(-0.3, 0)
      y = generator.uniform(-0.2, 0.2)
    } while (x * x + y * y).squareRoot() <= 0.17
    positions[7] = x
    positions[8] = y
    positions[9] = 0
    positions[10] = 0
    drawVelocities(within: 0.005)
    for i in 7..<11 { simulation.velocities[i] = 0 }
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, to: 7, at: &column)
    observation.write(simulation.velocities, to: 7, at: &column)
    for body in [tip, cylinder, goal] {
      observation.write(bodyPositions, from: 3 * body, to: 3 * body + 3, at: &column)
    }
  }
}
