// TrainerState.swift — the whole state of a run as one struct, and how far its files reach.

import Algorithms
import Environments
import Networks
import Replay

/// Everything that the rest of a run depends on, besides the frames of the replay buffer.
public struct TrainerState: Sendable, Equatable {
  /// Environment steps over all environments.
  public var step = 0
  /// Episodes that have ended.
  public var episodes = 0
  /// Updates so far.
  public var updates = 0
  /// The step up to which updates were made, where those of the last round are still owed; nil: all are made.
  public var roundStart: Int? = nil
  /// The step of the last evaluation.
  public var evaluatedStep = 0
  /// The mean return of the best evaluation.
  public var bestReturn = -Double.infinity
  /// The environments' episodes; none where the run learns from data.
  public var lanes: [TrainingLane] = []
  /// The environments in mid-episode, by lane; nil before a lane's first reset.
  public var environments: [EnvironmentState?] = []
  /// Positions of streams.
  public var randomActions: UInt64 = 0
  /// The position of the stream that draws batches.
  public var sampling: UInt64 = 0
  /// What the sampler keeps, such as priorities.
  package var sampler = SamplerState()
  /// What the next row of metrics has gathered.
  public var metrics = MetricsWindow()
  /// What the health monitor keeps.
  public var health = HealthMonitor.State()
  /// Faults of the simulator so far.
  public var faults = SimulatorFaults()
  /// Running statistics by name, `normalizer.…` and `rewardScaler.…`; none where nothing is normalised.
  public var normalization: [String: [Double]] = [:]
  /// Parameters, moments, streams and counts of the algorithm.
  public var algorithm: AlgorithmState

  /// The state of a run that has not begun.
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
  /// The settings of the run; nil in checkpoints that were written before they had them.
  package var identity: RunIdentity?
  /// A best policy's file that the disk has refused so far.
  package var unsavedBest: [UInt8] = []

  /// Nothing yet.
  public init() {}

  /// Which frames of a lane's replay buffer the checkpoint needs, and their hashes.
  public struct Replay: Sendable, Equatable {
    /// The frames that the files hold.
    public var frames: Range<UInt64> = 0..<0
    /// A hash of each file, by its number.
    public var digests: [UInt64: UInt64] = [:]

    /// Frames of a lane, with the hashes of their files.
    public init(frames: Range<UInt64> = 0..<0, digests: [UInt64: UInt64] = [:]) {
      (self.frames, self.digests) = (frames, digests)
    }
  }
}

/// How long training waited for its checkpoints.
public struct CheckpointPauses: Sendable, Equatable {
  /// Checkpoints written while training.
  public var count = 0
  /// Seconds.
  public var total = 0.0
  /// Seconds.
  public var longest = 0.0

  /// None so far.
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

  /// What is wrong with the state, in one line.
  public var description: String { "\(fault); it cannot be resumed from" }
}
