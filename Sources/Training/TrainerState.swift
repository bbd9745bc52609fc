// TrainerState.swift — the whole state of a run as one struct, and its file.

import Algorithms
import Environments
import Formats
import Networks

/// Everything that the rest of a run depends on, besides the frames of the replay buffer.
public struct TrainerState: Sendable, Equatable {
  public var step: Int
  public var episodes: Int
  public var updates: Int
  public var evaluatedStep: Int
  public var bestReturn: Double
  public var episodeReturn: Double
  public var episodeLength: Int
  public var needsReset: Bool
  public var observation: [Float]
  /// The task in mid-episode; nil before its first reset.
  public var environment: EnvironmentState?
  public var randomActions: UInt64
  public var sampling: UInt64
  public var metrics: MetricsWindow
  /// What the health monitor remembers, as `HealthMonitor.numbers`.
  public var health: [Double]
  public var faults: SimulatorFaults
  public var algorithm: AlgorithmState
}

/// What a checkpoint keeps besides the trainer: how far each log and the replay files reach.
public struct RunProgress: Sendable, Equatable {
  /// Bytes of each log, by file name.
  public var logSizes: [String: UInt64] = [:]
  /// The frames that the replay files hold.
  public var frames: Range<UInt64> = 0..<0
  /// A hash of each replay file, by its number.
  public var replayDigests: [UInt64: UInt64] = [:]
  /// Seconds of training so far.
  public var seconds = 0.0
  /// What the checkpoints before this one cost.
  public var pauses = CheckpointPauses()

  public init() {}
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
  static let format = "swift-offpolicy checkpoint"
  static let version = 1

  func encoded(_ progress: RunProgress) -> SafeTensors {
    var file = SafeTensors()
    for tensor in algorithm.tensors { file.add("algorithm." + tensor.name, floats: tensor.values, shape: tensor.shape) }
    for (name, value) in algorithm.numbers { file.add("algorithm.number." + name, doubles: [value], shape: [1]) }
    for (name, value) in algorithm.counts { file.add("algorithm.count." + name, uint64s: [value], shape: [1]) }
    file.add("trainer.observation", floats: observation, shape: [observation.count])
    if let environment {
      file.add("environment.values", doubles: environment.values, shape: [environment.values.count])
      let words = environment.generator.words
      file.add("environment.generator", uint64s: words, shape: [words.count])
    }
    let counts: [UInt64] = [
      UInt64(step), UInt64(episodes), UInt64(updates), UInt64(evaluatedStep), UInt64(episodeLength),
      needsReset ? 1 : 0, randomActions, sampling, progress.frames.lowerBound, progress.frames.upperBound,
    ]
    file.add("trainer.counts", uint64s: counts, shape: [counts.count])
    let numbers = [bestReturn, episodeReturn, progress.seconds]
    file.add("trainer.numbers", doubles: numbers, shape: [numbers.count])
    let window = metrics.sums + metrics.counts + [metrics.temperature]
    file.add("trainer.metrics", doubles: window, shape: [window.count])
    file.add("trainer.health", doubles: health, shape: [health.count])
    if faults.total > 0 { file.add("trainer.faults", uint64s: faults.counts, shape: [faults.counts.count]) }
    let pauses = [Double(progress.pauses.count), progress.pauses.total, progress.pauses.longest]
    file.add("progress.pauses", doubles: pauses, shape: [pauses.count])
    for (name, size) in progress.logSizes { file.add("log." + name, uint64s: [size], shape: [1]) }
    let digests = progress.replayDigests.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    file.add("replay.digests", uint64s: digests, shape: [digests.count / 2, 2])
    file.metadata = ["format": Self.format, "version": "\(Self.version)", "digest": file.digest]
    return file
  }

  init(_ file: SafeTensors, path: String) throws {
    guard file.metadata["format"] == Self.format else {
      throw CheckpointError(path, "is not a checkpoint of this program")
    }
    guard file.metadata["version"] == "\(Self.version)" else {
      throw CheckpointError(
        path, "has checkpoint format \(file.metadata["version"] ?? "unknown"), this program reads \(Self.version)")
    }
    guard file.metadata["digest"] == file.digest else { throw CheckpointError(path, "is damaged: its hash is another") }
    let (counts, numbers, window) = try (
      file.integers64("trainer.counts"), file.doubles("trainer.numbers"), file.doubles("trainer.metrics")
    )
    let whole = counts.compactMap { Int(exactly: $0) }
    guard counts.count == 10, whole.count == 10, numbers.count == 3, window.count >= 9, window.count % 2 == 1
    else {
      throw CheckpointError(path, "has counters of another version")
    }
    guard counts[8] <= counts[9], counts[9] < 1 << 48 else {
      throw CheckpointError(path, "counts frames \(counts[8]) to \(counts[9]), which no run has")
    }
    (step, episodes, updates, evaluatedStep) = (whole[0], whole[1], whole[2], whole[3])
    (episodeLength, needsReset) = (whole[4], whole[5] != 0)
    (randomActions, sampling) = (counts[6], counts[7])
    (bestReturn, episodeReturn) = (numbers[0], numbers[1])
    let half = window.count / 2
    metrics = MetricsWindow(
      sums: Array(window[..<half]), counts: Array(window[half..<(2 * half)]), temperature: window[2 * half])
    health = file.contains("trainer.health") ? try file.doubles("trainer.health") : []
    // missing where there were none, and in files of 0.1.0
    faults = SimulatorFaults(counts: file.contains("trainer.faults") ? try file.integers64("trainer.faults") : [])
    observation = try file.floats("trainer.observation")
    if file.contains("environment.values") {
      guard let generator = NumPyGenerator(words: try file.integers64("environment.generator")) else {
        throw CheckpointError(path, "has an impossible random generator")
      }
      environment = EnvironmentState(values: try file.doubles("environment.values"), generator: generator)
    }
    algorithm = AlgorithmState()
    for name in file.names where name.hasPrefix("algorithm.") {
      let short = String(name.dropFirst("algorithm.".count))
      if short.hasPrefix("number.") {
        algorithm.numbers[String(short.dropFirst("number.".count))] = try file.doubles(name).first ?? 0
      } else if short.hasPrefix("count.") {
        algorithm.counts[String(short.dropFirst("count.".count))] = try file.integers64(name).first ?? 0
      } else {
        algorithm.tensors.append(Tensor(name: short, shape: try file.shape(name), values: try file.floats(name)))
      }
    }
  }
}

extension RunProgress {
  init(_ file: SafeTensors) throws {
    let counts = try file.integers64("trainer.counts")
    let numbers = try file.doubles("trainer.numbers")
    if counts.count == 10, counts[8] <= counts[9] { frames = counts[8]..<counts[9] }
    seconds = numbers.count == 3 ? numbers[2] : 0
    if file.contains("progress.pauses") {
      let values = try file.doubles("progress.pauses")
      if values.count == 3, let count = Int(exactly: values[0]) {
        (pauses.count, pauses.total, pauses.longest) = (count, values[1], values[2])
      }
    }
    let digests = try file.integers64("replay.digests")
    for i in 0..<digests.count / 2 { replayDigests[digests[2 * i]] = digests[2 * i + 1] }
    for name in file.names where name.hasPrefix("log.") {
      logSizes[String(name.dropFirst("log.".count))] = try file.integers64(name).first ?? 0
    }
  }
}
