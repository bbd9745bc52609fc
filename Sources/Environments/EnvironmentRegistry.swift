// EnvironmentRegistry.swift — which tasks there are, by id.

/// A task that can be made by name.
public struct EnvironmentEntry: Sendable {
  /// Name and version as Gymnasium writes them: `HalfCheetah-v5`.
  public let id: String
  /// One line for `list`.
  public let summary: String
  /// Observation size S, known without making the task.
  public let observationSize: Int
  /// Action values A with their bounds, or the number of choices, for `list`.
  public let actionSpace: Space
  /// Control steps after which an episode is truncated; nil: never.
  public let maximumEpisodeSteps: Int?
  /// Mean return at which the task counts as solved, where its authors give one.
  public let rewardThreshold: Double?
  /// Makes the task without its time limit.
  let makeUnlimited: @Sendable () throws -> any Environment

  public init(
    id: String, summary: String, observationSize: Int, actionSpace: Space, maximumEpisodeSteps: Int?,
    rewardThreshold: Double? = nil, make: @escaping @Sendable () throws -> any Environment
  ) {
    self.id = id
    self.summary = summary
    self.observationSize = observationSize
    self.actionSpace = actionSpace
    self.maximumEpisodeSteps = maximumEpisodeSteps
    self.rewardThreshold = rewardThreshold
    self.makeUnlimited = make
  }
}
