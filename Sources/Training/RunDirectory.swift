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

  public func log(_ record: EpisodeRecord) throws {
    try episodes.append([
      "\(record.step)", "\(record.episode)", "\(record.episodeReturn)", "\(record.length)",
      record.terminated ? "1" : "0", record.truncated ? "1" : "0", time,
    ])
  }

  public func log(_ record: MetricsRecord) throws {
    try metrics.append([
      "\(record.step)", "\(record.updates)", "\(record.criticLoss)", "\(record.policyLoss)", "\(record.targetMean)",
      "\(record.temperature)", "\(record.entropy)", time,
    ])
  }

  public func log(_ record: EvaluationRecord) throws {
    let result = record.evaluation
    try evaluations.append([
      "\(record.step)", "\(result.episodes)", "\(result.mean)", "\(result.standardDeviation)", "\(result.minimum)",
      "\(result.maximum)", "\(result.meanLength)", time,
    ])
  }

  private var time: String { "\((seconds * 1000).rounded() / 1000)" }

  // MARK: checkpoint

  /// Saves everything from which the run goes on, and the policy as it is.
  public func save(_ trainer: Trainer) throws {
    try writing(to: url.appendingPathComponent("checkpoint")) { try replay.append(trainer.buffer) }
    var progress = RunProgress()
    progress.frames = trainer.buffer.frameRange
    progress.seconds = seconds
    for log in [episodes, metrics, evaluations] { progress.logSizes[log.name] = try log.synchronize() }
    try trainer.state().encoded(progress).write(to: checkpointPath)
    // only now: until here the last checkpoint needed them
    try writing(to: url.appendingPathComponent("checkpoint")) { try replay.removeStale(trainer.buffer) }
    try trainer.policyFile().write(to: policyPath)
  }

  /// Brings a new trainer to where the run was saved, and cuts the logs back to it.
  public func restore(_ trainer: Trainer) throws {
    guard FileManager.default.fileExists(atPath: checkpointPath) else {
      throw RunDirectoryError("\(path) has no checkpoint yet: start anew with `offpolicy train` and another folder")
    }
    let file = try SafeTensors(contentsOf: checkpointPath)
    let state = try TrainerState(file, path: checkpointPath)
    let progress = try RunProgress(file)
    try trainer.restoreBuffer { try replay.restore(progress.frames, into: &$0) }
    try trainer.restore(state)
    for log in [episodes, metrics, evaluations] {
      if let size = progress.logSizes[log.name] { try log.truncate(to: size) }
    }
    earlierSeconds = progress.seconds
  }

  /// The step that the checkpoint holds, and its tensors, for `inspect`; nil before the first checkpoint.
  public func checkpoint() throws -> (state: TrainerState, progress: RunProgress)? {
    guard FileManager.default.fileExists(atPath: checkpointPath) else { return nil }
    let file = try SafeTensors(contentsOf: checkpointPath)
    return (try TrainerState(file, path: checkpointPath), try RunProgress(file))
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

/// Runs `body`, and says of what the system refuses which file it was about.
private func writing<T>(to url: URL, _ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as CocoaError {
    throw RunDirectoryError(
      "\(url.path) cannot be written: \(reason(error)); the last checkpoint is intact, and `resume` goes on from it")
  }
}

/// A table that grows by a row at a time. Its file is opened at the first use: who only reads a run writes nothing.
final class CSVLog {
  let name: String
  private let url: URL
  private let header: String
  private var handle: FileHandle?

  init(_ url: URL, header: String) {
    (name, self.url, self.header) = (url.lastPathComponent, url, header)
  }

  deinit { try? handle?.close() }

  /// Opens the file, a new one with its header.
  @discardableResult
  func open() throws -> FileHandle {
    if let handle { return handle }
    return try writing(to: url) {
      if !FileManager.default.fileExists(atPath: url.path) { try Data((header + "\n").utf8).write(to: url) }
      let handle = try FileHandle(forUpdating: url)
      try handle.seekToEnd()
      self.handle = handle
      return handle
    }
  }

  func append(_ values: [String]) throws {
    let handle = try open()
    try writing(to: url) { try handle.write(contentsOf: Data((values.joined(separator: ",") + "\n").utf8)) }
  }

  /// Brings every row to the disk and tells how many bytes there are.
  func synchronize() throws -> UInt64 {
    let handle = try open()
    return try writing(to: url) {
      try handle.synchronize()
      return try handle.offset()
    }
  }

  func truncate(to size: UInt64) throws {
    let handle = try open()
    try writing(to: url) { try handle.truncate(atOffset: size) }
  }
}
