// CheckpointWriter.swift — writes a checkpoint beside training: training pauses for the copy, not for the disk.

import Algorithms
import Dispatch
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
  let path: String
  let bytes: Data
  /// Where in the file they begin.
  let offset: UInt64
}

/// Writes one checkpoint at a time. The order makes every moment safe: what the new state speaks of is on the disk's
/// surface before the state has its name, and what the old one needs is removed last.
final class CheckpointWriter: Sendable {
  private let folder: URL
  private let statePath: String
  private let previousPath: String
  private let policyPath: String
  private let disk: Mutex<Disk>
  private let group = DispatchGroup()

  /// What is on disk.
  struct Disk: Sendable {
    /// The files of each lane; made with the first checkpoint.
    var replay: [ReplayFiles] = []
    /// The oldest frame of each lane that the newest checkpoint needs.
    var oldestNeededFrames: [UInt64] = []
    var isWriting = false
    /// How the last one went, until somebody asks.
    var result: Result<RunProgress, any Error>?
  }

  init(_ folder: URL, state: String, previous: String, policy: String) {
    (self.folder, statePath, previousPath, policyPath) = (folder, state, previous, policy)
    disk = Mutex(Disk())
  }

  var isWriting: Bool { disk.withLock { $0.isWriting } }

  /// A lane's frames before this one are on disk.
  func writtenFrames(lane: Int) -> UInt64 {
    disk.withLock { $0.replay.indices.contains(lane) ? $0.replay[lane].written : 0 }
  }

  /// Begins to write a checkpoint, on another thread.
  ///
  /// - Precondition: the one before is done.
  func begin(_ contents: CheckpointContents) {
    disk.withLock {
      precondition(!$0.isWriting, "a checkpoint is being written")
      ($0.isWriting, $0.result) = (true, nil)
    }
    DispatchQueue.global(qos: .utility).async(group: group) { [self] in
      // the disk's state is this thread's alone while it writes: the lock is not held over a slow disk
      var (replay, oldest) = disk.withLock { ($0.replay, $0.oldestNeededFrames) }
      for lane in replay.count..<max(replay.count, contents.frames.count) {
        replay.append(ReplayFiles(folder: folder, lane: lane))
        oldest.append(0)
      }
      let result = Result { try write(contents, &replay, &oldest) }
      disk.withLock { ($0.replay, $0.oldestNeededFrames, $0.isWriting, $0.result) = (replay, oldest, false, result) }
    }
  }

  /// Waits until nothing is being written. Gives what the last checkpoint held, or nil if that was asked for before.
  ///
  /// - Throws: what the last checkpoint met; the one before it is then still there.
  func finish() throws -> RunProgress? {
    group.wait()
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
  ) throws -> RunProgress {
    // a state that cannot be gone on from must not take a good one's place
    if let place = contents.state.firstNonFinite {
      throw NonFiniteState(step: contents.state.step, place: place)
    }
    try DiskFile.makeFolder(folder.path)
    for (lane, frames) in contents.frames.enumerated() { try replay[lane].append(frames) }
    for log in contents.logs {
      let file = try DiskFile(log.path)
      try file.synchronize()
      try file.verify(log.bytes.span, at: log.offset)
    }
    try DiskFile.synchronizeFolder(of: folder.path)
    var progress = contents.progress
    for lane in progress.replay.indices { progress.replay[lane].digests = replay[lane].digests }
    try DiskFile.replace(
      statePath, with: contents.state.encoded(progress).encodedData().span, keeping: previousPath)
    // the checkpoint before the last one was the last that needed them
    for (lane, saved) in progress.replay.enumerated() {
      replay[lane].removeFiles(before: min(oldestNeededFrames[lane], saved.frames.lowerBound))
      oldestNeededFrames[lane] = saved.frames.lowerBound
    }
    try DiskFile.replace(policyPath, with: contents.policy.encodedData().span)
    return progress
  }
}

/// A state that holds a number which is not finite: it is not saved, and the checkpoint before is the one to go on from.
public struct NonFiniteState: Error, CustomStringConvertible {
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
