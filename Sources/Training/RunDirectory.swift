// RunDirectory.swift — the folder of a run: what is in it, and how it is written and opened.

import Algorithms
import Formats
import Platform
import Replay

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A run directory that cannot be used.
public struct RunDirectoryError: Error, RemediableError, CustomStringConvertible {
  public let description: String
  package let remedies: [Remedy]

  public init(_ description: String) { self.init(description, remedies: []) }

  package init(_ description: String, remedies: [Remedy]) {
    (self.description, self.remedies) = (description, remedies)
  }
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
    /// Whether large products ran on a matrix unit, see `Processor.usesMatrixUnit`; null in runs of version 0.1.0, where none did.
    public var matrixUnit: Bool?

    public init(program: String, swift: String, mujoco: String?, processor: String, matrixUnit: Bool? = nil) {
      (self.program, self.swift, self.mujoco, self.processor) = (program, swift, mujoco, processor)
      self.matrixUnit = matrixUnit
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
  let logs: RunLogs
  private let writer: CheckpointWriter
  private var runLock: RunLock?
  private var pauses = CheckpointPauses()
  private let clock: RunClock

  public var path: String { url.path }
  public var policyPath: String { url.appendingPathComponent("policy.safetensors").path }
  /// What was found when training stopped at a number that is none.
  public var dumpPath: String { url.appendingPathComponent("dump.safetensors").path }
  /// The last fault of the simulator.
  public var simulatorFaultPath: String { url.appendingPathComponent("simulator-fault.safetensors").path }
  public var bestPolicyPath: String { url.appendingPathComponent("policy-best.safetensors").path }
  public var checkpointPath: String { url.appendingPathComponent("checkpoint/state.safetensors").path }
  /// The checkpoint before the last one.
  public var previousCheckpointPath: String {
    url.appendingPathComponent("checkpoint/state-previous.safetensors").path
  }

  /// Makes the folder of a new run.
  ///
  /// - Parameters:
  ///   - metrics: what an update of its algorithm tells, `AlgorithmEntry.metrics`; the log has a column for each.
  ///   - tensorBoard: an event file is written too; a run that is opened again goes on with the one that it has.
  public static func create(
    _ path: String, _ description: RunDescription, metrics: [Metric] = Metric.common, tensorBoard: Bool = false
  ) throws -> RunDirectory {
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: url.path) {
      throw RunDirectoryError(
        "\(path) exists already: resume the run in it, or choose another folder",
        remedies: [.runFolder, .resume(path)])
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      let events = tensorBoard ? TensorBoardLog.newName() : nil
      let directory = RunDirectory(url, description, metrics, events: events)
      for log in directory.logs.all { try log.open() }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try DiskFile.replace(url.appendingPathComponent("run.json").path, with: encoder.encode(description).span)
      try DiskFile.synchronizeFolder(of: url.path)
      return directory
    } catch {
      if error is RunDirectoryError { throw error }
      throw RunDirectoryError(
        "\(path) cannot be written: \(reason(error)), or choose another folder", remedies: [.runFolder])
    }
  }

  /// Throws when the files that a run will grow to do not fit on the disk: all frames that the buffer holds and those that
  /// only the checkpoint before needs, and both checkpoints and policies beside new ones.
  ///
  /// - Parameter available: bytes that the disk has left.
  public static func checkSpace(for trainer: any TrainingRun, at path: String, available: Int?) throws {
    var frames = 0
    trainer.withBuffer {
      let buffer = ReplayBuffer.byteCount(
        capacity: $0.capacity, observationSize: $0.observationSize, actionSize: $0.actionSize, lanes: $0.laneCount)
      let partial = 3 * Int(ReplayFiles.framesPerFile) * $0.laneCount * $0.frameWidth * 4
      // an episode of one step takes two frames
      frames = min(buffer + partial, 2 * trainer.run.steps * $0.frameWidth * 4)
    }
    let state = try trainer.state().encoded(RunProgress()).encodedData().count
    let policy = trainer.policyFile().encodedData().count
    try DiskSpace.check(
      frames + 3 * (state + policy), for: "a run of \(trainer.run.steps) steps", at: path, available: available,
      hint: "make it smaller with a lower bufferCapacity",
      remedies: [.runFolder, .hyperparameter("bufferCapacity", value: "N")])
  }

