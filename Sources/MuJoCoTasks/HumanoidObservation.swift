// HumanoidObservation.swift — what Humanoid-v5 and HumanoidStandup-v5 see, which is the same.

import Environments

/// Observation (348): q₂ … q₂₃ (22: height m, orientation, angles rad), q̇ (23: m/s, rad/s); then for each of 13 bodies
/// its inertia and mass (10: kg m², kg m, kg) and its velocity (6: rad/s, m/s), both about the centre of mass; the
/// actuators' torques on the joints (17: N m); for each body the contact torque and force (6: N m, N).
struct HumanoidObservation {
  private let positions: Field
  private let velocities: Field
  private let bodyInertias: Field  // (bodies × 10)
  private let bodyVelocities: Field  // (bodies × 6)
  private let actuatorForces: Field  // (nv)
  let contactForces: Field  // (bodies × 6)

  private let excludesPositions: Bool
  private let includesInertias: Bool
  private let includesVelocities: Bool
  private let includesActuatorForces: Bool
  private let includesContactForces: Bool

  static let options: [EnvironmentOption] = [
    .excludePositions("the root's x and y"),
    .flag(RobotOption.includeInertias, true, "whether the bodies' inertias and masses are observed"),
    .flag(RobotOption.includeVelocities, true, "whether the bodies' velocities are observed"),
    .flag(RobotOption.includeActuatorForces, true, "whether the actuators' torques are observed"),
    .includeContactForces,
  ]

  static func count(_ options: EnvironmentOptions) -> Int {
    45 + (options.flag(RobotOption.excludePositions) ? 0 : 2) + (options.flag(RobotOption.includeInertias) ? 130 : 0)
      + (options.flag(RobotOption.includeVelocities) ? 78 : 0)
      + (options.flag(RobotOption.includeActuatorForces) ? 17 : 0)
      + (options.flag(RobotOption.includeContactForces) ? 78 : 0)
  }

  init(_ simulation: Simulation, _ options: EnvironmentOptions) throws(MuJoCoUnavailable) {
    excludesPositions = options.flag(RobotOption.excludePositions)
    includesInertias = options.flag(RobotOption.includeInertias)
    includesVelocities = options.flag(RobotOption.includeVelocities)
    includesActuatorForces = options.flag(RobotOption.includeActuatorForces)
    includesContactForces = options.flag(RobotOption.includeContactForces)
    positions = simulation.positions
    velocities = simulation.velocities
    bodyInertias = try simulation.output("cinert")
    bodyVelocities = try simulation.output("cvel")
    actuatorForces = try simulation.output("qfrc_actuator")
    contactForces = try simulation.output("cfrc_ext")
  }

  /// The first row of each field is the world, the first 6 forces act on the free root: neither is observed.
  func write(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(positions, from: excludesPositions ? 2 : 0, at: &column)
    observation.write(velocities, at: &column)
    if includesInertias { observation.write(bodyInertias, from: 10, at: &column) }
    if includesVelocities { observation.write(bodyVelocities, from: 6, at: &column) }
    if includesActuatorForces { observation.write(actuatorForces, from: 6, at: &column) }
    if includesContactForces { observation.write(contactForces, from: 6, at: &column) }
  }
}
