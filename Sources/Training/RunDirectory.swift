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
  /// The folder, what is wrong, and what to do, in one line.
  public let description: String
  package let remedies: [Remedy]

  /// An error in these words.
  public init(_ description: String) { self.init(description, remedies: []) }

  package init(_ description: String, remedies: [Remedy]) {
    (self.description, self.remedies) = (description, remedies)
  }
}

/// The files of one run.
public final class RunDirectory {
  /// Where the folder was when it was opened.
  public let url: URL
  /// What `run.json` says.
  public private(set) var description: RunDescription
  /// Held open: what is written goes into this folder, whatever happens to its name.
  let folder: Folder
  let logs: RunLogs
  /// A best policy that is not on disk yet.
  var unsavedBest: SafeTensors?
  private let writer: CheckpointWriter
  private var runLock: RunLock?
  private var pauses = CheckpointPauses()
  private let clock: RunClock
  private var notes: [String] = []
  private var place: String

  /// Where the folder is now.
  public var path: String { folder.currentPath ?? url.path }
  /// The file of the last policy.
  public var policyPath: String { "\(path)/\(CheckpointWriter.policy)" }
  /// What was found when training stopped at a number that is not finite.
  public var dumpPath: String { "\(path)/\(Self.dumpName)" }
  /// The last fault of the simulator.
  public var simulatorFaultPath: String { "\(path)/\(Self.simulatorFaultName)" }
  /// The file of the policy of the best evaluation.
  public var bestPolicyPath: String { "\(path)/\(Self.bestPolicyName)" }
  /// The file of the last checkpoint.
  public var checkpointPath: String { "\(path)/\(CheckpointWriter.folder)/\(CheckpointWriter.state)" }
  /// The checkpoint before the last one.
  public var previousCheckpointPath: String {
    "\(path)/\(CheckpointWriter.folder)/\(CheckpointWriter.previousState)"
  }

  static let dumpName = "dump.safetensors"
  static let simulatorFaultName = "simulator-fault.safetensors"
  static let bestPolicyName = "policy-best.safetensors"

  /// Makes the folder of a new run.
  ///
  /// - Parameter metrics: what an update of its algorithm tells, `AlgorithmEntry.metrics`; the log has a column for each.
  public static func create(
    _ path: String, _ description: RunDescription, metrics: [Metric] = Metric.common
  ) throws -> RunDirectory {
    guard !path.isEmpty else {
      throw RunDirectoryError("a run needs a folder: the path is empty", remedies: [.runFolder])
    }
    let url = URL(fileURLWithPath: path)
    do {
      let parent = url.deletingLastPathComponent()
      try Folder.makePath(parent.path)
      // whoever makes the folder has it: of two that try at the same moment, one is refused
      let folder = try Folder.make(url.path)
      let directory = RunDirectory(url, folder, description, metrics)
      try directory.lock()
      for log in directory.logs.all { try log.open() }
      try write(description, to: folder)
      try Folder(parent.path).synchronize()
      return directory
    } catch let error as DiskError where error.isTaken && error.path == url.path {
      throw RunDirectoryError(
        "\(path) exists already: resume the run in it, or choose another folder",
        remedies: [.runFolder, .resume(path)])
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
      frames = min(buffer.clampedSum(partial), trainer.run.steps.clampedProduct(2 * $0.frameWidth * 4))
    }
    let state = try trainer.state().encoded(RunProgress()).encodedData().count
    let policy = trainer.policyFile().encodedData().count
    try DiskSpace.check(
      frames.clampedSum(3 * (state + policy)), for: "a run of \(trainer.run.steps) steps", at: path,
      available: available,
      hint: "make it smaller with a lower bufferCapacity",
      remedies: [.runFolder, .hyperparameter("bufferCapacity", value: "N")])
  }

  /// Changes the run from a step on; `run.json` says so from now on, with what it was before.
  ///
  /// - Precondition: the directory is locked, and its newest checkpoint is of that step.
  public func change(to run: RunConfiguration, at step: Int) throws {
    guard let change = description.run.change(to: run, at: step) else { return }
    description.run = run
    description.changes = (description.changes ?? []) + [change]
    do { try Self.write(description, to: folder) } catch { throw unwritable(error) }
  }

  /// Opens the folder of an earlier run.
  public static func open(_ path: String, metrics: [Metric] = Metric.common) throws -> RunDirectory {
    let url = URL(fileURLWithPath: path)
    // says what is wrong with the folder
    _ = try describe(path)
    let folder = try Folder(url.path)
    return RunDirectory(url, folder, try describe(folder, as: path), metrics)
  }

