// Walker2d.swift — Walker2d-v5: two legs walk forward in a plane.
// Erez, Tassa and Todorov 2011, "Infinite-horizon model predictive control"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (17): q₁ … q₈ (height m, angles rad), q̇ clipped to ±10 (m/s, rad/s). Action (6): torques in [−1, 1].
/// Terminates when the walker falls, jumps too high or leans too far.
final class Walker2d: Robot {
  static let entry = EnvironmentEntry(
    id: "Walker2d-v5", summary: "walk forward on two legs in a plane",
    options: [
      .forwardRewardWeight(1), .controlCostWeight(1e-3), .healthyReward(1), .terminateWhenUnhealthy,
      .healthyHeightRange(0.8...2), .healthyAngleRange(-1...1), .resetNoiseScale(5e-3),
      .excludePositions("the root's x"), .frameSkip(4),
    ],
    observationSize: { $0.flag(RobotOption.excludePositions) ? 17 : 18 },
    actionSpace: .box(Box(low: -1, high: 1, count: 6)), maximumEpisodeSteps: 1000
  ) { try Walker2d($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  let observationSize: Int
  private let forwardRewardWeight: Double
  private let controlCostWeight: Float
  private let healthyReward: Double
  private let terminatesWhenUnhealthy: Bool
  private let healthyHeights: ClosedRange<Double>  // m
  private let healthyAngles: ClosedRange<Double>  // rad
  private let noise: Double
  private let excludesPositions: Bool

  init(_ options: EnvironmentOptions) throws {
    forwardRewardWeight = options.number(RobotOption.forwardRewardWeight)
    controlCostWeight = Float(options.number(RobotOption.controlCostWeight))
    healthyReward = options.number(RobotOption.healthyReward)
    terminatesWhenUnhealthy = options.flag(RobotOption.terminateWhenUnhealthy)
    healthyHeights = options.interval(RobotOption.healthyHeightRange)
    healthyAngles = options.interval(RobotOption.healthyAngleRange)
    noise = options.number(RobotOption.resetNoiseScale)
    excludesPositions = options.flag(RobotOption.excludePositions)
    observationSize = try Self.entry.configured(options).observationSize
    simulation = try Simulation(model: "walker2d_v5", frameSkip: options.whole(RobotOption.frameSkip))
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt + [healthy] − 0.001 Σ a²,  healthy: 0.8 m < z < 2 m and |angle| < 1 rad
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    let height = simulation.positions[1]  // m
    let angle = simulation.positions[2]  // rad
    let isHealthy = healthyHeights.holdsInside(height) && healthyAngles.holdsInside(angle)
    let controlCost = Double(controlCostWeight * squaredNorm(action))
    let reward = forwardRewardWeight * speed + (isHealthy ? healthyReward : 0) - controlCost
    return StepOutcome(reward: reward, terminated: !isHealthy && terminatesWhenUnhealthy)
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(within: noise)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: excludesPositions ? 1 : 0, at: &column)
    observation.write(simulation.velocities, within: -10...10, at: &column)
  }
}
