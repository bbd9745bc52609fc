// Hopper.swift — Hopper-v5: a leg with a foot hops forward in a plane.
// Erez, Tassa and Todorov 2011, "Infinite-horizon model predictive control"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (11): q₁ … q₅ (height m, angles rad), q̇ clipped to ±10 (m/s, rad/s). Action (3): torques in [−1, 1].
/// Terminates when the hopper is about to fall or its state leaves ±100.
final class Hopper: Robot {
  static let entry = EnvironmentEntry(
    id: "Hopper-v5", summary: "hop forward on one leg",
    options: [
      .forwardRewardWeight(1), .controlCostWeight(1e-3), .healthyReward(1), .terminateWhenUnhealthy,
      .interval(RobotOption.healthyStateRange, -100...100, "q₂ … q₅ and q̇ that are healthy"),
      .healthyHeightRange(0.7 ... .infinity), .healthyAngleRange(-0.2...0.2), .resetNoiseScale(5e-3),
      .excludePositions("the root's x"), .frameSkip(4),
    ],
    observationSize: { $0.flag(RobotOption.excludePositions) ? 11 : 12 },
    actionSpace: .box(Box(low: -1, high: 1, count: 3)), maximumEpisodeSteps: 1000, rewardThreshold: 3800
  ) { try Hopper($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  let observationSize: Int
  private let forwardRewardWeight: Double
  private let controlCostWeight: Float
  private let healthyReward: Double
  private let terminatesWhenUnhealthy: Bool
  private let healthyHeights: ClosedRange<Double>  // m
  private let healthyAngles: ClosedRange<Double>  // rad
  private let healthyStates: ClosedRange<Double>
  private let noise: Double
  private let excludesPositions: Bool

  init(_ options: EnvironmentOptions) throws {
    forwardRewardWeight = options.number(RobotOption.forwardRewardWeight)
    controlCostWeight = Float(options.number(RobotOption.controlCostWeight))
    healthyReward = options.number(RobotOption.healthyReward)
    terminatesWhenUnhealthy = options.flag(RobotOption.terminateWhenUnhealthy)
    healthyHeights = options.interval(RobotOption.healthyHeightRange)
    healthyAngles = options.interval(RobotOption.healthyAngleRange)
    healthyStates = options.interval(RobotOption.healthyStateRange)
    noise = options.number(RobotOption.resetNoiseScale)
    excludesPositions = options.flag(RobotOption.excludePositions)
    observationSize = try Self.entry.configured(options).observationSize
    simulation = try Simulation(model: "hopper", frameSkip: options.whole(RobotOption.frameSkip))
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt + [healthy] − 0.001 Σ a²
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    let isHealthy = isHealthy
    let controlCost = Double(controlCostWeight * squaredNorm(action))
    let reward = forwardRewardWeight * speed + (isHealthy ? healthyReward : 0) - controlCost
    return StepOutcome(reward: reward, terminated: !isHealthy && terminatesWhenUnhealthy)
  }

  /// Above 0.7 m, less than 0.2 rad from upright, and q₂ … q₅ and q̇ within ±100.
  private var isHealthy: Bool {
    let height = simulation.positions[1]  // m
    let angle = simulation.positions[2]  // rad
    guard healthyHeights.holdsInside(height), healthyAngles.holdsInside(angle) else { return false }
    let positions = simulation.positions
    let velocities = simulation.velocities
    return (2..<positions.count).allSatisfy { healthyStates.holdsInside(positions[$0]) }
      && (0..<velocities.count).allSatisfy { healthyStates.holdsInside(velocities[$0]) }
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
