// PythonWorker.swift — one process with some Python environments: what it is asked, and what it answers.
//
//   L  JSON: modules, reference, options, lanes, whether to look if it saves exactly  →  JSON: sizes, limits, what resuming can
//      promise
//   M  bytes of memory            R  lane, seed: reset                S  one step in every active lane
//   G  rows, achieved and desired goals  →  rewards, terminations     V  lane  →  its state      W  lane, its state
//
// Every answer begins with k, or with e, a lane and a sentence. Numbers of a step go through shared memory.

import Environments
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// An environment in Python failed, or its process did.
public struct PythonFault: Error, CustomStringConvertible {
  /// The environment, what was raised and where, in one line.
  public let description: String
}

/// How Python environments are run.
public struct PythonSettings: Sendable {
  /// The interpreter; nil: OFFPOLICY_PYTHON, then that of an active virtual environment, then python3 in the search path.
  public var interpreter: String?
  /// Processes that share the environments of a run; nil: one for each, at most one for each core.
  public var workers: Int?
  /// Seconds that a reset or a step may take.
  public var stepLimit = 60.0
  /// What becomes of a run whose environment fails.
  public var onFault = OnFault.stop

  /// What becomes of a run whose environment fails.
  public enum OnFault: String, Sendable, CaseIterable {
    /// The run ends; it can be resumed from its last checkpoint.
    case stop
    /// The environment is made anew, and the fault counted as a simulator's.
    case restart
  }

  /// The defaults.
  public init() {}

  /// The same with another interpreter.
  public func with(interpreter: String) -> PythonSettings {
    var settings = self
    settings.interpreter = interpreter
    return settings
  }

  /// The interpreter that is run: the one that was set, or what the variables of the process say.
  package var interpreterPath: String {
    if let interpreter { return interpreter }
    let variables = ProcessInfo.processInfo.environment
    if let named = variables["OFFPOLICY_PYTHON"], !named.isEmpty { return named }
    if let folder = variables["VIRTUAL_ENV"], !folder.isEmpty { return "\(folder)/bin/python" }
    return "python3"
  }
}

/// What a Python environment is, as its process says.
struct PythonDescription: Decodable {
  struct Actions: Decodable {
    var low: [Float]?
    var high: [Float]?
    var choices: Int?
  }
  struct Goals: Decodable {
    var observationSize: Int
    var goalSize: Int
  }

  var observationSize: Int
  var actions: Actions
  var goals: Goals?
  var maximumSteps: Int?
  var rewardThreshold: Double?
  var resume: ResumePromise

  var actionSpace: Space {
    if let choices = actions.choices { return .discrete(Discrete(choices)) }
    return .box(Box(low: actions.low ?? [], high: actions.high ?? []))
  }
}

final class PythonWorker {
  let description: PythonDescription
  let lanes: Int
  private let process: SpawnedProcess
  private let reference: String
  private let limit: Double
  /// Importing and making may take longer than a step.
  private static let startLimit = 300.0

  /// Starts the process and makes its environments.
  ///
  /// - Parameter looks: whether it tries if environments can be saved exactly.
  init(_ reference: String, _ options: EnvironmentOptions, lanes: Int, looks: Bool, _ settings: PythonSettings) throws {
    (self.reference, self.lanes, limit) = (reference, lanes, settings.stepLimit)
    let program = settings.interpreterPath
    do {
      process = try SpawnedProcess(
        [program, "-c", String(decoding: PackageResources.worker_py, as: UTF8.self)],
        environment: [
          "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1",
        ])
    } catch {
      throw PythonFault(description: "\(reference): \(error)")
    }
    let request = try JSONEncoder().encode(
      Request(reference: reference, options: options, lanes: lanes, looks: looks))
    do {
      try process.send([UInt8(ascii: "L")] + UInt32(request.count).littleEndianBytes + request)
      try Self.check(process, reference, within: Self.startLimit)
      let count = Int(try process.receive(4, within: limit).word32)
      description = try JSONDecoder().decode(
        PythonDescription.self, from: Data(process.receive(count, within: limit)))
    } catch let fault as ProcessFault {
      throw PythonFault(description: "\(reference): \(program): \(fault)")
    } catch let error as DecodingError {
      throw PythonFault(description: "\(reference) cannot be learned in: \(error)")
    }
    let memory = Memory.layout(lanes, description)
    try process.share(bytes: memory.count)
    try ask("M", UInt64(memory.count).littleEndianBytes)
  }

  private struct Request: Encodable {
    /// Name and text of the modules that worker.py shares with the Python package, in the order in which they need each other.
    var modules = [
      ["errors", String(decoding: PackageResources.errors_py, as: UTF8.self)],
      ["spaces", String(decoding: PackageResources.spaces_py, as: UTF8.self)],
      ["flatten", String(decoding: PackageResources.flatten_py, as: UTF8.self)],
    ]
    var reference: String
    var options: EnvironmentOptions
    var lanes: Int
    var looks: Bool
  }

