// Hopper.swift — Hopper-v5: a leg with a foot hops forward in a plane.
// Erez, Tassa and Todorov 2011, "Infinite-horizon model predictive control"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (11): q₁ … q₅ (height m, angles rad), q̇ clipped to ±10 (m/s, rad/s). Action (3): torques in [−1, 1].
/// Terminates when the hopper is about to fall or its state leaves ±100.
final class Hopper: Robot {
  static let entry = EnvironmentEntry(
    id: "Hopper-v5", summary: "hop forward on one leg", observationSize: 11,
    actionSpace: .box(Box(low: -1, high: 1, count: 3)), maximumEpisodeSteps: 1000, rewardThreshold: 3800
  ) { try Hopper() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  init() throws {
    simulation = try Simulation(model: "hopper", frameSkip: 4)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt + [healthy] − 0.001 Σ a²
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    let isHealthy = isHealthy
    let reward = speed + (isHealthy ? 1 : 0) - Double(0.001 * squaredNorm(action))
    return StepOutcome(reward: reward, terminated: !isHealthy)
  }

  /// Above 0.7 m, less than 0.2 rad from upright, and q₂ … q₅ and q̇ within ±100.
  private var isHealthy: Bool {
    let height = simulation.positions[1]  // m
    let angle = simulation.positions[2]  // rad
    guard height > 0.7, abs(angle) < 0.2 else { return false }
    let positions = simulation.positions
    let velocities = simulation.velocities
    return (2..<positions.count).allSatisfy { abs(positions[$0]) < 100 }
      && (0..<velocities.count).allSatisfy { abs(velocities[$0]) < 100 }
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
