// DatasetFolder.swift — data as this program keeps them: a description and the frames of a replay buffer; a run has them too.

import Algorithms
import Environments
import Formats
import Platform
import Replay
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

enum DatasetFolder {
  static let description = "dataset.json"
  static let format = "swift-offpolicy dataset"
  static let version = 1
  /// Numbers in an observation or an action.
  private static let mostValues = 1 << 20

  /// What `dataset.json` holds.
  private struct Contents: Codable {
    var format: String
    var version: Int
    var description: DatasetDescription
    var transitions: Int
    var frames: UInt64
    /// The first frame is an episode's first.
    var beginsEpisode: Bool
    /// A hash of each file of frames, by its number.
    var digests: [String: UInt64]
  }

  static func read(_ path: String) throws -> Dataset {
    let file = "\(path)/\(description)"
    guard let data = FileManager.default.contents(atPath: file) else { throw DatasetError(file, "cannot be read") }
    guard let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.format == format else {
      throw DatasetError(file, "is not a description of data: collect or convert them again")
    }
    guard contents.version == version else {
      throw DatasetError(file, "has format \(contents.version), this program reads \(version)")
    }
    let description = contents.description
    guard contents.frames < UInt64(Int32.max), 1...Self.mostValues ~= description.observationSize,
      1...Self.mostValues ~= description.actionSize, description.actionHigh.count == description.actionSize,
      description.choices.map({ $0 > 0 && description.actionLow == [0] && description.actionHigh == [Float($0 - 1)] })
        ?? true
    else { throw DatasetError(file, "gives impossible sizes: collect or convert the data again") }
    try check(
      0..<contents.frames, observationSize: description.observationSize, actionSize: description.actionSize, in: path)
    var buffer = try ReplayBuffer(
      frames: Int(contents.frames), observationSize: description.observationSize, actionSize: description.actionSize)
    let digests = Dictionary(
      contents.digests.compactMap { key, value in UInt64(key).map { ($0, value) } }, uniquingKeysWith: { $1 })
    try restore(0..<contents.frames, digests: digests, from: path, into: &buffer)
    return try Dataset(description, buffer: buffer, beginsEpisode: contents.beginsEpisode, path: path)
  }

  static func write(_ dataset: borrowing Dataset, to path: String) throws {
    do {
      try DatasetFiles.writeWhole(path) { partial in
        let folder = URL(fileURLWithPath: partial)
        // frames are numbered from 0 on, wherever they came from
        let buffer = try dataset.buffer.copy(frames: dataset.buffer.frameRange.count)
        var files = ReplayFiles()
        try files.append(FrameBlock(buffer, from: 0), in: Folder.make(partial))
        let contents = Contents(
          format: format, version: version, description: dataset.description, transitions: dataset.count,
          frames: buffer.frameTotal, beginsEpisode: dataset.beginsEpisode,
          digests: Dictionary(uniqueKeysWithValues: files.digests.map { ("\($0.key)", $0.value) }))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(contents).write(to: folder.appendingPathComponent(description), options: .atomic)
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "cannot be written: \(FileAccess.reason(of: error))")
    }
  }

  /// The replay buffer of a run's newest whole checkpoint.
  static func readRun(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    let directory = try RunDirectory.open(path)
    guard let (state, progress) = try directory.checkpoint() else {
      throw DatasetError(path, "has no checkpoint yet: wait for the first one")
    }
    guard progress.replay.contains(where: { !$0.frames.isEmpty }), let lane = state.lanes.first else {
      let hint = directory.description.run.dataset.map { "it learns from \($0.path)" } ?? "it has taken no step yet"
      throw DatasetError(path, "has no transitions of its own: \(hint)")
    }
    let policy = try SafeTensors(contentsOf: directory.policyPath)
    let (low, high) = try (policy.floats("action.low"), policy.floats("action.high"))
    let choices = policy.metadata["choices"].flatMap { Int($0) }
    let size = lane.observation.count
    let folder = path + "/checkpoint"
    for (lane, saved) in progress.replay.enumerated() {
      try check(saved.frames, lane: lane, observationSize: size, actionSize: low.count, in: folder)
    }
    let frames = progress.replay.reduce(0) { $0 + $1.frames.count + 1 }
    var data = try ReplayBuffer(frames: frames, observationSize: size, actionSize: low.count)
    var next: UInt64 = 0
    for (lane, saved) in progress.replay.enumerated() {
      // one lane after another: each is read by itself, and a running episode ends where it was broken off
      var buffer = try ReplayBuffer(
        frames: saved.frames.count + 1, observationSize: size, actionSize: low.count)
      try restore(saved.frames, lane: lane, digests: saved.digests, from: folder, into: &buffer)
      let episode = state.lanes[lane]
      if !episode.needsReset {
        buffer.resumeEpisode(episode.observation.span)
        buffer.breakOff()
      }
      // the next lane does not go on at an episode's start where it has dropped older frames
      let isGap = lane + 1 < progress.replay.count && progress.replay[lane + 1].frames.lowerBound > 0
      next = data.append(buffer, from: next, endsInGap: isGap)
    }
    let run = directory.description.run
    return try Dataset(
      DatasetDescription(
        environment: run.environment, observationSize: size, actionLow: low, actionHigh: high, choices: choices,
        source: "replay buffer of \(run.algorithm) on \(run.environment), step \(state.step)"),
      buffer: data, beginsEpisode: progress.replay[0].frames.lowerBound == 0, path: path)
  }

  /// Throws when the files are not there or too short, before memory is taken for what they should hold.
  private static func check(
    _ frames: Range<UInt64>, lane: Int = 0, observationSize: Int, actionSize: Int, in folder: String
  ) throws {
    let width = ReplayBuffer.frameWidth(observationSize: observationSize, actionSize: actionSize)
    try naming { try ReplayFiles(lane: lane).check(frames, width: width, in: URL(fileURLWithPath: folder).path) }
  }

  private static func restore(
    _ frames: Range<UInt64>, lane: Int = 0, digests: [UInt64: UInt64], from folder: String,
    into buffer: inout ReplayBuffer
  ) throws {
    // the buffer has one lane, whichever the files are of
    var files = ReplayFiles(lane: lane)
    let folder = try Folder(URL(fileURLWithPath: folder).path)
    try naming { try files.restore(frames, digests: digests, in: folder, into: &buffer, lane: 0) }
  }

  /// Runs `body`; what is wrong with a file is told as a fault of the data.
  private static func naming(_ body: () throws -> Void) throws {
    do { try body() } catch let error as CheckpointError {
      throw DatasetError(error.fault, "cannot be used: copy the folder again")
    }
  }
}
