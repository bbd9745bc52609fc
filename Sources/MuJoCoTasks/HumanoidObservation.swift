// HumanoidObservation.swift — what Humanoid-v5 and HumanoidStandup-v5 see, which is the same.

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

  static let count = 348

  init(_ simulation: Simulation) throws(MuJoCoUnavailable) {
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
    observation.write(positions, from: 2, at: &column)
    observation.write(velocities, at: &column)
    observation.write(bodyInertias, from: 10, at: &column)
    observation.write(bodyVelocities, from: 6, at: &column)
    observation.write(actuatorForces, from: 6, at: &column)
    observation.write(contactForces, from: 6, at: &column)
  }
}
