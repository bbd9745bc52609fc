// Humanoid.swift — Humanoid-v5: a body with arms and legs walks forward without falling.
// Tassa, Erez and Todorov 2012, "Synthesis and stabilization of complex behaviors through online trajectory
// optimization"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (348): see `HumanoidObservation`. Action (17): torques, scaled to [−0.4, 0.4].
/// Terminates when the root is not between 1 m and 2 m high.
final class Humanoid: Robot {
  static let entry = EnvironmentEntry(
    id: "Humanoid-v5", summary: "walk forward on two legs", observationSize: HumanoidObservation.count,
    actionSpace: .box(Box(low: -0.4, high: 0.4, count: 17)), maximumEpisodeSteps: 1000
  ) { try Humanoid() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let view: HumanoidObservation
  private let massCentres: Field  // m (bodies × 3)
  private let mass: Double  // kg
  /// The x of the centre of mass after the last step, as old as all derived fields: one substep.
  private var x = 0.0  // m

  init() throws {
    simulation = try Simulation(model: "humanoid", frameSkip: 5, computesContactForces: true)
    view = try HumanoidObservation(simulation)
    massCentres = try simulation.output("xipos")
    mass = simulation.bodyMasses.reduce(0, +)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)
    let newX = massCentre
    let speed = (newX - x) / simulation.controlTimestep  // m/s
    x = newX

    // r = 1.25 Δx/Δt + 5 [healthy] − 0.1 Σ a² − min(5·10⁻⁷ Σ f², 10),  healthy: 1 m < z < 2 m
    let height = simulation.positions[2]  // m
    let isHealthy = height > 1 && height < 2
    let controlCost = 0.1 * squaredNorm(simulation.controls)
    let contactCost = min(5e-7 * squaredNorm(view.contactForces), 10)
    let reward = 1.25 * speed + (isHealthy ? 5 : 0) - (controlCost + contactCost)
    return StepOutcome(reward: reward, terminated: !isHealthy)
  }

  /// x of the centre of mass: Σ mᵢ xᵢ / Σ mᵢ.
  private var massCentre: Double {
    var moment = 0.0  // kg m
    for (body, mass) in simulation.bodyMasses.enumerated() { moment += mass * massCentres[3 * body] }
    return moment / mass
  }

  func drawFirstState() {
    drawPositions(within: 0.01)
    drawVelocities(within: 0.01)
  }

  func beginEpisode() {
    x = massCentre
  }

  func observe(into observation: inout MutableSpan<Float>) {
    view.write(into: &observation)
  }

  var memory: [Double] {
    get { [x] }
    set { x = newValue[0] }
  }
}
