// Swimmer.swift — Swimmer-v5: three links swim forward through a viscous fluid in a plane.
// Coulom 2002, "Reinforcement learning using neural networks, with applications to motor control"; as Gymnasium 1.4.0
// defines version 5.

import Environments

/// Observation (8): q₂ … q₄ (angles rad), q̇ (m/s, rad/s). Action (2): torques, scaled to [−1, 1]. Never terminates.
final class Swimmer: Robot {
  static let entry = EnvironmentEntry(
    id: "Swimmer-v5", summary: "swim forward through a viscous fluid", observationSize: 8,
    actionSpace: .box(Box(low: -1, high: 1, count: 2)), maximumEpisodeSteps: 1000, rewardThreshold: 360
  ) { try Swimmer() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  init() throws {
    simulation = try Simulation(model: "swimmer", frameSkip: 4)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let x = simulation.positions[0]  // m
    try simulation.step(action)
    observe(into: &observation)

    // r = Δx/Δt − 0.0001 Σ a²
    let speed = (simulation.positions[0] - x) / simulation.controlTimestep  // m/s
    return StepOutcome(reward: speed - Double(0.0001 * squaredNorm(action)))
  }

  func drawFirstState() {
    drawPositions(within: 0.1)
    drawVelocities(within: 0.1)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, from: 2, at: &column)
    observation.write(simulation.velocities, at: &column)
  }
}
