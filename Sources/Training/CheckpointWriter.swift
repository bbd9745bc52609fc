// CheckpointWriter.swift — writes a checkpoint beside training: training pauses for the copy, not for the disk.

import Algorithms
import Formats
import Platform
import Synchronization

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Everything that a checkpoint holds, copied out of a trainer at one moment.
struct CheckpointContents: Sendable {
  var state: TrainerState
  var progress: RunProgress
  /// The frames of each lane that were not on disk before.
  var frames: [FrameBlock]
  var policy: SafeTensors
  /// Logs whose rows must be on disk before the checkpoint is.
  var logs: [LogRows]
}

/// Rows of a log that no sync has confirmed yet.
struct LogRows: Sendable {
  let file: DiskFile
  let bytes: Data
  /// Where in the file they begin.
  let offset: UInt64
}

/// Writes one checkpoint at a time. The order makes every moment safe: what the new state speaks of is on the disk's
/// surface before the state has its name, and what the old one needs is removed last.
final class CheckpointWriter: Sendable {
  /// Names in the run's folder.
  static let folder = "checkpoint"
  static let state = "state.safetensors"
  static let previousState = "state-previous.safetensors"
  static let policy = "policy.safetensors"

  private let run: Folder
  private let disk = Mutex(Disk())
  /// The thread that writes; touched by the thread that trains alone.
  private let thread = Mutex<BackgroundWork?>(nil)

  /// What is on disk.
  struct Disk: Sendable {
    /// The files of each lane; made with the first checkpoint.
    var replay: [ReplayFiles] = []
    /// The oldest frame of each lane that the newest checkpoint needs.
    var oldestNeededFrames: [UInt64] = []
    var isWriting = false
    /// How the last one went, until somebody asks.
    var result: Result<Written, any Error>?
  }

  /// What a checkpoint holds that was written.
  struct Written: Sendable {
    var progress: RunProgress
    /// The logs do not hold what was written to them.
    var logsDiffer = false
  }

  init(_ run: Folder) { self.run = run }

  var isWriting: Bool { disk.withLock { $0.isWriting } }

  /// A lane's frames before this one are on disk.
  func writtenFrames(lane: Int) -> UInt64 {
    disk.withLock { $0.replay.indices.contains(lane) ? $0.replay[lane].next : 0 }
  }

  /// Looks whether what was written is still there. What is not is written again by the next checkpoint.
  ///
  /// - Precondition: nothing is being written.
  /// - Returns: the names of the files that others removed or changed.
  func forgetChanged() -> [String] {
    let folder = try? run.folder(Self.folder)
    return disk.withLock { disk in
      disk.replay.indices.flatMap { disk.replay[$0].forgetChanged(in: folder) }
    }
  }

  /// Begins to write a checkpoint, on another thread.
  ///
  /// - Precondition: the one before is done.
  func begin(_ contents: CheckpointContents) {
    disk.withLock {
      precondition(!$0.isWriting, "a checkpoint is being written")
      ($0.isWriting, $0.result) = (true, nil)
    }
    let work = BackgroundWork { [self] in
      // the disk's state is this thread's alone while it writes: the lock is not held over a slow disk
      var (replay, oldest) = disk.withLock { ($0.replay, $0.oldestNeededFrames) }
      for lane in replay.count..<max(replay.count, contents.frames.count) {
        replay.append(ReplayFiles(lane: lane))
        oldest.append(0)
      }
      let result = Result { try write(contents, &replay, &oldest) }
      disk.withLock { ($0.replay, $0.oldestNeededFrames, $0.isWriting, $0.result) = (replay, oldest, false, result) }
    }
    thread.withLock { $0 = work }
  }

  /// Waits until nothing is being written. Gives what the last checkpoint held, or nil if that was asked for before.
  ///
  /// - Throws: what the last checkpoint met; the one before it is then still there.
  func finish() throws -> Written? {
    thread.withLock { thread in
      thread?.wait()
      thread = nil
    }
    let result = disk.withLock { disk in
      defer { disk.result = nil }
      return disk.result
    }
    return try result?.get()
  }

  /// Goes on from a checkpoint whose frames `replay` has read.
  func adopt(_ replay: [ReplayFiles], oldestNeededFrames: [UInt64]) {
    disk.withLock { ($0.replay, $0.oldestNeededFrames) = (replay, oldestNeededFrames) }
  }

  private func write(
    _ contents: CheckpointContents, _ replay: inout [ReplayFiles], _ oldestNeededFrames: inout [UInt64]
  ) throws -> Written {
    // a state that cannot be gone on from must not take a good one's place
    if let place = contents.state.firstNonFinite {
      throw NonFiniteState(step: contents.state.step, place: place)
    }
    var written = Written(progress: contents.progress)
    let folder = try run.makeFolder(Self.folder)
    for (lane, frames) in contents.frames.enumerated() { try replay[lane].append(frames, in: folder) }
    for log in contents.logs {
      do {
        try log.file.synchronize()
        try log.file.verify(log.bytes.span, at: log.offset)
      } catch {
        // somebody else wrote into it: that is no reason to have no checkpoint
        guard !error.isOfDisk else { throw error }
        written.logsDiffer = true
      }
    }
    try run.synchronize()
    // what the state speaks of must be there when it gets its name
    for lane in replay.indices {
      if let name = replay[lane].forgetChanged(in: folder).first { throw ChangedFile(folder.path(name)) }
    }
    for lane in written.progress.replay.indices { written.progress.replay[lane].digests = replay[lane].digests }
    try folder.replace(
      Self.state, with: contents.state.encoded(written.progress).encodedData().span, keeping: Self.previousState)
    // the checkpoint before the last one was the last that needed them
    for (lane, saved) in written.progress.replay.enumerated() {
      replay[lane].removeFiles(before: min(oldestNeededFrames[lane], saved.frames.lowerBound), in: folder)
      oldestNeededFrames[lane] = saved.frames.lowerBound
    }
    guard run.holds(folder, as: Self.folder) else { throw ChangedFile(folder.path) }
    try run.replace(Self.policy, with: contents.policy.encodedData().span)
    return written
  }
}

/// Something of a checkpoint that others removed, moved or changed while it was written.
struct ChangedFile: Error, CustomStringConvertible {
  let path: String

  init(_ path: String) { self.path = path }

  var description: String { "\(path) was removed or changed by another program while the checkpoint was written" }
}

/// A state that holds a number which is not finite: it is not saved, and the checkpoint before is the one to go on from.
public struct NonFiniteState: Error, CustomStringConvertible {
  /// The environment step of the save.
  public let step: Int
  /// The number's name and value.
  public let place: String

  public var description: String {
    "at step \(step) \(place), so that no checkpoint was written; the one before is intact: resume from it with lower "
      + "learning rates"
  }
}

extension SafeTensors {
  /// Writes the file so that it stays, or leaves the old one at `path` as it was.
  public func writeDurably(to path: String) throws(DiskError) {
    let bytes = encodedData()
    try DiskFile.replace(path, with: bytes.span)
  }
}
