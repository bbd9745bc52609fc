// RunConfiguration.swift — everything that decides what a training run computes.

import Algorithms
import Environments
import Formats

/// A run's choices, as `run.json` and checkpoints keep them.
public struct RunConfiguration: Codable, Sendable, Equatable {
  public var algorithm: String
  /// The task's id.
  public var environment: String
  /// What was set of the task's options; nil where nothing was.
  public var environmentOptions: EnvironmentOptions? = nil
  /// The algorithm's resolved configuration: every property.
  public var configuration: JSONValue
  /// Environment steps.
  public var steps: Int
  public var seed: UInt64
  /// Threads of an update. They change the speed, never the result.
  public var threads: Int
  /// Environment steps between evaluations; 0: none.
  public var evaluateEvery: Int
  public var evaluationEpisodes: Int
  /// Environment steps between checkpoints; nil: every 30 seconds.
  public var checkpointEvery: Int?
  /// The data that the run learns from; nil where it learns from its task.
  public var dataset: DataSource? = nil
  /// Environments that the run collects from at once, N; nil: one.
  public var environments: Int? = nil

  /// N
  public var laneCount: Int { environments ?? 1 }

  /// Data outside the run's folder.
  public struct DataSource: Codable, Sendable, Equatable {
    public var path: String
    /// How files without time-outs are read; nil: they say theirs.
    public var timeouts: String?
    /// A hash of what was read: other data cannot go on with the run.
    public var digest: String

    public init(path: String, timeouts: String?, digest: String) {
      (self.path, self.timeouts, self.digest) = (path, timeouts, digest)
    }
  }

  public init(
    algorithm: String, environment: String, configuration: JSONValue, steps: Int, seed: UInt64, threads: Int,
    evaluateEvery: Int, evaluationEpisodes: Int, checkpointEvery: Int?
  ) {
    (self.algorithm, self.environment, self.configuration) = (algorithm, environment, configuration)
    (self.steps, self.seed, self.threads) = (steps, seed, threads)
    (self.evaluateEvery, self.evaluationEpisodes) = (evaluateEvery, evaluationEpisodes)
    self.checkpointEvery = checkpointEvery
  }

  /// The algorithm's configuration for this run, checked again.
  public func algorithmConfiguration(in registry: AlgorithmRegistry = .standard) throws -> AnyConfiguration {
    let configuration = try registry.entry(algorithm).configuration(configuration)
    return configuration.lasting(updates: updates(configuration))
  }

  /// The updates that the whole run makes, where no simulator fails.
  func updates(_ configuration: AnyConfiguration) -> Int {
    guard dataset == nil, let collection = configuration.collection else { return steps }
    // all that Trainer's learn() owes from the first round on after which it learns
    let batch = min(configuration.batchSize, collection.bufferCapacity, max(1, steps))
    let first = max(collection.randomSteps + 1, batch)
    guard first <= steps else { return 0 }
    let (start, every) = ((first - 1) / laneCount * laneCount, collection.updateEvery)
    return collection.updatesOwed(from: start / every * every, to: steps / every * every)
  }
}

extension AnyConfiguration {
  /// The configuration for a task: what the task suggests where nothing was said, then the given settings.
  public func resolved(for entry: EnvironmentEntry, settings: [String]) throws -> AnyConfiguration {
    let suggested = collection == nil ? [] : entry.suggestedRandomSteps.map { ["randomSteps=\($0)"] } ?? []
    return try setting(suggested + settings)
  }
}
