// RunInspection.swift — what a run's files tell about it: progress, digest, health.

import Algorithms
import Formats
import Networks

/// How far a run is and how it does, read from its folder.
public struct RunInspection: Sendable {
  /// Environment steps so far.
  public let step: Int
  /// Episodes that have ended.
  public let episodes: Int
  /// Updates so far.
  public let updates: Int
  /// The last step that a log tells of; a run that trains is past its checkpoint.
  public let loggedStep: Int?
  /// Seconds of training so far.
  public let seconds: Double
  /// A hash of all learned parameters: equal digests, equal bits. Nil before the first checkpoint.
  public let digest: String?
  /// The mean return of the last evaluation; nil without one.
  public let lastReturn: Double?
  /// The highest mean return of an evaluation; nil without one.
  public let bestReturn: Double?
  /// Episodes that the simulator broke off.
  public let simulatorFaults: Int
  /// How long training waited for its checkpoints.
  public let pauses: CheckpointPauses
  /// What is out of hand.
  public let health: HealthReport

  /// Reads a run's folder, which may be in use.
  public init(_ directory: RunDirectory) throws {
    let checkpoint = try directory.checkpoint()
    let returns = directory.rows("evaluations.csv").compactMap { $0.count > 2 ? Double($0[2]) : nil }
    (lastReturn, bestReturn) = (returns.last, returns.max())
    step = checkpoint?.state.step ?? 0
    episodes = checkpoint?.state.episodes ?? 0
    updates = checkpoint?.state.updates ?? 0
    loggedStep = ["episodes.csv", "metrics.csv", "evaluations.csv"]
      .compactMap { directory.rows($0).last?.first.flatMap { Int($0) } }.max()
    seconds = checkpoint?.progress.seconds ?? 0
    simulatorFaults = checkpoint?.state.faults.total ?? 0
    pauses = checkpoint?.progress.pauses ?? CheckpointPauses()
    let learned = checkpoint?.state.algorithm.tensors.filter { !$0.name.contains("optimizer") }
    digest = learned.map(Self.digest)
    var record = directory.rows("health.csv").last.flatMap(HealthRecord.init(row:))
    record?.idle = IdleEpisodes(rows: directory.rows("episodes.csv"))
    let metrics = Self.lastValues(of: directory.lines("metrics.csv"))
    if let crossed = metrics[Metric.crossedQuantiles.name] { record?.assessment.crossedQuantiles = crossed }
    if let saturated = metrics[Metric.saturatedBins.name] { record?.assessment.saturatedBins = saturated }
    if let disagreement = metrics[Metric.criticDisagreement.name] {
      record?.assessment.criticDisagreement = disagreement
    }
    let lags = Metric.statisticsLags.compactMap { metrics[$0.name] }
    if let lag = lags.filter({ !$0.isNaN }).max() { record?.assessment.statisticsLag = lag }
    let run = directory.description.run
    if case .object(let members) = run.configuration { record?.settings = Set(members.keys) }
    var health = learned.map { Self.health($0, record) } ?? .unknown
    if learned != nil && updates == 0 && health.findings.isEmpty {
      // random steps come first; at the end of a run there is nothing left to come
      let isOver = step >= run.steps
      health.status = isOver ? "warning" : "unknown"
      health.findings = [
        isOver ? "the run made no update: it has learned nothing" : "no update yet: nothing is learned so far"
      ]
    }
    self.health = health
  }

  /// The numbers of a log's last row, by column.
  private static func lastValues(of lines: [[String]]) -> [String: Double] {
    guard let header = lines.first, lines.count > 1, let row = lines.last else { return [:] }
    let numbers = zip(header, row).compactMap { name, text in Double(text).map { (name, $0) } }
    return Dictionary(numbers, uniquingKeysWith: { first, _ in first })
  }

  /// A hash over names and values, in the order of names.
  public static func digest(_ tensors: [Tensor]) -> String {
    var digest = Digest()
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      digest.add(tensor.name)
      for value in tensor.values { digest.add(value.bitPattern) }
    }
    return digest.text
  }

  private static func health(_ tensors: [Tensor], _ record: HealthRecord?) -> HealthReport {
    var findings: [String] = []
    for tensor in tensors where tensor.name != "log_temperature" && !tensor.values.allSatisfy(\.isFinite) {
      findings.append("\(tensor.name) holds a value that is not finite: resume from an earlier checkpoint")
    }
    return HealthReport(findings: findings + (record?.findings.map(\.text) ?? []), record)
  }
}
