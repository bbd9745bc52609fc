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
    id: "InvertedDoublePendulum-v5", summary: "balance two poles on a cart, one on the other", observationSize: 9,
    actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 1000, rewardThreshold: 9100
  ) { try InvertedDoublePendulum() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let sitePositions: Field  // m (1 × 3); the only site is the tip
  private let constraintForces: Field  // N (3)

  init() throws {
    simulation = try Simulation(model: "inverted_double_pendulum", frameSkip: 5)
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
    return StepOutcome(reward: (isUpright ? 10 : 0) - distanceCost - speedCost, terminated: !isUpright)
  }

  func drawFirstState() {
    drawPositions(within: 0.1)
    drawVelocities(deviation: 0.1)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    let positions = simulation.positions
    observation[0] = Float(positions[0])
    observation[1] = Float(sin(positions[1]))
    observation[2] = Float(sin(positions[2]))
    observation[3] = Float(cos(positions[1]))
    observation[4] = Float(cos(positions[2]))
    var column = 5
    observation.write(simulation.velocities, limit: 10, at: &column)
    observation.write(constraintForces, to: 1, limit: 10, at: &column)
  }
}
