// Simulation.swift — one robot in MuJoCo, moved as Gymnasium moves it.

import Environments

/// A model that is simulated: `reset`, write the first state, `start`, then one `step` per control.
///
/// What MuJoCo derives from the state (`output`) describes, after a step, the state before the last of the step's
/// `frameSkip` substeps, as MuJoCo leaves it and as Gymnasium reads it.
final class Simulation {
  private let batch: Batch
  private let state: Field
  private let frameSkip: Int
  private let computesContactForces: Bool

  let positions: Field  // q (nq)
  let velocities: Field  // q̇ (nv)
  let controls: Field  // (A)
  /// The positions that the model gives.
  let initialPositions: [Double]  // (nq)
  let bodyMasses: [Double]  // kg (bodies)
  /// Lower and upper bound of each control.
  let controlBounds: [Double]  // (A × 2)
  /// One substep.
  let timestep: Double  // s
  /// One control step: Δt.
  var controlTimestep: Double { timestep * Double(frameSkip) }  // s

  /// Loads a model of the fetched ones.
  ///
  /// - Parameters:
  ///   - frameSkip: Substeps in one control step.
  ///   - computesContactForces: Whether `cfrc_ext` is computed; only then may it be read.
  init(
    model name: String, frameSkip: Int, computesContactForces: Bool = false
  ) throws(MuJoCoUnavailable) {
    let library = try MuJoCoLibrary.shared.get()
    batch = try Batch(library, model: name)
    state = batch.state()
    positions = batch.state(.positions)
    velocities = batch.state(.velocities)
    controls = batch.state(.controls)
    let positions = positions
    initialPositions = (0..<positions.count).map { positions[$0] }
    self.frameSkip = frameSkip
    self.computesContactForces = computesContactForces

    let specimen = try Batch(library, model: name)
    timestep = try specimen.constant("opt.timestep")[0]
    bodyMasses = try specimen.constant("body_mass")
    controlBounds = try specimen.constant("actuator_ctrlrange")
  }

  /// Advances one control step with `action` (A), which is not clipped: MuJoCo does that where the model says so.
  ///
  /// - Throws: `SimulatorFault` when MuJoCo failed or the motion diverged; the step then never happened.
  func step(_ action: Span<Float>) throws(SimulatorFault) {
    precondition(action.count == controls.count, "an action of \(action.count) values for \(controls.count) controls")
    batch.keepState()
    for i in action.indices { controls[i] = Double(action[i]) }
    // differs: where MuJoCo resets a diverged simulation by itself, Gymnasium goes on with what it then finds
    do {
      try batch.step(frameSkip)
      if computesContactForces { try batch.updateContactForces() }
    } catch {
      batch.rollBack()
      throw error
    }
  }

  /// Back to the model's own state. Positions and velocities may be written then, before `start`.
  func reset() throws(SimulatorFault) {
    try batch.reset()
  }

  /// Computes what follows from the written positions and velocities.
  func start() throws(SimulatorFault) {
    do {
      try batch.forward()
    } catch {
      batch.forgetWarnings()
      throw error
    }
  }

  /// A field of `mjData` that each step brings up to date; to be asked for before the first reset.
  func output(_ name: String) throws(MuJoCoUnavailable) -> Field {
    try batch.output(name)
  }

  /// The place of a body in the rows of `xpos` and the like; 0 is the world.
  func body(_ name: String) throws(MuJoCoUnavailable) -> Int {
    try batch.body(name)
  }

  /// Everything the next step depends on.
  var savedState: [Double] {
    get { (0..<state.count).map { state[$0] } }
    set {
      precondition(newValue.count == state.count, "a state of \(newValue.count) values for \(state.count)")
      for i in newValue.indices { state[i] = newValue[i] }
      batch.forgetWarnings()
    }
  }

  var stateCount: Int { state.count }
}
