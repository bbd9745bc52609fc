// HumanoidStandup.swift — HumanoidStandup-v5: a body that lies on its back stands up.
// Tassa, Erez and Todorov 2012, "Synthesis and stabilization of complex behaviors through online trajectory
// optimization"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (348): see `HumanoidObservation`. Action (17): torques, scaled to [−0.4, 0.4]. Never terminates.
final class HumanoidStandup: Robot {
  static let entry = EnvironmentEntry(
    id: "HumanoidStandup-v5", summary: "stand up from lying", observationSize: HumanoidObservation.count,
    actionSpace: .box(Box(low: -0.4, high: 0.4, count: 17)), maximumEpisodeSteps: 1000
  ) { try HumanoidStandup() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let view: HumanoidObservation

  init() throws {
    simulation = try Simulation(model: "humanoidstandup", frameSkip: 5, computesContactForces: true)
    view = try HumanoidObservation(simulation)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = z/δt + 1 − 0.1 Σ a² − min(5·10⁻⁷ Σ f², 10);  δt is one substep, and z counts from the floor, not from before
    let lift = simulation.positions[2] / simulation.timestep  // m/s
    let controlCost = 0.1 * squaredNorm(simulation.controls)
    let contactCost = min(5e-7 * squaredNorm(view.contactForces), 10)
    return StepOutcome(reward: lift - controlCost - contactCost + 1)
  }

  func drawFirstState() {
    drawPositions(within: 0.01)
    drawVelocities(within: 0.01)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    view.write(into: &observation)
  }
}
