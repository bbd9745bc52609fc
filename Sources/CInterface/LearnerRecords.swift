// LearnerRecords.swift — what a learner tells, as JSON: means of its updates, episodes, findings about its health.

import OffPolicy

/// The last records of a run, until somebody asks.
final class RecordList {
  private static let limit = 10_000
  private var waiting: [JSONValue] = []

  func watch(_ trainer: Trainer) {
    trainer.observer.episodeEnded = { [unowned self] in
      add([
        "kind": .string("episode"), "step": .number(Double($0.step)), "episode": .number(Double($0.episode)),
        "return": .number($0.episodeReturn), "length": .number(Double($0.length)), "terminated": .bool($0.terminated),
        "truncated": .bool($0.truncated),
      ])
    }
    trainer.observer.healthAssessed = { [unowned self] in
      let findings = $0.findings.map { JSONValue.string($0.text) }
      guard !findings.isEmpty else { return }
      add(["kind": .string("health"), "step": .number(Double($0.step)), "findings": .array(findings)])
    }
  }

  private func add(_ record: [String: JSONValue]) {
    waiting.append(.object(record))
    // in one piece, so that an eager run does not move everything at each record
    if waiting.count >= 2 * Self.limit { waiting.removeFirst(waiting.count - Self.limit) }
  }

  func take() -> JSONValue {
    defer { waiting = [] }
    return .array(Array(waiting.suffix(Self.limit)))
  }
}

@_cdecl("offpolicy_records")
public func records(_ handle: Int64) -> Int64 { withLearner(handle) { leave($0.records.take().text()) } }

@_cdecl("offpolicy_metrics")
public func metrics(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    let record = learner.trainer.means()
    let entry = try AlgorithmRegistry.standard.entry(learner.trainer.run.algorithm)
    var means: [String: JSONValue] = [:]
    func set(_ name: String, _ value: Double) { if value.isFinite { means[name] = .number(value) } }
    set("criticLoss", record.criticLoss)
    set("policyLoss", record.policyLoss)
    set("targetMean", record.targetMean)
    set("temperature", record.temperature)
    set("entropy", record.entropy)
    for (metric, value) in zip(entry.metrics.further, record.further) { set(metric.name, value) }
    return leave(
      JSONValue.object(["means": .object(means), "updates": .number(Double(record.updates))]).text())
  }
}
