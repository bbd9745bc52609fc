// TensorBoardLog.swift — the event file of a run, for TensorBoard: the numbers of the logs under Stable-Baselines3's tags.
//
//   rollout/ep_rew_mean, rollout/ep_len_mean   over the last 100 training episodes, every 4 episodes
//   time/fps                                   steps by seconds of training so far
//   train/critic_loss, actor_loss, ent_coef    metrics.csv; other columns by their own names
//   eval/mean_reward, eval/mean_ep_length      evaluations.csv
//   health/COLUMN                              health.csv

import Formats
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One file, which is cut back to the checkpoint on resume as the other logs are: no step is in it twice.
final class TensorBoardLog: MetricSink {
  /// Episodes that the means are over, and how often they are written, as Stable-Baselines3 has them.
  private static let (window, interval) = (100, 4)
  private static let prefix = "events.out.tfevents."

  let log: CSVLog
  private let episodesPath: String
  private let further: [String]
  private let seconds: () -> Double
  private let now: () -> Double
  /// Returns and lengths of the last episodes; nil until the first one of this process.
  private var recent: [(episodeReturn: Double, length: Double)]?

  /// - Parameters:
  ///   - further: names of the algorithm's own metrics.
  ///   - seconds: of training so far.
  ///   - now: seconds since 1970.
  init(
    _ folder: URL, name: String, _ description: RunDescription, further: [String], seconds: @escaping () -> Double,
    now: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) {
    let time = now()
    log = CSVLog(
      folder.appendingPathComponent(name),
      first: EventRecord.fileVersion(wallTime: time) + Self.hyperparameters(description.run, wallTime: time))
    episodesPath = folder.appendingPathComponent("episodes.csv").path
    (self.further, self.seconds, self.now) = (further, seconds, now)
  }

  /// The name of a new event file; readers expect the time in it.
  static func newName(at time: Double = Date().timeIntervalSince1970) -> String {
    let digits = "\(Int(time))"
    return prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".offpolicy"
  }

  /// The event file that a folder has, if any.
  static func name(in folder: URL) -> String? {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted().last { $0.hasPrefix(prefix) }
  }

  func receive(_ record: RunRecord) {
    switch record {
    case .episode(let record):
      add(record)
      guard record.episode % Self.interval == 0, let recent else { return }
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
    if !known.isEmpty { log.append(EventRecord.scalars(known, step: step, wallTime: now())) }
  }

  /// A resumed run begins with the episodes that it has on disk.
  private func add(_ record: EpisodeRecord) {
    var episodes = recent ?? Self.episodes(at: episodesPath, before: record.episode)
    episodes.append((record.episodeReturn, Double(record.length)))
    if episodes.count > Self.window { episodes.removeFirst(episodes.count - Self.window) }
    recent = episodes
  }

  private static func episodes(at path: String, before episode: Int) -> [(episodeReturn: Double, length: Double)] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return CSVLog.rows(of: data).dropFirst().suffix(window + 1).compactMap { row in
      guard row.count > 3, let number = Int(row[1]), number < episode, let value = Double(row[2]),
        let length = Double(row[3])
      else { return nil }
      return (value, length)
    }
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