  private init(_ url: URL, _ folder: Folder, _ description: RunDescription, _ metrics: [Metric]) {
    (self.url, self.folder, self.description, place) = (url, folder, description, url.path)
    let clock = RunClock()
    self.clock = clock
    logs = RunLogs(folder, further: metrics.further.map(\.name)) { clock.seconds }
    writer = CheckpointWriter(folder)
  }

  /// Seconds of training, those of earlier processes included.
  public var seconds: Double { clock.seconds }

  /// Adds a row to the log that the record belongs to.
  public func log(_ record: RunRecord) { logs.receive(record) }

  // MARK: checkpoint

  /// Holds the directory for this process alone.
  ///
  /// - Throws: `RunDirectoryError` when another process holds it.
  public func lock() throws {
    if runLock == nil { runLock = try RunLock(folder) }
  }

  /// What others did to the folder since somebody asked, and what was done about it: a line each.
  func takeNotes() -> [String] {
    let now = path
    if now != place {
      notes.append("the folder of the run was moved: it is \(now) now, and the run goes on there")
      place = now
    }
    defer { notes = [] }
    return logs.takeNotes() + notes
  }

  /// Writes a file of the folder so that it stays, or leaves the old one as it was.
  func write(_ file: SafeTensors, as name: String) throws(DiskError) {
    try folder.replace(name, with: file.encodedData().span)
  }

  /// Saves everything from which the run goes on, and the policy as it is, and returns when the disk has it.
  ///
  /// The last two checkpoints are kept. Whatever happens in between, one of them is whole: frames are only appended, the
  /// new state is written beside and renamed, and what an older checkpoint needs is removed last.
  public func save(_ trainer: any TrainingRun) throws {
    // what the one before met no longer matters
    _ = try? finishSaving()
    try beginSaving(trainer)
    do { try finishSaving() } catch is ChangedFile {
      // what others removed in this very moment is written again
      try beginSaving(trainer)
      try finishSaving()
    }
  }

  /// Copies everything from which the run goes on, and lets another thread write it. Training may go on at once.
  ///
  /// Waits for the checkpoint before, should it still be written; what that one met is thrown away unless `finishSaving`
  /// was called.
  public func beginSaving(_ trainer: any TrainingRun) throws {
    let start = ContinuousClock.now
    _ = try? finishSaving()
    for name in writer.forgetChanged() {
      notes.append("\(CheckpointWriter.folder)/\(name) was removed or changed by another program: it is written again")
    }
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
      progress.identity = RunIdentity(trainer.run)
      progress.unsavedBest = unsavedBest?.encoded() ?? []
      progress.logSizes = try logs.flush()
      writer.begin(
        CheckpointContents(
          state: try trainer.state(), progress: progress,
          frames: frames, policy: trainer.policyFile(), logs: logs.all.compactMap(\.unconfirmedRows)))
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
      guard let written = try writer.finish() else { return }
      for log in logs.all {
        if written.logsDiffer {
          log.distrust()
          _ = try? log.flush()
        } else {
          log.confirm(written.progress.logSizes[log.name] ?? 0)
        }
      }
    } catch {
      for log in logs.all { log.distrust() }
      throw unwritable(error)
    }
  }

  /// A checkpoint is being written.
  public var isSaving: Bool { writer.isWriting }

  private func unwritable(_ error: any Error) -> any Error {
    guard error is DiskError || error is CocoaError else { return error }
    if folder.currentPath == nil {
      return RunDirectoryError("\(url.path) was removed while the run trained: nothing of it can be saved any more")
    }
    return RunDirectoryError(
      "\(path) cannot be written: \(reason(error)); the last checkpoint is intact, and the run can be resumed from it",
      remedies: [.resume(path)])
  }

  /// The rows of a log, each as its columns.
  public func rows(_ name: String) -> [[String]] { Array(lines(name).dropFirst()) }

  /// The header of a log and its rows, each as its columns; nothing where there is no such log.
  package func lines(_ name: String) -> [[String]] {
    guard let bytes = try? folder.contents(name).bytes else { return [] }
    return CSVLog.rows(of: Data(bytes))
  }

  /// Goes on where a checkpoint stood.
  func goOn(from progress: RunProgress, _ replay: [ReplayFiles]) {
    (clock.earlier, pauses) = (progress.seconds, progress.pauses)
    unsavedBest = progress.unsavedBest.isEmpty ? nil : try? SafeTensors(bytes: progress.unsavedBest)
    writer.adopt(replay, oldestNeededFrames: progress.replay.map(\.frames.lowerBound))
  }
}
