// ResumePromise.swift — what a run in an environment can promise when it goes on from a checkpoint.

/// How much of a run is lost when it goes on from a checkpoint.
public enum ResumePromise: String, Codable, Sendable {
  /// Nothing: it goes on to the bit.
  case exact
  /// The episodes that were running: the environment cannot save where it is, so others begin. Nothing else is lost.
  case episode
}
