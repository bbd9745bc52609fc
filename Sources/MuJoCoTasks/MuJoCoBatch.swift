// MuJoCoBatch.swift — one simulation, and the numbers inside it, made safe.
//
// The arrays that MuJoCo gives stay at their address until the batch is deleted: `Field` keeps the batch alive.

import Environments

/// `mjBatchConfig`.
private struct Configuration {
  var threads: CInt
  var isPersistent: Bool
}

/// A kind of thing that has a name in a model (`mjtObj`).
enum ModelPart: CInt {
  case body = 1
  case joint = 3
  case actuator = 19
  case sensor = 20
}

/// One part of the simulation's state (`mjtState`).
enum StateComponent: CInt {
  case positions = 2  // 1 << 1, qpos
  case velocities = 4  // 1 << 2, qvel
  case controls = 64  // 1 << 6, ctrl
}

/// A batch of one simulation on the caller's thread: `mjBatch` with all that is read through it.
@safe final class Batch {
  let functions: Functions
  let handle: OpaquePointer
  /// For each kind of warning what the last was about, and how many there were (`mjWarningStat`).
  private let warnings: UnsafeMutablePointer<CInt>  // (7 × 2)
  private let stateValues: UnsafeMutablePointer<Double>  // (stateCount)
  private let backup: UnsafeMutablePointer<Double>  // (stateCount)
  private let modelName: String
  let stateCount: Int

  /// Loads `models/<name>.xml` of the library's folder and makes one simulation of it.
  convenience init(_ library: MuJoCoLibrary, model name: String) throws(MuJoCoUnavailable) {
    try self.init(library, library.model(name))
  }

  /// Loads a model and makes one simulation of it.
  init(_ library: MuJoCoLibrary, _ file: ModelFile) throws(MuJoCoUnavailable) {
    let functions = library.functions
    self.functions = functions
    modelName = file.name
    let path = file.path
    try file.check()
    var text = [CChar](repeating: 0, count: 1000)
    guard let model = unsafe functions.loadXML(path, nil, &text, CInt(text.count)) else {
      throw MuJoCoUnavailable("the model \(path) does not load: \(oneLine(text)); \(file.remedy)")
    }
    defer { unsafe functions.deleteModel(model) }
    // one thread: the caller's. Persistent: what a step did not compute keeps its value, as in one `mjData`
    var configuration = Configuration(threads: 1, isPersistent: true)
    guard let handle = unsafe functions.makeBatch(model, 1, &configuration, &text, CInt(text.count)) else {
      throw MuJoCoUnavailable("the model \(path) cannot be simulated: \(oneLine(text)); \(file.remedy)")
    }
    unsafe self.handle = handle
    stateCount = unsafe Int(functions.stateCount(handle))
    unsafe stateValues = unsafe functions.state(handle)
    unsafe warnings = unsafe functions.warning(handle)
    unsafe backup = .allocate(capacity: stateCount)
    unsafe backup.initialize(from: stateValues, count: stateCount)
  }

  deinit {
    unsafe backup.deallocate()
    unsafe functions.deleteBatch(handle)
  }

  /// Everything the next step depends on: `mjSTATE_INTEGRATION`, the warm start included.
  func state() -> Field {
    unsafe Field(batch: self, base: stateValues, count: stateCount)
  }

  func state(_ component: StateComponent) -> Field {
    var count: CInt = 0
    // a model without actuators has no controls, then there may be no address
    guard let base = unsafe functions.stateComponent(handle, component.rawValue, &count) else {
      return unsafe Field(batch: self, base: stateValues, count: 0)
    }
    return unsafe Field(batch: self, base: base, count: Int(count))
  }

  /// A field of `mjData`, brought up to date by each call: `xpos`, `cfrc_ext` …
  func output(_ name: String) throws(MuJoCoUnavailable) -> Field {
    try unsafe field(name, of: "mjData") { unsafe functions.output(handle, name, $0, $1) }
  }

  /// A field of `mjModel`: `body_mass`, `opt.timestep` … Only for a batch that is thrown away: it costs each step.
  func constant(_ name: String) throws(MuJoCoUnavailable) -> [Double] {
    let field = try unsafe field(name, of: "mjModel") { unsafe functions.expand(handle, name, $0, $1) }
    return (0..<field.count).map { field[$0] }
  }

  /// A field of `mjModel` with whole numbers: `jnt_qposadr` … Only for a batch that is thrown away.
  func wholeConstant(_ name: String) throws(MuJoCoUnavailable) -> [Int] {
    var count: CInt = 0
    var elementSize: CInt = 0
    guard let base = unsafe functions.expand(handle, name, &count, &elementSize), elementSize == 4 else {
      throw MuJoCoUnavailable("MuJoCo has no whole numbers \(name) in mjModel of the model \(modelName)")
    }
    // read at once: nothing keeps the address
    return (0..<Int(count)).map { Int(unsafe base.load(fromByteOffset: 4 * $0, as: CInt.self)) }
  }

  /// A field of `mjModel` in single precision: `geom_rgba` … Only for a batch that is not simulated.
  func singleConstant(_ name: String) throws(MuJoCoUnavailable) -> [Float] {
    var count: CInt = 0
    var elementSize: CInt = 0
    guard let base = unsafe functions.expand(handle, name, &count, &elementSize), elementSize == 4 else {
      throw MuJoCoUnavailable("MuJoCo has no single numbers \(name) in mjModel of the model \(modelName)")
    }
    return (0..<Int(count)).map { unsafe base.load(fromByteOffset: 4 * $0, as: Float.self) }
  }

