// RunDirectory.swift — the folder of a run: what is in it, and how it is written and opened.

import Algorithms
import Formats
import Foundation

/// A run directory that cannot be used.
public struct RunDirectoryError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// What `run.json` holds.
public struct RunDescription: Codable, Sendable, Equatable {
  public static let currentVersion = 1

  public var formatVersion = RunDescription.currentVersion
  public var run: RunConfiguration
  public var versions: Versions
  public var started: String

  /// What the run was made with.
  public struct Versions: Codable, Sendable, Equatable {
    public var program: String
    public var swift: String
    /// libmujoco's own version; null where the task needs none.
    public var mujoco: String?
    public var processor: String

    public init(program: String, swift: String, mujoco: String?, processor: String) {
      (self.program, self.swift, self.mujoco, self.processor) = (program, swift, mujoco, processor)
    }
  }

  public init(run: RunConfiguration, versions: Versions) {
    self.run = run
    self.versions = versions
    started = Date().formatted(.iso8601)
  }
}

/// The files of one run.
public final class RunDirectory {
  public let url: URL
  public let description: RunDescription
  private let episodes: CSVLog
  private let metrics: CSVLog
  private let evaluations: CSVLog
  private var replay: ReplayFiles
  private var runLock: RunLock?
  /// The oldest frame that the checkpoint before the next one needs.
  private var oldestNeededFrame: UInt64 = 0
  /// Seconds of training before this process took over.
  private var earlierSeconds = 0.0
  private let opened = ContinuousClock.now

  private static let columns = [
    "episodes.csv": "step,episode,return,length,terminated,truncated,seconds",
    "metrics.csv": "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds",
    "evaluations.csv": "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds",
  ]

  public var path: String { url.path }
  public var policyPath: String { url.appendingPathComponent("policy.safetensors").path }
  public var bestPolicyPath: String { url.appendingPathComponent("policy-best.safetensors").path }
  public var checkpointPath: String { url.appendingPathComponent("checkpoint/state.safetensors").path }
  /// The checkpoint before the last one.
  public var previousCheckpointPath: String {
    url.appendingPathComponent("checkpoint/state-previous.safetensors").path
  }

