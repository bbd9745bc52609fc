// MetricSink.swift — where the records of a run go: its logs, a terminal, whatever else wants them.

/// Something that a run told.
public enum RunRecord: Sendable {
  case episode(EpisodeRecord)
  case metrics(MetricsRecord)
  case health(HealthRecord)
  case evaluation(EvaluationRecord)
  case simulatorFault(SimulatorFaultRecord)
}

/// A receiver of a run's records, in the order in which they happen.
public protocol MetricSink: AnyObject {
  func receive(_ record: RunRecord)
}