  private func field(
    _ name: String, of owner: String,
    at address: (UnsafeMutablePointer<CInt>, UnsafeMutablePointer<CInt>) -> UnsafeMutableRawPointer?
  ) throws(MuJoCoUnavailable) -> Field {
    var count: CInt = 0
    var elementSize: CInt = 0
    guard let base = unsafe address(&count, &elementSize), elementSize == 8 else {
      throw MuJoCoUnavailable("MuJoCo has no numbers \(name) in \(owner) of the model \(modelName)")
    }
    return unsafe Field(batch: self, base: base.assumingMemoryBound(to: Double.self), count: Int(count))
  }

  /// The place of something named among the model's things of its kind; body 0 is the world.
  func place(of kind: ModelPart, _ name: String) throws(MuJoCoUnavailable) -> Int {
    let index = unsafe functions.indexOfName(functions.model(handle), kind.rawValue, name)
    guard index >= 0 else { throw MuJoCoUnavailable("the model \(modelName) has no \(kind) \(name)") }
    return Int(index)
  }

  /// Back to the model's defaults; computes nothing.
  func reset() throws(SimulatorFault) {
    let failures = unsafe functions.reset(handle, nil, 0, nil, Stage.none)
    try check(failures, "reset")
  }

  /// Computes all that follows from the state.
  func forward() throws(SimulatorFault) {
    let failures = unsafe functions.forward(handle, nil, 0, Stage.acceleration)
    try check(failures, "forward dynamics")
  }

  /// Advances by `count` steps; the outputs describe the state before the last of them.
  func step(_ count: Int) throws(SimulatorFault) {
    let failures = unsafe functions.step(handle, nil, 0, CInt(count), Stage.none)
    try check(failures, "step")
  }

  /// Computes the contact forces and the like (`cfrc_ext`, `cacc`) of the last step, and brings the outputs up to date.
  func updateContactForces() throws(SimulatorFault) {
    let failures = unsafe functions.apply(handle, nil, 0, functions.rnePostConstraint, nil, 0)
    try check(failures, "contact forces")
    // computes nothing: copies the outputs
    let copied = unsafe functions.forward(handle, nil, 0, Stage.none)
    try check(copied, "contact forces")
  }

  /// Remembers the state for `rollBack`.
  func keepState() {
    unsafe backup.update(from: stateValues, count: stateCount)
  }

  /// Goes back to the state of the last `keepState`, and forgets the warnings since.
  func rollBack() {
    unsafe stateValues.update(from: backup, count: stateCount)
    forgetWarnings()
  }

  func forgetWarnings() {
    for kind in 0..<7 { unsafe warnings[2 * kind + 1] = 0 }
  }

  /// - Throws: `SimulatorFault` when MuJoCo raised an error, or found numbers that are not finite or huge: after the
  ///   latter it resets the simulation, or the control, by itself and goes on.
  private func check(_ failures: CInt, _ call: String) throws(SimulatorFault) {
    if failures != 0 {
      let message = unsafe String(cString: functions.error(handle, 0))
      throw SimulatorFault("MuJoCo failed in the \(call) of \(modelName): \(message)")
    }
    // mjWARN_BADQPOS = 3, then as listed. They are 0 between calls: a fault is rolled back
    for (kind, quantity) in Self.checkedQuantities {
      if unsafe warnings[2 * kind + 1] > 0 {
        let index = unsafe warnings[2 * kind]
        throw SimulatorFault(
          "MuJoCo's simulation of \(modelName) broke: \(quantity) \(index) is not finite or too large")
      }
    }
  }

  private static let checkedQuantities = [(3, "position"), (4, "velocity"), (5, "acceleration"), (6, "control")]
}

/// Numbers inside a simulation: a part of its state, or an output. Reads and writes go to MuJoCo's own memory, which
/// stays as long as the field is held.
@safe public struct Field {
  /// Keeps the memory.
  private let batch: Batch
  private let base: UnsafeMutablePointer<Double>
  /// The numbers of the field.
  public let count: Int

  /// - Precondition: `batch` owns `count` numbers from `base` on, at one address for as long as it lives.
  fileprivate init(batch: Batch, base: UnsafeMutablePointer<Double>, count: Int) {
    self.batch = batch
    unsafe self.base = unsafe base
    self.count = count
  }

  /// - Precondition: `i` is a place of the field.
  public subscript(i: Int) -> Double {
    get {
      precondition(i >= 0 && i < count, "number \(i) of \(count)")
      return unsafe base[i]
    }
    nonmutating set {
      precondition(i >= 0 && i < count, "number \(i) of \(count)")
      unsafe base[i] = newValue
    }
  }

  /// A part of the field.
  ///
  /// - Precondition: `places` are places of the field.
  public subscript(places: Range<Int>) -> Field {
    precondition(places.lowerBound >= 0 && places.upperBound <= count, "numbers \(places) of \(count)")
    return unsafe Field(batch: batch, base: base + places.lowerBound, count: places.count)
  }

  /// One row of three numbers, such as a body's place in `xpos`.
  public func point(_ row: Int) -> SIMD3<Double> {
    SIMD3(self[3 * row], self[3 * row + 1], self[3 * row + 2])
  }
}

/// The first line of a C text.
private func oneLine(_ text: [CChar]) -> String {
  let bytes = text.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
  return String(decoding: bytes, as: UTF8.self)
}