  /// Makes the folder of a new run.
  public static func create(_ path: String, _ description: RunDescription) throws -> RunDirectory {
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: url.path) {
      throw RunDirectoryError(
        "\(path) exists already: `offpolicy resume \(path)` goes on with it; another --run-directory starts anew")
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      let directory = RunDirectory(url, description)
      for log in [directory.episodes, directory.metrics, directory.evaluations] { try log.open() }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try encoder.encode(description).write(to: url.appendingPathComponent("run.json"), options: .atomic)
      return directory
    } catch {
      if error is RunDirectoryError { throw error }
      throw RunDirectoryError("\(path) cannot be written: \(reason(error)), or choose another --run-directory")
    }
  }

  /// Opens the folder of an earlier run.
  public static func open(_ path: String) throws -> RunDirectory {
    let url = URL(fileURLWithPath: path)
    return RunDirectory(url, try describe(path))
  }

  /// What `run.json` of a folder says.
  public static func describe(_ path: String) throws -> RunDescription {
    let file = URL(fileURLWithPath: path).appendingPathComponent("run.json")
    guard let data = FileManager.default.contents(atPath: file.path) else {
      throw RunDirectoryError("\(path) is no run: it has no run.json; give the folder that `offpolicy train` made")
    }
    do {
      let description = try JSONDecoder().decode(RunDescription.self, from: data)
      guard description.formatVersion == RunDescription.currentVersion else {
        throw RunDirectoryError(
          "\(file.path) has format \(description.formatVersion), this program reads \(RunDescription.currentVersion)")
      }
      return description
    } catch let error as RunDirectoryError {
      throw error
    } catch {
      throw RunDirectoryError("\(file.path) cannot be read: \(reason(error))")
    }
  }

  private init(_ url: URL, _ description: RunDescription) {
    self.url = url
    self.description = description
    func log(_ name: String) -> CSVLog {
      CSVLog(url.appendingPathComponent(name), header: Self.columns[name] ?? "")
    }
    (episodes, metrics, evaluations) = (log("episodes.csv"), log("metrics.csv"), log("evaluations.csv"))
    replay = ReplayFiles(folder: url.appendingPathComponent("checkpoint"))
  }

  /// Seconds of training, those of earlier processes included.
  public var seconds: Double {
    let duration = (ContinuousClock.now - opened).components
    return earlierSeconds + Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
  }

  // MARK: logs

  public func log(_ record: EpisodeRecord) {
    episodes.append([
      "\(record.step)", "\(record.episode)", "\(record.episodeReturn)", "\(record.length)",
      record.terminated ? "1" : "0", record.truncated ? "1" : "0", time,
    ])
  }

  public func log(_ record: MetricsRecord) {
    metrics.append([
      "\(record.step)", "\(record.updates)", "\(record.criticLoss)", "\(record.policyLoss)", "\(record.targetMean)",
      "\(record.temperature)", "\(record.entropy)", time,
    ])
  }

  public func log(_ record: EvaluationRecord) {
    let result = record.evaluation
    evaluations.append([
      "\(record.step)", "\(result.episodes)", "\(result.mean)", "\(result.standardDeviation)", "\(result.minimum)",
      "\(result.maximum)", "\(result.meanLength)", time,
    ])
  }

  private var time: String { "\((seconds * 1000).rounded() / 1000)" }

  // MARK: checkpoint

  /// Holds the directory for this process alone.
  ///
  /// - Throws: `RunDirectoryError` when another process holds it.
  public func lock() throws { runLock = try RunLock(url) }

  /// Saves everything from which the run goes on, and the policy as it is.
  ///
  /// The last two checkpoints are kept. Whatever happens in between, one of them is whole: frames are only appended, the
  /// new state is written beside and renamed, and what an older checkpoint needs is removed last.
  public func save(_ trainer: any TrainingRun) throws {
    do {
      try write(trainer)
    } catch let error as CocoaError {
      throw RunDirectoryError(
        "\(path) cannot be written: \(reason(error)); the last checkpoint is intact, and `resume` goes on from it")
    }
  }

  private func write(_ trainer: any TrainingRun) throws {
    // a run on data has no frames of its own, which would make the folder
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent("checkpoint"), withIntermediateDirectories: true)
    var progress = RunProgress()
    try trainer.withBuffer {
      try replay.append($0)
      progress.frames = $0.frameRange
    }
    progress.replayDigests = replay.digests
    progress.seconds = seconds
    for log in [episodes, metrics, evaluations] { progress.logSizes[log.name] = try log.synchronize() }
    let file = try trainer.state().encoded(progress)
    if FileManager.default.fileExists(atPath: checkpointPath) {
      try? FileManager.default.removeItem(atPath: previousCheckpointPath)
      try FileManager.default.moveItem(atPath: checkpointPath, toPath: previousCheckpointPath)
    }
    try file.write(to: checkpointPath)
    try synchronizeFolder()
    // only now: until here the checkpoint before the last one needed them
    try replay.removeFiles(before: oldestNeededFrame)
    oldestNeededFrame = progress.frames.lowerBound
    try trainer.policyFile().write(to: policyPath)
  }

  /// Brings the renames to the disk.
  private func synchronizeFolder() throws {
    let folder = try FileHandle(forReadingFrom: url.appendingPathComponent("checkpoint"))
    defer { try? folder.close() }
    try folder.synchronize()
  }

  /// What `restore` found.
  public struct Restoration: Sendable {
    public var step: Int
    /// One line for each checkpoint that could not be used.
    public var problems: [String] = []
  }

  /// Brings a new trainer to the newest checkpoint that is whole, and cuts the logs back to it.
  @discardableResult
  public func restore(_ trainer: any TrainingRun) throws -> Restoration {
    let candidates = [checkpointPath, previousCheckpointPath].filter { FileManager.default.fileExists(atPath: $0) }
    guard !candidates.isEmpty else {
      throw RunDirectoryError("\(path) has no checkpoint yet: start anew with `offpolicy train` and another folder")
    }
    var problems: [String] = []
    for candidate in candidates {
      do {
        try restore(trainer, from: candidate)
        // a damaged one must not take the good one's place at the next save
        if candidate != checkpointPath { try? FileManager.default.removeItem(atPath: checkpointPath) }
        return Restoration(step: trainer.step, problems: problems)
      } catch let mismatch as MismatchedRun {
        throw mismatch
      } catch {
        problems.append("\(error)")
      }
    }
    throw RunDirectoryError("\(path) has no checkpoint that is whole: \(problems.joined(separator: "; "))")
  }

  private func restore(_ trainer: any TrainingRun, from checkpoint: String) throws {
    let file = try SafeTensors(contentsOf: checkpoint)
    let state = try TrainerState(file, path: checkpoint)
    let progress = try RunProgress(file)
    try trainer.restoreBuffer {
      $0.removeAll()
      try replay.restore(progress.frames, digests: progress.replayDigests, into: &$0)
    }
    try trainer.restore(state)
    for log in [episodes, metrics, evaluations] {
      if let size = progress.logSizes[log.name] { try log.truncate(to: size) }
    }
    earlierSeconds = progress.seconds
    oldestNeededFrame = progress.frames.lowerBound
  }

  /// What the newest whole checkpoint holds, for `inspect`; nil before the first one.
  public func checkpoint() throws -> (state: TrainerState, progress: RunProgress)? {
    let candidates = [checkpointPath, previousCheckpointPath].filter { FileManager.default.fileExists(atPath: $0) }
    var failure: (any Error)?
    for candidate in candidates {
      do {
        let file = try SafeTensors(contentsOf: candidate)
        return (try TrainerState(file, path: candidate), try RunProgress(file))
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return nil
  }

  /// The rows of a log, each as its columns.
  public func rows(_ name: String) -> [[String]] {
    guard let data = FileManager.default.contents(atPath: url.appendingPathComponent(name).path) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }
}

/// The system's words for an error.
func reason(_ error: any Error) -> String {
  if let error = error as? RunDirectoryError { return error.description }
  if error is CocoaError { return FileAccess.reason(of: error) }
  let description = (error as NSError).localizedDescription
  return description.split(separator: "\n").joined(separator: " ")
}
