// RunLogs.swift — the CSV files of a run: which columns they have, and a row for each record.

import Platform

/// `episodes.csv`, `metrics.csv`, `evaluations.csv`, `evaluation-episodes.csv` and `health.csv` of a run's folder.
final class RunLogs: MetricSink {
  private let episodes: CSVLog
  private let metrics: CSVLog
  private let evaluations: CSVLog
  private let evaluationEpisodes: CSVLog
  private let health: CSVLog
  /// Seconds of training so far, for the last column.
  private let seconds: () -> Double

  /// - Parameter further: names of the algorithm's own metrics, columns after `seconds`.
  init(_ folder: Folder, further: [String] = [], seconds: @escaping () -> Double) {
    self.seconds = seconds
    func log(_ name: String, _ header: String, key: Int = 0) -> CSVLog {
      CSVLog(name, in: folder, header: header, key: key)
    }
    episodes = log("episodes.csv", "step,episode,return,length,terminated,truncated,seconds", key: 1)
    metrics = log(
      "metrics.csv",
      (["step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds"] + further)
        .joined(separator: ","))
    evaluations = log(
      "evaluations.csv", "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds")
    evaluationEpisodes = log("evaluation-episodes.csv", "step,episode,return,length")
    health = log("health.csv", HealthRecord.columnNames)
  }

  var all: [CSVLog] { [episodes, metrics, evaluations, evaluationEpisodes, health] }

  /// Hands every row to the system, and tells how many bytes each log has.
  ///
  /// - Throws: when the disk fails. A log that others have made something else is no reason to have no checkpoint.
  func flush() throws(DiskError) -> [String: UInt64] {
    var sizes: [String: UInt64] = [:]
    for log in all {
      do { sizes[log.name] = try log.flush() } catch {
        if error.isOfDisk { throw error }
      }
    }
    return sizes
  }

  /// Cuts off what was written after a checkpoint.
  func cut(to state: TrainerState, _ progress: RunProgress) {
    // a checkpoint is written before the evaluation that is due at its step
    for (log, last) in [
      (episodes, state.episodes), (metrics, state.step), (evaluations, state.evaluatedStep),
      (evaluationEpisodes, state.evaluatedStep), (health, state.step),
    ] {
      log.cut(after: last, expecting: progress.logSizes[log.name])
    }
  }

  /// What others did to the logs, since somebody asked.
  func takeNotes() -> [String] { all.flatMap { $0.takeNotes() } }

  func receive(_ record: RunRecord) {
    switch record {
    case .episode(let record):
      episodes.append([
        "\(record.step)", "\(record.episode)", "\(record.episodeReturn)", "\(record.length)",
        record.terminated ? "1" : "0", record.truncated ? "1" : "0", time,
      ])
    case .metrics(let record):
      let common = [
        "\(record.step)", "\(record.updates)", "\(record.criticLoss)", "\(record.policyLoss)", "\(record.targetMean)",
        "\(record.temperature)", "\(record.entropy)", time,
      ]
      metrics.append(common + record.further.map { "\($0)" })
    case .evaluation(let record):
      let result = record.evaluation
      evaluations.append([
        "\(record.step)", "\(result.episodes)", "\(result.mean)", "\(result.standardDeviation)", "\(result.minimum)",
        "\(result.maximum)", "\(result.meanLength)", time,
      ])
      evaluationEpisodes.append(
        rows: zip(result.returns, result.lengths).enumerated().map { index, episode in
          ["\(record.step)", "\(index + 1)", "\(episode.0)", "\(episode.1)"]
        })
    case .health(let record):
      health.append(["\(record.step)"] + record.columns.map { "\($0.value)" } + [time])
    case .simulatorFault: break
    }
  }

  private var time: String { "\((seconds() * 1000).rounded() / 1000)" }
}
