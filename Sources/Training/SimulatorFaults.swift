// SimulatorFaults.swift — how often the simulator broke, and when that is too often to go on.

import Platform

/// The simulator's faults of a run. A fault costs an episode, whose last step never happened; a few of them are the price of
/// stiff contacts, many are an environment or a policy that has gone wrong.
public struct SimulatorFaults: Sendable, Equatable {
  /// Faults of the last `window` steps that a run takes; one more stops it.
  public static let limit = 5
  /// Environment steps.
  public static let window = 100_000

  /// Faults since the start.
  public private(set) var total = 0
  /// Environment steps at which the last of them came, at most one more than the limit.
  private(set) var recent: [Int] = []

  /// None so far.
  public init() {}

  /// - Throws: `TooManySimulatorFaults` when there were more than `limit` within the last `window` steps.
  mutating func add(step: Int, _ description: String) throws(TooManySimulatorFaults) {
    total += 1
    recent = recent.filter { $0 > step - Self.window } + [step]
    if recent.count > Self.limit { throw TooManySimulatorFaults(count: recent.count, step: step, last: description) }
  }

  // MARK: as numbers

  var counts: [UInt64] { ([total] + recent).map { UInt64($0) } }

  init(counts: [UInt64]) {
    let whole = counts.compactMap { Int(exactly: $0) }
    (total, recent) = (whole.first ?? 0, Array(whole.dropFirst()))
  }
}

/// The simulator broke so often that what is learned from it means nothing.
public struct TooManySimulatorFaults: Error, RemediableError, CustomStringConvertible {
  /// Faults so far.
  public let count: Int
  /// The environment step of the last one.
  public let step: Int
  /// What the last one said.
  public let last: String

  /// How many faults, in how many steps, and what to do, in one line.
  public var description: String {
    "the simulator broke \(count) times within \(SimulatorFaults.window) steps, the last time at step \(step): \(last); "
      + "\(SimulatorFaults.limit) are taken, more mean that the environment cannot stand these actions: "
      + "check whether random ones break it too"
  }

  package var remedies: [Remedy] { [.checkEnvironment(nil)] }
}

/// One fault, for whoever watches.
public struct SimulatorFaultRecord: Sendable {
  /// Environment steps taken before.
  public let step: Int
  /// Faults of the run, this one included.
  public let total: Int
  /// What the simulator said, in one line.
  public let description: String
  /// The environment's state and the action that broke it.
  public let dump: FailureDump
}
