// Ant.swift — Ant-v5: a torso on four legs walks forward.
// Schulman et al. 2016, "High-dimensional continuous control using generalized advantage estimation",
// arXiv:1506.02438; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (105): q₂ … q₁₄ (height m, orientation, angles rad), q̇ (m/s, rad/s), contact forces and torques on each
/// body but the world, clipped to ±1 (N m, N). Action (8): torques, scaled to [−1, 1].
/// Terminates when the torso is below 0.2 m or above 1 m.
final class Ant: Robot {
  static let entry = EnvironmentEntry(
    id: "Ant-v5", summary: "walk forward on four legs",
    options: [
      .forwardRewardWeight(1), .controlCostWeight(0.5),
      .number(RobotOption.contactCostWeight, 5e-4, "weight of the squared contact forces"), .healthyReward(1),
      .part(RobotOption.mainBody, 1, of: 0...13, "body whose speed forward is rewarded"), .terminateWhenUnhealthy,
      .healthyHeightRange(0.2...1),
      .interval(RobotOption.contactForceRange, -1...1, "what contact forces are clipped to, N and N m"),
      .resetNoiseScale(0.1), .excludePositions("the torso's x and y"), .includeContactForces, .frameSkip(5),
    ],
    observationSize: {
      27 + ($0.flag(RobotOption.excludePositions) ? 0 : 2) + ($0.flag(RobotOption.includeContactForces) ? 78 : 0)
    },
    actionSpace: .box(Box(low: -1, high: 1, count: 8)), maximumEpisodeSteps: 1000, rewardThreshold: 6000
  ) { try Ant($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let bodyPositions: Field  // m (bodies × 3)
  private let contactForces: Field  // torque N m, force N (bodies × 6)
  private let mainBody: Int
  /// The main body's x after the last step, as old as all derived fields: one substep.
  private var x = 0.0  // m

  let observationSize: Int
  private let forwardRewardWeight: Double
  private let controlCostWeight: Float
  private let contactCostWeight: Double
  private let healthyReward: Double
  private let terminatesWhenUnhealthy: Bool
  private let healthyHeights: ClosedRange<Double>  // m
  private let contactForceRange: ClosedRange<Double>  // N m, N
  private let noise: Double
  private let excludesPositions: Bool
  private let includesContactForces: Bool

  init(_ options: EnvironmentOptions) throws {
    forwardRewardWeight = options.number(RobotOption.forwardRewardWeight)
    controlCostWeight = Float(options.number(RobotOption.controlCostWeight))
    contactCostWeight = options.number(RobotOption.contactCostWeight)
    healthyReward = options.number(RobotOption.healthyReward)
    terminatesWhenUnhealthy = options.flag(RobotOption.terminateWhenUnhealthy)
    healthyHeights = options.interval(RobotOption.healthyHeightRange)
    contactForceRange = options.interval(RobotOption.contactForceRange)
    noise = options.number(RobotOption.resetNoiseScale)
    excludesPositions = options.flag(RobotOption.excludePositions)
    includesContactForces = options.flag(RobotOption.includeContactForces)
    observationSize = try Self.entry.configured(options).observationSize
    simulation = try Simulation(
      model: "ant", frameSkip: options.whole(RobotOption.frameSkip), computesContactForces: true)
    bodyPositions = try simulation.output("xpos")
    contactForces = try simulation.output("cfrc_ext")
    mainBody =
      if case .text(let name) = options[RobotOption.mainBody] {
        try simulation.body(name)
      } else {
        options.whole(RobotOption.mainBody)
      }
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)
    let newX = bodyPositions[3 * mainBody]
    let speed = (newX - x) / simulation.controlTimestep  // m/s
    x = newX

    // r = Δx/Δt + [healthy] − 0.5 Σ a² − 0.0005 Σ clip(f, ±1)²,  healthy: 0.2 m ≤ z ≤ 1 m and a finite state
    let isHealthy = isHealthy
    let controlCost = Double(controlCostWeight * squaredNorm(action))
    let contactCost = contactCostWeight * squaredNorm(contactForces, within: contactForceRange)
    let reward = forwardRewardWeight * speed + (isHealthy ? healthyReward : 0) - (controlCost + contactCost)
    return StepOutcome(reward: reward, terminated: !isHealthy && terminatesWhenUnhealthy)
  }

  private var isHealthy: Bool {
    let positions = simulation.positions
    let velocities = simulation.velocities
    return healthyHeights.contains(positions[2])
      && (0..<positions.count).allSatisfy { positions[$0].isFinite }
      && (0..<velocities.count).allSatisfy { velocities[$0].isFinite }
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(deviation: noise)
  }

  func beginEpisode() {
    x = bodyPositions[3 * mainBody]
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: excludesPositions ? 2 : 0, at: &column)
    observation.write(simulation.velocities, at: &column)
    if includesContactForces { observation.write(contactForces, from: 6, within: contactForceRange, at: &column) }
  }

  var memory: [Double] {
    get { [x] }
    set { x = newValue[0] }
  }
}
