// SB3Logs.swift — the logs of a run as Stable-Baselines3 writes its own, so that its plots and those of its zoo read them.
//
//   progress.csv      a row every 4 training episodes and one for each evaluation, under the tags of its logger
//   monitor.csv       a row per training episode: return, length, seconds
//   evaluations.npz   timesteps [n], results [n, episodes], ep_lengths [n, episodes]

import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A run's logs for programs that read those of Stable-Baselines3.
public struct SB3Logs {
  /// Episodes that the means of `progress.csv` are over, and how often they are written, as there.
  private static let (window, interval) = (100, 4)

  private let description: RunDescription
  private let episodes, metrics, evaluations, evaluationEpisodes: Columns
  /// Single episodes of evaluations are not known: each evaluation's mean stands for all of its episodes.
  public let hasMeansOnly: Bool

  /// The rows of a log by the names of its columns.
  private struct Columns {
    let header: [String]
    let rows: [[String]]

    init(_ lines: [[String]]) {
      header = lines.first ?? []
      let count = header.count
      rows = Array(lines.dropFirst().prefix { $0.count == count })
    }

    func values(_ name: String) -> [Double] {
      guard let index = header.firstIndex(of: name) else { return [] }
      return rows.map { Double($0[index]) ?? .nan }
    }

    func whole(_ name: String) -> [Int] { values(name).map { Int(exactly: $0) ?? 0 } }
  }

  /// Reads the logs of a run, which may be in use.
  ///
  /// - Throws: `ExportError` where there is nothing to write.
  public init(_ run: RunDirectory) throws {
    description = run.description
    func log(_ name: String) -> Columns { Columns(run.lines(name)) }
    (episodes, metrics) = (log("episodes.csv"), log("metrics.csv"))
    (evaluations, evaluationEpisodes) = (log("evaluations.csv"), log("evaluation-episodes.csv"))
    guard !episodes.rows.isEmpty || !evaluations.rows.isEmpty else {
      throw ExportError("\(oneLine(run.path)) has no episode and no evaluation yet: there is nothing to write")
    }
    hasMeansOnly = !evaluations.rows.isEmpty && Self.single(evaluations, evaluationEpisodes) == nil
  }

  /// Where the plots of the zoo look for a run: ALGORITHM/ENVIRONMENT_SEED, below the folder that they are given.
  public var usualPath: String {
    let run = description.run
    // an id of a namespace has a slash
    let environment = run.environment.split(separator: "/").joined(separator: "-")
    return "sb3-logs/\(run.algorithm)/\(environment.isEmpty ? "data" : environment)_\(run.seed)"
  }

  /// Writes a folder beside `path` and then gives it that name: it is whole or not there.
  ///
  /// - Parameter path: a folder that does not exist yet; those above it are made.
  /// - Returns: the bytes of its files.
  @discardableResult
  public func write(to path: String) throws -> Int {
    try PolicyExport.writeFolder(files, to: path, makingParents: true)
  }

  /// What there is to write. A log without rows has no file.
  var files: [(name: String, bytes: [UInt8])] {
    get throws {
      var files = [("progress.csv", Array(progress.utf8))]
      if !episodes.rows.isEmpty { files.append(("monitor.csv", Array(monitor.utf8))) }
      if !evaluations.rows.isEmpty { files.append(("evaluations.npz", Array(try archive()))) }
      return files
    }
  }

  // MARK: monitor.csv

  /// The first line is JSON behind a sign; rows end as those of Python's csv module do.
  var monitor: String {
    let started = (try? Date(description.started, strategy: .iso8601))?.timeIntervalSince1970 ?? 0
    let environment = JSONValue.string(description.run.environment).text()
    let (returns, lengths, seconds) = (episodes.values("return"), episodes.whole("length"), episodes.values("seconds"))
    var text = "#{\"t_start\": \(started), \"env_id\": \(environment)}\nr,l,t\r\n"
    for index in returns.indices {
      text += "\(rounded(returns[index])),\(lengths[index]),\(rounded(seconds[index]))\r\n"
    }
    return text
  }

  /// To six digits after the point.
  private func rounded(_ value: Double) -> Double {
    // a number so large has no digits there
    abs(value) < 1e9 ? (value * 1e6).rounded(.toNearestOrEven) / 1e6 : value
  }

  // MARK: evaluations.npz

