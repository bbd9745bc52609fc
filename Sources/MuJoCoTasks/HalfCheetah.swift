// HalfCheetah.swift — HalfCheetah-v5: a cheetah with a hind and a front leg runs in a plane as fast as it can.
// Wawrzyński 2009, "A cat-like robot real-time learning to run"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (17): q₁ … q₈ (height m, angles rad), q̇ (m/s, rad/s). Action (6): torques, scaled to [−1, 1].
/// Never terminates.
final class HalfCheetah: Robot {
  static let entry = EnvironmentEntry(
    id: "HalfCheetah-v5", summary: "run in a plane as fast as possible",
    options: [
      .forwardRewardWeight(1), .controlCostWeight(0.1), .resetNoiseScale(0.1), .excludePositions("the root's x"),
      .frameSkip(5),
    ],
    observationSize: { $0.flag(RobotOption.excludePositions) ? 17 : 18 },
    actionSpace: .box(Box(low: -1, high: 1, count: 6)), maximumEpisodeSteps: 1000, rewardThreshold: 4800
  ) { try HalfCheetah($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  let observationSize: Int
  private let forwardRewardWeight: Double
  private let controlCostWeight: Float
  private let noise: Double
  private let excludesPositions: Bool

  init(_ options: EnvironmentOptions) throws {
    forwardRewardWeight = options.number(RobotOption.forwardRewardWeight)
    controlCostWeight = Float(options.number(RobotOption.controlCostWeight))
    noise = options.number(RobotOption.resetNoiseScale)
    excludesPositions = options.flag(RobotOption.excludePositions)
    observationSize = try Self.entry.configured(options).observationSize
    simulation = try Simulation(model: "half_cheetah", frameSkip: options.whole(RobotOption.frameSkip))
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt − 0.1 Σ a²
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    return StepOutcome(reward: forwardRewardWeight * speed - Double(controlCostWeight * squaredNorm(action)))
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(deviation: noise)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: excludesPositions ? 1 : 0, at: &column)
    observation.write(simulation.velocities, at: &column)
  }
}