  /// Where the numbers are in the shared memory: worker.py has the same order.
  private enum Memory {
    static func layout(_ lanes: Int, _ description: PythonDescription) -> (
      rewards: Int, flags: Int, active: Int, actions: Int, next: Int, first: Int, count: Int
    ) {
      func padded(_ bytes: Int) -> Int { (bytes + 7) / 8 * 8 }
      let (s, a) = (description.observationSize, description.actionSpace.count)
      let flags = padded(8 * lanes)
      let active = flags + padded(lanes)
      let actions = active + padded(lanes)
      let next = actions + padded(4 * lanes * a)
      let first = next + padded(4 * lanes * s)
      return (0, flags, active, actions, next, first, first + padded(4 * lanes * s))
    }
  }

  // MARK: commands

  /// Asks and waits.
  private func ask(_ command: Unicode.Scalar, _ bytes: [UInt8] = []) throws {
    try send(command, bytes)
    try answer()
  }

  private func send(_ command: Unicode.Scalar, _ bytes: [UInt8] = []) throws {
    do { try process.send([UInt8(ascii: command)] + bytes) } catch {
      throw PythonFault(description: "\(reference): \(error)")
    }
  }

  private func answer() throws {
    do { try Self.check(process, reference, within: limit) } catch let fault as ProcessFault {
      throw PythonFault(description: "\(reference): \(fault)")
    }
  }

  private static func check(_ process: SpawnedProcess, _ reference: String, within limit: Double) throws {
    if try process.receive(1, within: limit)[0] == UInt8(ascii: "k") { return }
    let head = try process.receive(8, within: limit)
    let text = try process.receive(Int(Array(head[4...]).word32), within: limit)
    throw PythonFault(
      description: "\(reference), environment \(head.word32): " + String(decoding: text, as: UTF8.self))
  }

  func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    try ask("R", UInt32(lane).littleEndianBytes + [seed == nil ? 0 : 1] + (seed ?? 0).littleEndianBytes)
    read(Memory.layout(lanes, description).first, lane: lane, into: &observation)
  }

  /// Begins a step in some lanes; `finishStep` waits for it.
  func beginStep(_ actions: Span<Float>, isActive: [Bool]) throws {
    let layout = Memory.layout(lanes, description)
    for i in 0..<actions.count {
      process.set(actions[i], at: layout.actions + 4 * i)
    }
    for lane in 0..<lanes { process.set(UInt8(isActive[lane] ? 1 : 0), at: layout.active + lane) }
    try send("S")
  }

  func finishStep() throws { try answer() }

  /// What a lane's last step gave, and its observation.
  func outcome(lane: Int, into observation: inout MutableSpan<Float>) -> StepOutcome {
    let layout = Memory.layout(lanes, description)
    read(layout.next, lane: lane, into: &observation)
    let flags = process.number(at: layout.flags + lane, as: UInt8.self)
    return StepOutcome(
      reward: process.number(at: layout.rewards + 8 * lane, as: Double.self),
      terminated: flags & 1 != 0, truncated: flags & 2 != 0)
  }

  private func read(_ place: Int, lane: Int, into observation: inout MutableSpan<Float>) {
    let start = place + 4 * lane * observation.count
    for i in 0..<observation.count {
      observation[i] = process.number(at: start + 4 * i, as: Float.self)
    }
  }

  /// Rewards and terminations (2: as it was) of goals (rows × G).
  func goals(achieved: Span<Float>, desired: Span<Float>, rows: Int) throws -> (rewards: [Float], terminated: [UInt8]) {
    var bytes = UInt32(rows).littleEndianBytes
    for i in 0..<achieved.count { bytes += achieved[i].bitPattern.littleEndianBytes }
    for i in 0..<desired.count { bytes += desired[i].bitPattern.littleEndianBytes }
    try ask("G", bytes)
    let answer = try received(5 * rows)
    let rewards = (0..<rows).map { Float(bitPattern: Array(answer[(4 * $0)..<(4 * $0 + 4)]).word32) }
    return (rewards, Array(answer[(4 * rows)...]))
  }

  func saveState(lane: Int) throws -> [UInt8] {
    try ask("V", UInt32(lane).littleEndianBytes)
    return try received(Int(try received(4).word32))
  }

  func restore(_ state: [UInt8], lane: Int) throws {
    try ask("W", UInt32(lane).littleEndianBytes + UInt32(state.count).littleEndianBytes + state)
  }

  private func received(_ count: Int) throws -> [UInt8] {
    do { return try process.receive(count, within: limit) } catch {
      throw PythonFault(description: "\(reference): \(error)")
    }
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] {
    (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) }
  }
}

extension Array where Element == UInt8 {
  /// The first four bytes as a number.
  var word32: UInt32 { (0..<4).reduce(0) { $0 | UInt32(self[$1]) << (8 * UInt32($1)) } }
}