  /// Opens the folder of an earlier run.
  public static func open(_ path: String, metrics: [Metric] = Metric.common) throws -> RunDirectory {
    let url = URL(fileURLWithPath: path)
    return RunDirectory(url, try describe(path), metrics, events: TensorBoardLog.name(in: url))
  }

  /// What `run.json` of a folder says.
  public static func describe(_ path: String) throws -> RunDescription {
    let file = URL(fileURLWithPath: path).appendingPathComponent("run.json")
    guard let data = FileManager.default.contents(atPath: file.path) else {
      throw RunDirectoryError("\(path) is no run: it has no run.json; give the folder of a run")
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

  private init(_ url: URL, _ description: RunDescription, _ metrics: [Metric], events: String?) {
    self.url = url
    self.description = description
    let clock = RunClock()
    self.clock = clock
    let further = metrics.further.map(\.name)
    let tensorBoard = events.map {
      TensorBoardLog(url, name: $0, description, further: further) { clock.seconds }
    }
    logs = RunLogs(url, further: further, tensorBoard: tensorBoard) { clock.seconds }
    let folder = url.appendingPathComponent("checkpoint")
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    writer = CheckpointWriter(
      folder, state: path("checkpoint/state.safetensors"), previous: path("checkpoint/state-previous.safetensors"),
      policy: path("policy.safetensors"))
  }

  /// Seconds of training, those of earlier processes included.
  public var seconds: Double { clock.seconds }

  /// Adds a row to the log that the record belongs to.
  public func log(_ record: RunRecord) { logs.receive(record) }

  // MARK: checkpoint

  /// Holds the directory for this process alone.
  ///
  /// - Throws: `RunDirectoryError` when another process holds it.
  public func lock() throws { runLock = try RunLock(url) }

  /// Saves everything from which the run goes on, and the policy as it is, and returns when the disk has it.
  ///
  /// The last two checkpoints are kept. Whatever happens in between, one of them is whole: frames are only appended, the
  /// new state is written beside and renamed, and what an older checkpoint needs is removed last.
  public func save(_ trainer: any TrainingRun) throws {
    // what the one before met no longer matters
    _ = try? finishSaving()
    try beginSaving(trainer)
    try finishSaving()
  }

  /// Copies everything from which the run goes on, and lets another thread write it. Training may go on at once.
  ///
  /// Waits for the checkpoint before, should it still be written; what that one met is thrown away unless `finishSaving`
  /// was called.
  public func beginSaving(_ trainer: any TrainingRun) throws {
    let start = ContinuousClock.now
    _ = try? finishSaving()
    do {
      var progress = RunProgress()
      var frames: [FrameBlock] = []
      trainer.withBuffer {
        for lane in 0..<$0.laneCount {
          progress.replay.append(RunProgress.Replay(frames: $0.frameRange(lane: lane)))
          frames.append(FrameBlock($0, lane: lane, from: writer.writtenFrames(lane: lane)))
        }
      }
      (progress.seconds, progress.pauses) = (seconds, pauses)
      for log in logs.all { progress.logSizes[log.name] = try log.flush() }
      writer.begin(
        CheckpointContents(
          state: try trainer.state(), progress: progress,
          frames: frames, policy: trainer.policyFile(), logs: logs.all.map(\.unconfirmedRows)))
    } catch {
      throw unwritable(error)
    }
    if trainer.step > 0 { pauses.add((ContinuousClock.now - start).inSeconds) }
  }

  /// Waits for the checkpoint that is being written, if any, and tells what it met.
  ///
  /// - Throws: `RunDirectoryError` when the disk refused it: the one before is intact, and the next may succeed.
  ///   `NonFiniteState` when there was nothing to save.
  public func finishSaving() throws {
    do {
      guard let progress = try writer.finish() else { return }
      for log in logs.all { log.confirm(progress.logSizes[log.name] ?? 0) }
    } catch {
      for log in logs.all { log.distrust() }
      throw unwritable(error)
    }
  }

  /// A checkpoint is being written.
  public var isSaving: Bool { writer.isWriting }

  private func unwritable(_ error: any Error) -> any Error {
    guard error is DiskError || error is CocoaError else { return error }
    return RunDirectoryError(
      "\(path) cannot be written: \(reason(error)); the last checkpoint is intact, and the run can be resumed from it",
      remedies: [.resume(path)])
  }

  /// What `restore` found.
  public struct Restoration: Sendable {
    public var step: Int
    /// One line for each checkpoint that could not be used.
    public var problems: [String] = []
  }

  /// Brings a new trainer to the newest checkpoint that is whole, and cuts the logs back to it.
  ///
  /// Its numbers go on to the bit where its products run on what they began on: call
  /// `Processor.useMatrixUnit(description.versions.matrixUnit ?? false)` first.
  @discardableResult
  public func restore(_ trainer: any TrainingRun) throws -> Restoration {
    let candidates = [checkpointPath, previousCheckpointPath].filter { FileManager.default.fileExists(atPath: $0) }
    guard !candidates.isEmpty else {
      throw RunDirectoryError("\(path) has no checkpoint yet: begin a new run in another folder")
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
    let progress = try RunProgress(file, path: checkpoint)
    let folder = url.appendingPathComponent("checkpoint")
    var replay = progress.replay.indices.map { ReplayFiles(folder: folder, lane: $0) }
    try trainer.restoreBuffer {
      guard progress.replay.count == $0.laneCount else {
        throw MismatchedRun(
          "\(checkpoint) holds the replay buffers of \(progress.replay.count) environments, the run has \($0.laneCount)"
        )
      }
      $0.removeAll()
      for (lane, saved) in progress.replay.enumerated() {
        try replay[lane].restore(saved.frames, digests: saved.digests, into: &$0)
      }
    }
    try trainer.restore(state)
    for log in logs.all {
      if let size = progress.logSizes[log.name] { try log.truncate(to: size) }
    }
    (clock.earlier, pauses) = (progress.seconds, progress.pauses)
    writer.adopt(replay, oldestNeededFrames: progress.replay.map(\.frames.lowerBound))
  }

  /// What the newest whole checkpoint holds, for `inspect`; nil before the first one.
  public func checkpoint() throws -> (state: TrainerState, progress: RunProgress)? {
    let candidates = [checkpointPath, previousCheckpointPath].filter { FileManager.default.fileExists(atPath: $0) }
    var failure: (any Error)?
    for candidate in candidates {
      do {
        let file = try SafeTensors(contentsOf: candidate)
        return (try TrainerState(file, path: candidate), try RunProgress(file, path: candidate))
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return nil
  }

  /// The rows of a log, each as its columns.
  public func rows(_ name: String) -> [[String]] { Array(lines(name).dropFirst()) }

  /// The header of a log and its rows, each as its columns; nothing where there is no such log.
  package func lines(_ name: String) -> [[String]] {
    guard let data = FileManager.default.contents(atPath: url.appendingPathComponent(name).path) else { return [] }
    return CSVLog.rows(of: data)
  }
}

/// Seconds of a run's training, those of earlier processes included.
final class RunClock {
  /// Seconds of training before this process took over.
  var earlier = 0.0
  private let opened = ContinuousClock.now

  var seconds: Double { earlier + (ContinuousClock.now - opened).inSeconds }
}

/// The system's words for an error.
func reason(_ error: any Error) -> String {
  if let error = error as? RunDirectoryError { return error.description }
  if error is CocoaError { return FileAccess.reason(of: error) }
  if let error = error as? DiskError { return error.reason }
  switch error {
  case DecodingError.keyNotFound, DecodingError.valueNotFound:
    return "The operation could not be completed. The data is missing."
  case is DecodingError, is EncodingError:
    return "The operation could not be completed. The data isn’t in the correct format."
  default: return "\(error)".split(separator: "\n").joined(separator: " ")
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
