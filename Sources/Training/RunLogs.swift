// RunLogs.swift — the CSV files of a run: which columns they have, and a row for each record.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// `episodes.csv`, `metrics.csv`, `evaluations.csv` and `health.csv` of a run's folder.
final class RunLogs: MetricSink {
  private let episodes: CSVLog
  private let metrics: CSVLog
  private let evaluations: CSVLog
  private let health: CSVLog
  /// The event file, where the run has one.
  private let tensorBoard: TensorBoardLog?
  /// Seconds of training so far, for the last column.
  private let seconds: () -> Double

  /// - Parameter further: names of the algorithm's own metrics, columns after `seconds`.
  init(
    _ folder: URL, further: [String] = [], tensorBoard: TensorBoardLog? = nil, seconds: @escaping () -> Double
  ) {
    (self.seconds, self.tensorBoard) = (seconds, tensorBoard)
    func log(_ name: String, _ header: String) -> CSVLog {
      CSVLog(folder.appendingPathComponent(name), header: header)
    }
    episodes = log("episodes.csv", "step,episode,return,length,terminated,truncated,seconds")
    metrics = log(
      "metrics.csv",
      (["step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds"] + further)
        .joined(separator: ","))
    evaluations = log(
      "evaluations.csv", "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds")
    health = log("health.csv", HealthRecord.columnNames)
  }

  var all: [CSVLog] { [episodes, metrics, evaluations, health] + (tensorBoard.map { [$0.log] } ?? []) }

  func receive(_ record: RunRecord) {
    tensorBoard?.receive(record)
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
    case .health(let record):
      health.append(["\(record.step)"] + record.columns.map { "\($0.value)" } + [time])
    case .simulatorFault: break
    }
  }

  private var time: String { "\((seconds() * 1000).rounded() / 1000)" }
}
