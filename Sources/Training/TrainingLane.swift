// TrainingLane.swift — where one environment of a run is: its episode so far.

import Environments

/// One lane between two steps.
public struct TrainingLane: Sendable, Equatable {
  /// Environment steps taken in this lane.
  public var steps = 0
  /// The return of its episode so far.
  public var episodeReturn = 0.0
  /// The steps of its episode so far.
  public var episodeLength = 0
  /// The episode has ended, or none has begun.
  public var needsReset = true
  /// The observation (S) that the next action is chosen for.
  public var observation: [Float]

  /// A lane that waits for its first reset.
  public init(observationSize: Int) { observation = [Float](repeating: 0, count: observationSize) }

  mutating func begin() { (episodeReturn, episodeLength, needsReset) = (0, 0, false) }

  mutating func add(_ outcome: StepOutcome) {
    steps += 1
    episodeReturn += outcome.reward
    episodeLength += 1
    needsReset = outcome.endsEpisode
  }
}
