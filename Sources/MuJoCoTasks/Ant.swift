// Ant.swift — Ant-v5: a torso on four legs walks forward.
// Schulman et al. 2016, "High-dimensional continuous control using generalized advantage estimation",
// arXiv:1506.02438; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (105): q₂ … q₁₄ (height m, orientation, angles rad), q̇ (m/s, rad/s), contact forces and torques on each
/// body but the world, clipped to ±1 (N m, N). Action (8): torques, scaled to [−1, 1].
/// Terminates when the torso is below 0.2 m or above 1 m.
final class Ant: Robot {
  static let entry = EnvironmentEntry(
    id: "Ant-v5", summary: "walk forward on four legs", observationSize: 105,
    actionSpace: .box(Box(low: -1, high: 1, count: 8)), maximumEpisodeSteps: 1000, rewardThreshold: 6000
  ) { try Ant() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let bodyPositions: Field  // m (bodies × 3)
  private let contactForces: Field  // torque N m, force N (bodies × 6)
  private let torso: Int
  /// The torso's x after the last step, as old as all derived fields: one substep.
  private var x = 0.0  // m

  init() throws {
    simulation = try Simulation(model: "ant", frameSkip: 5, computesContactForces: true)
    bodyPositions = try simulation.output("xpos")
    contactForces = try simulation.output("cfrc_ext")
    torso = try simulation.body("torso")
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)
    let newX = bodyPositions[3 * torso]
    let speed = (newX - x) / simulation.controlTimestep  // m/s
    x = newX

    // r = Δx/Δt + [healthy] − 0.5 Σ a² − 0.0005 Σ clip(f, ±1)²,  healthy: 0.2 m ≤ z ≤ 1 m and a finite state
    let isHealthy = isHealthy
    let controlCost = Double(0.5 * squaredNorm(action))
    let contactCost = 0.0005 * squaredNorm(contactForces, limit: 1)
    let reward = speed + (isHealthy ? 1 : 0) - (controlCost + contactCost)
    return StepOutcome(reward: reward, terminated: !isHealthy)
  }

  private var isHealthy: Bool {
    let positions = simulation.positions
    let velocities = simulation.velocities
    return positions[2] >= 0.2 && positions[2] <= 1
      && (0..<positions.count).allSatisfy { positions[$0].isFinite }
      && (0..<velocities.count).allSatisfy { velocities[$0].isFinite }
  }

  func drawFirstState() {
    drawPositions(within: 0.1)
    drawVelocities(deviation: 0.1)
  }

  func beginEpisode() {
    x = bodyPositions[3 * torso]
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: 2, at: &column)
    observation.write(simulation.velocities, at: &column)
    observation.write(contactForces, from: 6, limit: 1, at: &column)
  }

  var memory: [Double] {
    get { [x] }
    set { x = newValue[0] }
  }
}