  private func archive() throws -> Data {
    let (steps, counts) = (evaluations.whole("step"), evaluations.whole("episodes"))
    let rows: [(returns: [Double], lengths: [Int])]
    let width: Int
    if let single = Self.single(evaluations, evaluationEpisodes) {
      (rows, width) = (single, single.first?.returns.count ?? 0)
    } else {
      // what averages over episodes needs two of them at least; of the same number a thousand say no less than a million
      width = min(max(2, counts.max() ?? 2), 1000)
      rows = zip(evaluations.values("return_mean"), evaluations.values("length_mean")).map { mean, length in
        (Array(repeating: mean, count: width), Array(repeating: Int(clampingWhole: length.rounded()), count: width))
      }
    }
    var writer = NumPyArchive.Writer()
    writer.add("timesteps", integers: steps, shape: [steps.count])
    writer.add("results", doubles: rows.flatMap(\.returns), shape: [steps.count, width])
    writer.add("ep_lengths", integers: rows.flatMap(\.lengths), shape: [steps.count, width])
    return try writer.encoded(path: "evaluations.npz")
  }

  /// The single episodes of each evaluation; nil where they are not all known, or not equally many.
  private static func single(
    _ evaluations: Columns, _ episodes: Columns
  ) -> [(returns: [Double], lengths: [Int])]? {
    let (steps, returns, lengths) = (episodes.whole("step"), episodes.values("return"), episodes.whole("length"))
    var found: [Int: (returns: [Double], lengths: [Int])] = [:]
    for (index, step) in steps.enumerated() {
      found[step, default: ([], [])].returns.append(returns[index])
      found[step, default: ([], [])].lengths.append(lengths[index])
    }
    let rows = evaluations.whole("step").compactMap { found[$0] }
    let counts = Set(zip(rows, evaluations.whole("episodes")).flatMap { [$0.returns.count, $1] })
    return rows.count == evaluations.rows.count && counts.count == 1 ? rows : nil
  }

  // MARK: progress.csv

  /// A row under construction: its step, whether an evaluation made it, and its values by tag.
  private struct Row {
    let step: Int
    let isEvaluation: Bool
    var values: [String: Double]
  }

  /// Tags of the columns of `metrics.csv`; others keep their names. As in the event file for TensorBoard.
  private static let tags = [
    "critic_loss": "train/critic_loss", "policy_loss": "train/actor_loss", "temperature": "train/ent_coef",
    "updates": "train/n_updates",
  ]

  var progress: String {
    var rows = trainingRows + evaluationRows
    // at the same step training comes first
    rows.sort { ($0.step, $0.isEvaluation ? 1 : 0) < ($1.step, $1.isEvaluation ? 1 : 0) }
    let columns = Set(rows.flatMap { $0.values.keys }).sorted()
    var text = columns.map(quoted).joined(separator: ",") + "\n"
    for row in rows {
      text += columns.map { row.values[$0].map(plain) ?? "" }.joined(separator: ",") + "\n"
    }
    return text
  }

  private var trainingRows: [Row] {
    let (steps, numbers) = (episodes.whole("step"), episodes.whole("episode"))
    let (returns, lengths, seconds) = (episodes.values("return"), episodes.values("length"), episodes.values("seconds"))
    let metricSteps = metrics.whole("step")
    let metricNames = metrics.header.filter { !["step", "seconds"].contains($0) }
    let metricValues = metricNames.map { metrics.values($0) }
    var (rows, taken): ([Row], Int) = ([], 0)
    for index in steps.indices where numbers[index] % Self.interval == 0 {
      let recent = max(0, index + 1 - Self.window)...index
      var values: [String: Double] = [
        "rollout/ep_rew_mean": mean(returns[recent]), "rollout/ep_len_mean": mean(lengths[recent]),
        "time/episodes": Double(numbers[index]), "time/total_timesteps": Double(steps[index]),
        "time/time_elapsed": seconds[index].rounded(.down),
        "time/fps": (Double(steps[index]) / max(1e-9, seconds[index])).rounded(.down),
      ]
      // the last means that have come since the row before
      let known = metricSteps.prefix { $0 <= steps[index] }.count
      if known > taken {
        for (name, column) in zip(metricNames, metricValues) where column[known - 1].isFinite {
          values[Self.tags[name] ?? "train/\(name)"] = column[known - 1]
        }
        taken = known
      }
      rows.append(Row(step: steps[index], isEvaluation: false, values: values))
    }
    return rows
  }

  private var evaluationRows: [Row] {
    let (steps, means) = (evaluations.whole("step"), evaluations.values("return_mean"))
    let lengths = evaluations.values("length_mean")
    return steps.indices.map { index in
      Row(
        step: steps[index], isEvaluation: true,
        values: [
          "eval/mean_reward": means[index], "eval/mean_ep_length": lengths[index],
          "time/total_timesteps": Double(steps[index]),
        ])
    }
  }

  private func mean(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

  private func plain(_ value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }

  private func quoted(_ text: String) -> String { text.contains(",") ? "\"\(text)\"" : text }
}
