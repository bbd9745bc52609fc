// Humanoid.swift — Humanoid-v5: a body with arms and legs walks forward without falling.
// Tassa, Erez and Todorov 2012, "Synthesis and stabilization of complex behaviors through online trajectory
// optimization"; as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (348): see `HumanoidObservation`. Action (17): torques, scaled to [−0.4, 0.4].
/// Terminates when the root is not between 1 m and 2 m high.
final class Humanoid: Robot {
  static let entry = EnvironmentEntry(
    id: "Humanoid-v5", summary: "walk forward on two legs",
    options: [
      .forwardRewardWeight(1.25), .controlCostWeight(0.1),
      .number(RobotOption.contactCostWeight, 5e-7, "weight of the squared contact forces"),
      .interval(RobotOption.contactCostRange, -Double.infinity...10, "what their weighted cost is clipped to"),
      .healthyReward(5), .terminateWhenUnhealthy, .healthyHeightRange(1...2), .resetNoiseScale(1e-2),
    ] + HumanoidObservation.options + [.frameSkip(5)],
    observationSize: HumanoidObservation.count,
    actionSpace: .box(Box(low: -0.4, high: 0.4, count: 17)), maximumEpisodeSteps: 1000
  ) { try Humanoid($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let view: HumanoidObservation
  private let massCentres: Field  // m (bodies × 3)
  private let mass: Double  // kg
  /// The x of the centre of mass after the last step, as old as all derived fields: one substep.
  private var x = 0.0  // m

  let observationSize: Int
  private let forwardRewardWeight: Double
  private let controlCostWeight: Double
  private let contactCostWeight: Double
  private let contactCostRange: ClosedRange<Double>
  private let healthyReward: Double
  private let terminatesWhenUnhealthy: Bool
  private let healthyHeights: ClosedRange<Double>  // m
  private let noise: Double

  init(_ options: EnvironmentOptions) throws {
    forwardRewardWeight = options.number(RobotOption.forwardRewardWeight)
    controlCostWeight = options.number(RobotOption.controlCostWeight)
    contactCostWeight = options.number(RobotOption.contactCostWeight)
    contactCostRange = options.interval(RobotOption.contactCostRange)
    healthyReward = options.number(RobotOption.healthyReward)
    terminatesWhenUnhealthy = options.flag(RobotOption.terminateWhenUnhealthy)
    healthyHeights = options.interval(RobotOption.healthyHeightRange)
    noise = options.number(RobotOption.resetNoiseScale)
    observationSize = HumanoidObservation.count(options)
    simulation = try Simulation(
      model: "humanoid", frameSkip: options.whole(RobotOption.frameSkip), computesContactForces: true)
    view = try HumanoidObservation(simulation, options)
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
    let isHealthy = healthyHeights.holdsInside(height)
    let controlCost = controlCostWeight * squaredNorm(simulation.controls)
    let contactCost = contactCostRange.clip(contactCostWeight * squaredNorm(view.contactForces))
    let reward = forwardRewardWeight * speed + (isHealthy ? healthyReward : 0) - (controlCost + contactCost)
    return StepOutcome(reward: reward, terminated: !isHealthy && terminatesWhenUnhealthy)
  }

  /// x of the centre of mass: Σ mᵢ xᵢ / Σ mᵢ.
  private var massCentre: Double {
    var moment = 0.0  // kg m
    for (body, mass) in simulation.bodyMasses.enumerated() { moment += mass * massCentres[3 * body] }
    return moment / mass
  }

  func drawFirstState() {
    drawPositions(within: noise)
    drawVelocities(within: noise)
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
