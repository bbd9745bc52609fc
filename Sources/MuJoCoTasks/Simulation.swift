// Simulation.swift — one robot in MuJoCo, moved as Gymnasium moves it.

import Environments

/// A model that is simulated: `reset`, write the first state, `start`, then one `step` per control.
///
///     let simulation = try Simulation(modelPath: "balancer.xml", frameSkip: 4)
///     let hinge = try simulation.joint("hinge")
///     let gyro = try simulation.sensor("gyro")
///
/// Names are those of the model. All fields read and write MuJoCo's own memory and are valid as long as they are held.
/// What MuJoCo derives from the state (`output`) describes, after a step, the state before the last of the step's
/// `frameSkip` substeps, as MuJoCo leaves it and as Gymnasium reads it.
public final class Simulation {
  private let batch: Batch
  private let library: MuJoCoLibrary
  private let model: ModelFile
  private let state: Field
  private let frameSkip: Int
  private let computesContactForces: Bool

  /// Generalised positions.
  public let positions: Field  // q (nq)
  /// Generalised velocities.
  public let velocities: Field  // q̇ (nv)
  /// What the actuators are told.
  public let controls: Field  // (A)
  /// The positions that the model gives.
  public let initialPositions: [Double]  // (nq)
  let bodyMasses: [Double]  // kg (bodies)
  /// Lower and upper bound of each control.
  let controlBounds: [Double]  // (A × 2)
  /// The controls with their bounds.
  public let actionSpace: Space  // (A)
  /// One substep.
  public let timestep: Double  // s
  private let layout: Layout
  /// One control step: Δt.
  public var controlTimestep: Double { timestep * Double(frameSkip) }  // s

  /// Loads a model of the fetched ones.
  ///
  /// - Parameters:
  ///   - frameSkip: Substeps in one control step.
  ///   - computesContactForces: Whether `cfrc_ext` is computed; only then may it be read.
  convenience init(
    model name: String, frameSkip: Int, computesContactForces: Bool = false
  ) throws(MuJoCoUnavailable) {
    let library = try MuJoCoLibrary.shared.get()
    try self.init(library, library.model(name), frameSkip, computesContactForces)
  }

  /// Loads a model of your own.
  ///
  /// - Parameters:
  ///   - modelPath: An MJCF file; what it includes is looked for beside it.
  ///   - frameSkip: Substeps in one control step.
  ///   - computesContactForces: Whether `cfrc_ext` is computed; only then may it be read.
  /// - Throws: `MuJoCoUnavailable` when there is no library, or the model does not load, has no control, or a control
  ///   without a range.
  /// - Precondition: `frameSkip` is positive.
  public convenience init(
    modelPath: String, frameSkip: Int, computesContactForces: Bool = false
  ) throws(MuJoCoUnavailable) {
    try self.init(MuJoCoLibrary.shared.get(), ModelFile(path: modelPath), frameSkip, computesContactForces)
  }

  private init(
    _ library: MuJoCoLibrary, _ model: ModelFile, _ frameSkip: Int, _ computesContactForces: Bool
  ) throws(MuJoCoUnavailable) {
    precondition(frameSkip > 0, "\(frameSkip) substeps in a control step")
    (self.library, self.model) = (library, model)
    batch = try Batch(library, model)
    state = batch.state()
    positions = batch.state(.positions)
    velocities = batch.state(.velocities)
    controls = batch.state(.controls)
    let positions = positions
    initialPositions = (0..<positions.count).map { positions[$0] }
    self.frameSkip = frameSkip
    self.computesContactForces = computesContactForces

    let specimen = try Batch(library, model)
    timestep = try specimen.constant("opt.timestep")[0]
    bodyMasses = try specimen.constant("body_mass")
    let bounds = try specimen.constant("actuator_ctrlrange")
    controlBounds = bounds
    layout = try Layout(specimen)
    if bounds.isEmpty { throw MuJoCoUnavailable("the model \(model.path) has no actuator: there is nothing to learn") }
    // a control without a range has the range 0, 0
    for control in 0..<bounds.count / 2 where !(bounds[2 * control] < bounds[2 * control + 1]) {
      throw MuJoCoUnavailable(
        "the model \(model.path) gives control \(control) no range; a policy needs one: write ctrlrange=\"-1 1\"")
    }
    actionSpace = .box(
      Box(
        low: stride(from: 0, to: bounds.count, by: 2).map { Float(bounds[$0]) },
        high: stride(from: 1, to: bounds.count, by: 2).map { Float(bounds[$0]) }))
  }

  /// Advances one control step with `action` (A), which is not clipped: MuJoCo does that where the model says so.
  ///
  /// - Throws: `SimulatorFault` when MuJoCo failed or the motion diverged; the step then never happened.
  public func step(_ action: Span<Float>) throws(SimulatorFault) {
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
  public func reset() throws(SimulatorFault) {
    try batch.reset()
  }

  /// Computes what follows from the written positions and velocities.
  public func start() throws(SimulatorFault) {
    do {
      try batch.forward()
    } catch {
      batch.forgetWarnings()
      throw error
    }
  }

  /// A field of `mjData` that each step brings up to date, such as `xpos` (bodies × 3) or `site_xpos` (sites × 3); to
  /// be asked for before the first reset.
  public func output(_ name: String) throws(MuJoCoUnavailable) -> Field {
    try batch.output(name)
  }

  /// The place of a body in the rows of `xpos` and the like; 0 is the world.
  public func body(_ name: String) throws(MuJoCoUnavailable) -> Int {
    try batch.place(of: .body, name)
  }

  /// A joint's positions and velocities, to read and write: one of each for a hinge or a slide, 4 and 3 for a ball, 7
  /// and 6 for a free joint.
  public func joint(_ name: String) throws(MuJoCoUnavailable) -> (positions: Field, velocities: Field) {
    let place = try batch.place(of: .joint, name)
    return (positions[layout.jointPositions[place]], velocities[layout.jointVelocities[place]])
  }

  /// What a sensor measures, brought up to date by each step; to be asked for before the first reset.
  public func sensor(_ name: String) throws(MuJoCoUnavailable) -> Field {
    let place = try batch.place(of: .sensor, name)
    return try output("sensordata")[layout.sensorValues[place]]
  }

  /// The place of an actuator's control in `controls` and in actions.
  public func actuator(_ name: String) throws(MuJoCoUnavailable) -> Int {
    try batch.place(of: .actuator, name)
  }

  /// Where joints and sensors have their numbers.
  private struct Layout {
    let jointPositions: [Range<Int>]  // in q
    let jointVelocities: [Range<Int>]  // in q̇
    let sensorValues: [Range<Int>]  // in sensordata

    /// - Parameter specimen: a batch that is thrown away.
    init(_ specimen: Batch) throws(MuJoCoUnavailable) {
      func ranges(_ starts: [Int], end: Int) -> [Range<Int>] {
        zip(starts, starts.dropFirst() + [end]).map { $0..<$1 }
      }
      jointPositions = ranges(try specimen.wholeConstant("jnt_qposadr"), end: specimen.state(.positions).count)
      jointVelocities = ranges(try specimen.wholeConstant("jnt_dofadr"), end: specimen.state(.velocities).count)
      let sizes = try specimen.wholeConstant("sensor_dim")
      sensorValues = zip(try specimen.wholeConstant("sensor_adr"), sizes).map { $0..<$0 + $1 }
    }
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

  /// The model once more, to be looked at; it shares nothing with this simulation.
  package func makeScene() throws(MuJoCoUnavailable) -> RayScene { try RayScene(library, model) }
}
