// MetricSink.swift — where the records of a run go: its logs, a terminal, whatever else wants them.

/// Something that a run told.
public enum RunRecord: Sendable {
  /// An episode ended.
  case episode(EpisodeRecord)
  /// A row of means over updates is ready.
  case metrics(MetricsRecord)
  /// The learner's health was measured.
  case health(HealthRecord)
  /// An evaluation ended.
  case evaluation(EvaluationRecord)
  /// The simulator failed within a step.
  case simulatorFault(SimulatorFaultRecord)
}

/// A receiver of a run's records, in the order in which they happen.
public protocol MetricSink: AnyObject {
  /// Takes one record. It is called on the thread that trains, and should return soon.
  func receive(_ record: RunRecord)
}
