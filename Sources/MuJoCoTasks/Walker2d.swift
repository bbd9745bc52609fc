// Walker2d.swift — Walker2d-v5: two legs walk forward in a plane.
// Erez, Tassa and Todorov 2011, "Infinite-horizon model predictive control"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (17): q₁ … q₈ (height m, angles rad), q̇ clipped to ±10 (m/s, rad/s). Action (6): torques in [−1, 1].
/// Terminates when the walker falls, jumps too high or leans too far.
final class Walker2d: Robot {
  static let entry = EnvironmentEntry(
    id: "Walker2d-v5", summary: "walk forward on two legs in a plane", observationSize: 17,
    actionSpace: .box(Box(low: -1, high: 1, count: 6)), maximumEpisodeSteps: 1000
  ) { try Walker2d() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  init() throws {
    simulation = try Simulation(model: "walker2d_v5", frameSkip: 4)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt + [healthy] − 0.001 Σ a²,  healthy: 0.8 m < z < 2 m and |angle| < 1 rad
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    let height = simulation.positions[1]  // m
    let angle = simulation.positions[2]  // rad
    let isHealthy = height > 0.8 && height < 2 && abs(angle) < 1
    let reward = speed + (isHealthy ? 1 : 0) - Double(0.001 * squaredNorm(action))
    return StepOutcome(reward: reward, terminated: !isHealthy)
  }

  func drawFirstState() {
    drawPositions(within: 0.005)
    drawVelocities(within: 0.005)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: 1, at: &column)
    observation.write(simulation.velocities, limit: 10, at: &column)
  }
}
