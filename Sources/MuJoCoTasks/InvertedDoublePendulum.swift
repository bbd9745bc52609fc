// InvertedDoublePendulum.swift — InvertedDoublePendulum-v5: a cart on a rail balances two poles, one on the other.
// As Gymnasium 1.4.0 defines version 5.

import Environments

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Observation (9): cart x (m), sin θ (2), cos θ (2), q̇ clipped to ±10 (3: m/s, rad/s), the constraint's force on the
/// cart clipped to ±10 (N). Action (1): force on the cart, scaled to [−1, 1].
/// Terminates when the tip is at most 1 m high.
final class InvertedDoublePendulum: Robot {
  static let entry = EnvironmentEntry(
    id: "InvertedDoublePendulum-v5", summary: "balance two poles on a cart, one on the other",
    options: [.healthyReward(10), .resetNoiseScale(0.1), .frameSkip(5)], observationSize: { _ in 9 },
    actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 1000, rewardThreshold: 9100
  ) { try InvertedDoublePendulum($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let sitePositions: Field  // m (1 × 3); the only site is the tip
  private let constraintForces: Field  // N (3)

  private let healthyReward: Double
  private let noise: Double

  init(_ options: EnvironmentOptions) throws {
    healthyReward = options.number(RobotOption.healthyReward)
    noise = options.number(RobotOption.resetNoiseScale)
    simulation = try Simulation(model: "inverted_double_pendulum", frameSkip: options.whole(RobotOption.frameSkip))
    sitePositions = try simulation.output("site_xpos")
    constraintForces = try simulation.output("qfrc_constraint")
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = 10 [upright] − (0.01 x² + (y − 2)²) − (0.001 θ̇₁² + 0.005 θ̇₂²),  tip at (x, y), upright: y > 1 m
    let x = sitePositions[0]  // m
    let y = sitePositions[2]  // m
    let speed1 = simulation.velocities[1]  // rad/s
    let speed2 = simulation.velocities[2]  // rad/s
    let isUpright = !(y <= 1)
    let distanceCost = 0.01 * x * x + (y - 2) * (y - 2)
    let speedCost = 0.001 * speed1 * speed1 + 0.005 * speed2 * speed2
    return StepOutcome(reward: (isUpright ? healthyReward : 0) - distanceCost - speedCost, terminated: !isUpright)
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(deviation: noise)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    let positions = simulation.positions
    observation[0] = Float(positions[0])
    observation[1] = Float(sin(positions[1]))
    observation[2] = Float(sin(positions[2]))
    observation[3] = Float(cos(positions[1]))
    observation[4] = Float(cos(positions[2]))
    var column = 5
    observation.write(simulation.velocities, within: -10...10, at: &column)
    observation.write(constraintForces, to: 1, within: -10...10, at: &column)
  }
}
