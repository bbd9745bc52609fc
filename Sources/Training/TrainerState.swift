// TrainerState.swift — the whole state of a run as one struct, and how far its files reach.

import Algorithms
import Environments
import Networks
import Replay

/// Everything that the rest of a run depends on, besides the frames of the replay buffer.
public struct TrainerState: Sendable, Equatable {
  public var step = 0
  public var episodes = 0
  public var updates = 0
  public var evaluatedStep = 0
  public var bestReturn = -Double.infinity
  /// The environments' episodes; none where the run learns from data.
  public var lanes: [TrainingLane] = []
  /// The environments in mid-episode, by lane; nil before a lane's first reset.
  public var environments: [EnvironmentState?] = []
  /// Positions of streams.
  public var randomActions: UInt64 = 0
  public var sampling: UInt64 = 0
  /// What the sampler keeps, such as priorities.
  package var sampler = SamplerState()
  public var metrics = MetricsWindow()
  public var health = HealthMonitor.State()
  public var faults = SimulatorFaults()
  /// Running statistics by name, `normalizer.…` and `rewardScaler.…`; none where nothing is normalised.
  public var normalization: [String: [Double]] = [:]
  public var algorithm: AlgorithmState

  public init(algorithm: AlgorithmState) { self.algorithm = algorithm }
}

/// What a checkpoint keeps besides the trainer: how far each log and the replay files reach.
public struct RunProgress: Sendable, Equatable {
  /// Bytes of each log, by file name.
  public var logSizes: [String: UInt64] = [:]
  /// What is on disk of each lane's replay buffer.
  public var replay: [Replay] = []
  /// Seconds of training so far.
  public var seconds = 0.0
  /// What the checkpoints before this one cost.
  public var pauses = CheckpointPauses()

  public init() {}

  public struct Replay: Sendable, Equatable {
    /// The frames that the files hold.
    public var frames: Range<UInt64> = 0..<0
    /// A hash of each file, by its number.
    public var digests: [UInt64: UInt64] = [:]

    public init(frames: Range<UInt64> = 0..<0, digests: [UInt64: UInt64] = [:]) {
      (self.frames, self.digests) = (frames, digests)
    }
  }
}

/// How long training waited for its checkpoints.
public struct CheckpointPauses: Sendable, Equatable {
  public var count = 0
  /// Seconds.
  public var total = 0.0
  /// Seconds.
  public var longest = 0.0

  public init() {}

  mutating func add(_ seconds: Double) {
    count += 1
    total += seconds
    longest = max(longest, seconds)
  }
}

/// A checkpoint that cannot be read.
public struct CheckpointError: Error, CustomStringConvertible {
  /// What is wrong with which file.
  package let fault: String

  init(_ path: String, _ reason: String) { fault = "\(path) \(reason)" }

  public var description: String { "\(fault); it cannot be resumed from" }
}

extension TrainerState {
  /// What is not finite in it, if anything: "NAME[i] is nan".
  var firstNonFinite: String? {
    // a temperature that is fixed at 0 has the logarithm −∞
    for tensor in algorithm.tensors where tensor.name != "log_temperature" {
      if let place = tensor.firstNonFinite { return place }
    }
    if let (name, value) = algorithm.numbers.sorted(by: { $0.key < $1.key }).first(where: {
      $0.value.isNaN || $0.value == .infinity
    }) {
      return "\(name) is \(value)"
    }
    for (name, values) in normalization.sorted(by: { $0.key < $1.key }) {
      if let i = values.firstIndex(where: { !$0.isFinite }) { return "\(name)[\(i)] is \(values[i])" }
    }
    for (name, values) in sampler.arrays.sorted(by: { $0.key < $1.key }) {
      if let i = values.firstIndex(where: { !$0.isFinite }) { return "sampler.\(name)[\(i)] is \(values[i])" }
    }
    for (n, lane) in lanes.enumerated() {
      let name = lanes.count == 1 ? "observation" : "observation of environment \(n)"
      let tensor = Tensor(name: name, shape: [lane.observation.count], values: lane.observation)
      if let place = tensor.firstNonFinite { return place }
    }
    for (n, environment) in environments.enumerated() {
      if let i = environment?.values.firstIndex(where: { !$0.isFinite }) {
        return "value \(i) of the state of environment \(n) is \(environment?.values[i] ?? .nan)"
      }
    }
    return nil
  }
}
