// RunRestoration.swift — a run goes on from the newest checkpoint that is whole and its own.

import Algorithms
import Formats
import Platform
import Replay

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension RunDirectory {
  /// What `restore` found.
  public struct Restoration: Sendable {
    /// The environment step that the run goes on from.
    public var step: Int
    /// One line for each checkpoint that could not be used.
    public var problems: [String] = []
    /// One line for each log that others have changed since the checkpoint.
    public var notes: [String] = []
  }

  /// Brings a new trainer to the newest checkpoint that is whole, and cuts the logs back to it.
  ///
  /// Its numbers go on to the bit where its products run on what they began on: call
  /// `Processor.useMatrixUnit(description.versions.matrixUnit ?? false)` first.
  ///
  /// - Parameter written: the run as `run.json` has it, where the trainer's settings are to replace them; nil: they are those of
  ///   the trainer.
  @discardableResult
  public func restore(_ trainer: any TrainingRun, writtenBy written: RunConfiguration? = nil) throws -> Restoration {
    let identity = RunIdentity(written ?? trainer.run)
    var problems: [String] = []
    let names = checkpointNames
    guard !names.isEmpty else {
      throw RunDirectoryError("\(path) has no checkpoint yet: begin a new run in another folder")
    }
    for name in names {
      do {
        try restore(trainer, from: name, identity)
        if name != CheckpointWriter.state { setAside() }
        return Restoration(step: trainer.step, problems: problems, notes: takeNotes())
      } catch let mismatch as MismatchedRun {
        throw mismatch
      } catch {
        problems.append("\(error)")
      }
    }
    throw RunDirectoryError("\(path) has no checkpoint that is whole: \(problems.joined(separator: "; "))")
  }

  /// What the newest whole checkpoint holds, for `inspect`; nil before the first one.
  public func checkpoint() throws -> (state: TrainerState, progress: RunProgress)? {
    var failure: (any Error)?
    for name in checkpointNames {
      do {
        let (file, path) = try read(name)
        return (try TrainerState(file, path: path), try RunProgress(file, path: path))
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return nil
  }

  private var checkpointFolder: Folder? { try? folder.folder(CheckpointWriter.folder) }

  /// The checkpoints that are there, the newest first.
  private var checkpointNames: [String] {
    guard let folder = checkpointFolder else { return [] }
    return [CheckpointWriter.state, CheckpointWriter.previousState].filter { folder.mark($0) != nil }
  }

  private func read(_ name: String) throws -> (file: SafeTensors, path: String) {
    let folder = try folder.folder(CheckpointWriter.folder)
    let path = folder.path(name)
    return (try SafeTensors(Data(folder.contents(name).bytes), file: path), path)
  }

  /// A damaged checkpoint must not take the good one's place at the next save.
  private func setAside() {
    try? checkpointFolder?.rename(CheckpointWriter.state, to: "state-damaged.safetensors")
  }

  private func restore(_ trainer: any TrainingRun, from name: String, _ identity: RunIdentity) throws {
    let (file, path) = try read(name)
    let state = try TrainerState(file, path: path)
    let progress = try RunProgress(file, path: path)
    // a change may be in run.json, and no checkpoint after it yet
    let changed = description.changedNames
    if let saved = progress.identity, saved != identity,
      case let differences = saved.differences(from: identity, ignoring: changed),
      !differences.isEmpty || changed.isEmpty
    {
      throw CheckpointError(
        path, "is of another run: \(differences.isEmpty ? "its settings differ" : differences.joined(separator: ", "))")
    }
    let checkpoints = try folder.folder(CheckpointWriter.folder)
    var replay = progress.replay.indices.map { ReplayFiles(lane: $0) }
    try trainer.restoreBuffer {
      guard progress.replay.count == $0.laneCount else {
        throw MismatchedRun(
          "\(path) holds the replay buffers of \(progress.replay.count) environments, the run has \($0.laneCount)"
        )
      }
      $0.removeAll()
      for (lane, saved) in progress.replay.enumerated() {
        try replay[lane].restore(saved.frames, digests: saved.digests, in: checkpoints, into: &$0)
      }
    }
    try trainer.restore(state)
    logs.cut(to: state, progress)
    goOn(from: progress, replay)
  }
}
