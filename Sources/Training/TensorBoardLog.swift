// TensorBoardLog.swift — the event file of a run, for TensorBoard: the numbers of the logs under Stable-Baselines3's tags.
//
//   rollout/ep_rew_mean, rollout/ep_len_mean   over the last 100 training episodes, every 4 episodes
//   time/fps                                   steps by seconds of training so far
//   train/critic_loss, actor_loss, ent_coef    metrics.csv; other columns by their own names
//   eval/mean_reward, eval/mean_ep_length      evaluations.csv
//   health/COLUMN                              health.csv
//
// It is an output beside the run's own logs: no checkpoint depends on it. A run that goes on cuts it back to the step that it
// goes on from, so that no step is in it twice.

import Algorithms
import Formats
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The event file of a run's folder.
public final class TensorBoardLog: MetricSink {
  /// Episodes that the means are over, and how often they are written, as Stable-Baselines3 has them.
  private static let (window, interval) = (100, 4)
  private static let prefix = "events.out.tfevents."

  private let folder: Folder
  private let name: String
  private var file: DiskFile
  private var end: UInt64
  private let further: [String]
  private let seconds: () -> Double
  /// Returns and lengths of the last episodes.
  private var recent: [(episodeReturn: Double, length: Double)]
  /// Why it is not complete: what the disk refused, or what others did to the file. The run goes on without it.
  public private(set) var failure: (any Error)?

  /// Begins the event file of a new run, or goes on with that of one that is resumed.
  ///
  /// - Parameters:
  ///   - step: from which the run goes on; what the file has of later steps is cut off.
  ///   - isWanted: makes a file where there is none.
  /// - Returns: nil where there is none and none is wanted.
  /// - Throws: `DiskError` for a file that cannot be gone on with, such as a link. No run depends on it.
  public static func open(
    _ directory: RunDirectory, from step: Int, isWanted: Bool, metrics: [Metric]
  ) throws -> TensorBoardLog? {
    let names = directory.folder.names().sorted()
    guard isWanted || names.contains(where: { $0.hasPrefix(prefix) }) else { return nil }
    let time = Date().timeIntervalSince1970
    let digits = "\(Int(time))"
    let name =
      names.last { $0.hasPrefix(prefix) }
      ?? prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".offpolicy"
    let log = try TensorBoardLog(directory, name, metrics)
    let kept = EventRecord.length(try log.file.read(Int(log.file.size()), at: 0), through: step)
    try log.file.truncate(to: UInt64(kept))
    log.end = UInt64(kept)
    if kept == 0 {
      log.append(
        EventRecord.fileVersion(wallTime: time) + hyperparameters(directory.description.run, wallTime: time))
    }
    return log
  }

  private init(_ directory: RunDirectory, _ name: String, _ metrics: [Metric]) throws {
    (folder, self.name) = (directory.folder, name)
    // through no link: what it points to would be cut off
    file = try DiskFile(in: folder, name, .existingOrNew)
    end = 0
    further = metrics.further.map(\.name)
    seconds = { [unowned directory] in directory.seconds }
    recent = directory.rows("episodes.csv").suffix(Self.window).compactMap { row in
      guard row.count > 3, let value = Double(row[2]), let length = Double(row[3]) else { return nil }
      return (value, length)
    }
  }

  public func receive(_ record: RunRecord) {
    switch record {
    case .episode(let record):
      add(record)
      guard record.episode % Self.interval == 0 else { return }
      let count = Double(recent.count)
      write(
        [
          ("rollout/ep_rew_mean", recent.reduce(0) { $0 + $1.episodeReturn } / count),
          ("rollout/ep_len_mean", recent.reduce(0) { $0 + $1.length } / count),
          ("time/fps", Double(record.step) / max(1e-9, seconds())),
        ], step: record.step)
    case .metrics(let record):
      let own = zip(further, record.further).map { ("train/" + $0, $1) }
      write(
        [
          ("train/critic_loss", record.criticLoss), ("train/actor_loss", record.policyLoss),
          ("train/target_mean", record.targetMean), ("train/ent_coef", record.temperature),
          ("train/entropy", record.entropy),
        ] + own, step: record.step)
    case .evaluation(let record):
      write(
        [
          ("eval/mean_reward", record.evaluation.mean), ("eval/mean_ep_length", record.evaluation.meanLength),
        ], step: record.step)
    case .health(let record):
      write(record.columns.map { ("health/" + $0.name, $0.value) }, step: record.step)
    case .simulatorFault: break
    }
  }

  private func write(_ values: [(tag: String, value: Double)], step: Int) {
    let known = values.filter { $0.value.isFinite }
    if !known.isEmpty {
      append(EventRecord.scalars(known, step: step, wallTime: Date().timeIntervalSince1970))
    }
  }

  private func append(_ data: Data) {
    guard !(failure is ChangedLog) else { return }
    do {
      try settle()
      try file.write(data.span, at: end)
      end += UInt64(data.count)
    } catch {
      failure = error
    }
  }

  /// Writes a file that was removed again, and leaves alone one that others changed.
  private func settle() throws {
    guard let own = file.mark else { return }
    guard let found = folder.mark(name) else { return file = try rewritten() }
    if !found.isSameFile(as: own) || found.size < end {
      throw ChangedLog(description: "\(folder.path(name)) was changed by another program: it is not gone on with")
    }
  }

  /// What the file holds, in a new one of its name.
  private func rewritten() throws(DiskError) -> DiskFile {
    let new = try DiskFile(in: folder, name, .new)
    let bytes = try file.read(Int(clamping: end), at: 0)
    try new.write(bytes.span, at: 0)
    return new
  }

  private struct ChangedLog: Error, CustomStringConvertible {
    let description: String
  }

  private func add(_ record: EpisodeRecord) {
    recent.append((record.episodeReturn, Double(record.length)))
    if recent.count > Self.window { recent.removeFirst(recent.count - Self.window) }
  }

  private static func hyperparameters(_ run: RunConfiguration, wallTime: Double) -> Data {
    var values: [(name: String, value: JSONValue)] = [
      ("algorithm", .string(run.algorithm)), ("environment", .string(run.environment)),
      ("seed", .number(Double(run.seed))), ("steps", .number(Double(run.steps))),
    ]
    if case .object(let members) = run.configuration {
      values += members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    // runs that differ in their seed alone are one group
    let settings = values.filter { $0.name != "seed" }.map { "\($0.name)=\($0.value.text())" }
    var digest = Digest()
    digest.add(settings.joined(separator: ","))
    return EventRecord.hyperparameters(
      values, group: "\(run.algorithm)-\(run.environment)-\(digest.text.prefix(8))",
      metrics: ["eval/mean_reward", "rollout/ep_rew_mean"], wallTime: wallTime)
  }
}
