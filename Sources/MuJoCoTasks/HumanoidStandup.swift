// HumanoidStandup.swift — HumanoidStandup-v5: a body that lies on its back stands up.
// Tassa, Erez and Todorov 2012, "Synthesis and stabilization of complex behaviors through online trajectory
// optimization"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (348): see `HumanoidObservation`. Action (17): torques, scaled to [−0.4, 0.4]. Never terminates.
final class HumanoidStandup: Robot {
  static let entry = EnvironmentEntry(
    id: "HumanoidStandup-v5", summary: "stand up from lying",
    // differs: Gymnasium also takes uph_cost_weight, and never uses it
    options: [
      .controlCostWeight(0.1), .number(RobotOption.impactCostWeight, 5e-7, "weight of the squared contact forces"),
      .interval(RobotOption.impactCostRange, -Double.infinity...10, "what their weighted cost is clipped to"),
      .resetNoiseScale(1e-2),
    ] + HumanoidObservation.options + [.frameSkip(5)],
    observationSize: HumanoidObservation.count,
    actionSpace: .box(Box(low: -0.4, high: 0.4, count: 17)), maximumEpisodeSteps: 1000
  ) { try HumanoidStandup($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let view: HumanoidObservation

  let observationSize: Int
  private let controlCostWeight: Double
  private let impactCostWeight: Double
  private let impactCostRange: ClosedRange<Double>
  private let noise: Double

  init(_ options: EnvironmentOptions) throws {
    controlCostWeight = options.number(RobotOption.controlCostWeight)
    impactCostWeight = options.number(RobotOption.impactCostWeight)
    impactCostRange = options.interval(RobotOption.impactCostRange)
    noise = options.number(RobotOption.resetNoiseScale)
    observationSize = HumanoidObservation.count(options)
    simulation = try Simulation(
      model: "humanoidstandup", frameSkip: options.whole(RobotOption.frameSkip), computesContactForces: true)
    view = try HumanoidObservation(simulation, options)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = z/δt + 1 − 0.1 Σ a² − min(5·10⁻⁷ Σ f², 10);  δt is one substep, and z counts from the floor, not from before
    let lift = simulation.positions[2] / simulation.timestep  // m/s
    let controlCost = controlCostWeight * squaredNorm(simulation.controls)
    let impactCost = impactCostRange.clip(impactCostWeight * squaredNorm(view.contactForces))
    return StepOutcome(reward: lift - controlCost - impactCost + 1)
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(within: noise)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    view.write(into: &observation)
  }
}
