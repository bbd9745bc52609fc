// TrainingObserver.swift — what a run tells whoever watches it, and the errors that end one.

import Algorithms

/// What happened, for whoever watches. All of it can be ignored: nothing here changes what is learned.
public struct TrainingObserver {
  /// Called as an episode ends.
  public var episodeEnded: (EpisodeRecord) throws -> Void = { _ in }
  /// Called with each row of metrics.
  public var metricsReady: (MetricsRecord) throws -> Void = { _ in }
  /// Called with each measurement of health.
  public var healthAssessed: (HealthRecord) throws -> Void = { _ in }
  /// Called after each evaluation.
  public var evaluated: (EvaluationRecord) throws -> Void = { _ in }
  /// Called after every round, cheaply; true asks the loop to stop.
  public var shouldStop: () -> Bool = { false }
  /// Called after every round of one step in each environment, with the steps taken so far.
  public var stepped: (Int) throws -> Void = { _ in }
  /// The simulator broke; training goes on with another episode.
  public var simulatorFailed: (SimulatorFaultRecord) throws -> Void = { _ in }
  /// Training is about to stop with an error; the dump shows what led to it.
  public var failed: (FailureDump) -> Void = { _ in }

  /// An observer that does nothing.
  public init() {}
}

/// The policy gave an action that is not finite.
public struct DivergedPolicy: Error, Equatable, CustomStringConvertible {
  /// Environment steps taken before.
  public let step: Int
  /// The value of the action that is not finite.
  public let index: Int
  /// What it is.
  public let value: Float

  /// The value and what to do, in one line.
  public var description: String {
    "after step \(step) the policy gave action[\(index)] = \(value): it has diverged; resume from the last checkpoint, or "
      + "start anew with a lower learning rate"
  }
}

/// A checkpoint that does not fit the environment or the algorithm it names.
public struct MismatchedRun: Error, CustomStringConvertible {
  /// What happened, in one line.
  public let description: String

  init(_ description: String) { self.description = description }
}
