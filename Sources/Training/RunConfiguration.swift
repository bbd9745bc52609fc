// RunConfiguration.swift — everything that decides what a training run computes.

import Algorithms
import Environments
import Formats
import Platform

/// A run's choices, as `run.json` and checkpoints keep them.
public struct RunConfiguration: Codable, Sendable, Equatable {
  /// The algorithm's name.
  public var algorithm: String
  /// The environment's id.
  public var environment: String
  /// What was set of the environment's options; nil where nothing was.
  public var environmentOptions: EnvironmentOptions? = nil
  /// The algorithm's resolved configuration: every property.
  public var configuration: JSONValue
  /// Environment steps.
  public var steps: Int
  /// What all randomness of the run comes from.
  public var seed: UInt64
  /// Threads of an update. They change the speed, never the result.
  public var threads: Int
  /// Environment steps between evaluations; 0: none.
  public var evaluateEvery: Int
  /// Episodes of each evaluation.
  public var evaluationEpisodes: Int
  /// Environment steps between checkpoints; nil: every 30 seconds.
  public var checkpointEvery: Int?
  /// The data that the run learns from; nil where it learns from its environment.
  public var dataset: DataSource? = nil
  /// Whose networks the run began with; nil: its own, from the seed.
  public var from: Origin? = nil
  /// Environments that the run collects from at once, N; nil: one.
  public var environments: Int? = nil
  /// Whether environments step while the updates of the round before are made; nil: no, updates come between two steps.
  public var overlap: Bool? = nil

  /// The Python interpreter of an environment in Python; nil: that of the search path, or none is needed.
  public var python: String? = nil

  /// N
  public var laneCount: Int { environments ?? 1 }

  /// A run, or a policy file, whose networks a new run begins with.
  public struct Origin: Codable, Sendable, Equatable {
    /// The run or policy file that the networks came from.
    public var path: String
    /// The algorithm that had learned them.
    public var algorithm: String
    /// The step that it was at.
    public var step: Int
    /// A hash of what was taken.
    public var digest: String
  }

  /// Data outside the run's folder.
  public struct DataSource: Codable, Sendable, Equatable {
    /// Where the data are.
    public var path: String
    /// How files without time-outs are read; nil: they say theirs.
    public var timeouts: String?
    /// The parts that observations were joined from, where some were named; nil: all of them, or one piece.
    public var observations: [String]?
    /// A hash of what was read: other data cannot go on with the run.
    public var digest: String

    /// Data at a path, with their digest.
    public init(path: String, timeouts: String?, digest: String) {
      (self.path, self.timeouts, self.digest) = (path, timeouts, digest)
    }
  }

  /// A run of given settings, in one environment.
  public init(
    algorithm: String, environment: String, configuration: JSONValue, steps: Int, seed: UInt64, threads: Int,
    evaluateEvery: Int, evaluationEpisodes: Int, checkpointEvery: Int?
  ) {
    (self.algorithm, self.environment, self.configuration) = (algorithm, environment, configuration)
    (self.steps, self.seed, self.threads) = (steps, seed, threads)
    (self.evaluateEvery, self.evaluationEpisodes) = (evaluateEvery, evaluationEpisodes)
    self.checkpointEvery = checkpointEvery
  }

  /// What a run's numbers may be. Every count within is exact in double precision, and what is reckoned from some of them
  /// does not overflow.
  public enum Limits {
    /// Environment steps, or updates on data.
    public static let steps = 1...1_000_000_000_000_000
    /// Threads of an update.
    public static let threads = 1...256
    /// Environments that are stepped at once.
    public static let environments = 1...4096
    /// Episodes of an evaluation.
    public static let evaluationEpisodes = 1...1_000_000_000
  }

  /// Throws when a number is out of its range: a file may say anything.
  public func check() throws(ConfigurationError) {
    let every = 0...Limits.steps.upperBound
    for (key, value, range) in [
      ("steps", steps, Limits.steps), ("threads", threads, Limits.threads), ("evaluateEvery", evaluateEvery, every),
      ("evaluationEpisodes", evaluationEpisodes, Limits.evaluationEpisodes),
      ("checkpointEvery", checkpointEvery ?? 0, every), ("environments", laneCount, Limits.environments),
    ] where !range.contains(value) {
      throw .outOfRange(
        key: key, value: "\(value)", allowed: "a whole number in [\(range.lowerBound), \(range.upperBound)]")
    }
  }

  /// The algorithm's configuration for this run, checked again.
  public func algorithmConfiguration(in registry: AlgorithmRegistry = .standard) throws -> AnyConfiguration {
    let configuration = try registry.entry(algorithm).configuration(configuration)
    return configuration.lasting(updates: updates(configuration))
  }

  /// The updates that the whole run makes, where no simulator fails.
  func updates(_ configuration: AnyConfiguration) -> Int { learning(configuration).updates }

  /// When a run learns, and how much.
  public struct Learning: Sendable, Equatable {
    /// Steps before the first update; all of them where there is none.
    public var begins: Int
    /// Updates of the whole run, where no simulator fails.
    public var updates: Int
    /// There may be more of them: a batch as large as the buffer is taken as soon as that is full, and how soon depends on
    /// the lengths of episodes.
    public var isLeast = false
  }

  /// When the run learns and how much, before it begins.
  public func learning(in registry: AlgorithmRegistry = .standard) throws -> Learning {
    learning(try registry.entry(algorithm).configuration(configuration))
  }

  private func learning(_ configuration: AnyConfiguration) -> Learning {
    guard dataset == nil, let collection = configuration.collection else { return Learning(begins: 0, updates: steps) }
    // all that Trainer's learn() owes from the first round on after which it learns
    let batch = min(configuration.batchSize, collection.bufferCapacity, max(1, steps))
    let first = max(collection.randomSteps + 1, batch)
    guard first <= steps else { return Learning(begins: steps, updates: 0) }
    let (start, every) = ((first - 1) / laneCount * laneCount, collection.updateEvery)
    let from = start / every * every
    // with overlap those of the last round are not made: they would come beside the next one
    let served = overlap == true ? (steps - 1) / laneCount * laneCount : steps
    guard first <= served else { return Learning(begins: steps, updates: 0) }
    let updates = collection.updatesOwed(from: from, to: served / every * every)
    // a step less than the one that ends the first period
    return Learning(
      begins: updates == 0 ? steps : max(first, from + every) - 1, updates: updates,
      isLeast: updates > 0 && first > collection.randomSteps + 1 && batch > collection.bufferCapacity / 2)
  }

  /// Throws when the run would take all its steps and learn nothing from them.
  public func checkLearning(in registry: AlgorithmRegistry = .standard) throws {
    let configuration = try registry.entry(algorithm).configuration(configuration)
    guard learning(configuration).updates == 0, let collection = configuration.collection else { return }
    if collection.randomSteps >= steps {
      // a fifth of the steps at random; never fewer than a batch, where there are that many
      let fewer = max(min(configuration.batchSize, steps / 2), steps / 5)
      throw NothingLearned(
        "\(steps) steps teach nothing: the first randomSteps = \(collection.randomSteps) take random actions, before any "
          + "update; take more steps or fewer random ones", .hyperparameter("randomSteps", value: "\(fewer)"))
    }
    if collection.updateEvery > steps {
      throw NothingLearned(
        "\(steps) steps teach nothing: updates come every updateEvery = \(collection.updateEvery) steps; take more steps or "
          + "update more often", .hyperparameter("updateEvery", value: "1"))
    }
    throw NothingLearned(
      "\(steps) steps teach nothing: updatesPerStep = \(collection.updatesPerStep) owes no whole update, or a batch of "
        + "\(configuration.batchSize) is never full; take more steps", .hyperparameter("updatesPerStep", value: "1"))
  }
}

/// A run whose settings make no update.
public struct NothingLearned: Error, RemediableError, CustomStringConvertible {
  /// Why the settings make no update, and what to set, in one line.
  public let description: String
  package let remedies: [Remedy]

  init(_ description: String, _ remedy: Remedy) { (self.description, remedies) = (description, [remedy]) }
}

extension AnyConfiguration {
  /// The names of its hyperparameters.
  var names: Set<String> { if case .object(let members) = values { Set(members.keys) } else { [] } }

  /// The configuration for an environment: what it suggests where nothing was said, then the given settings.
  public func resolved(for entry: EnvironmentEntry, settings: [String]) throws -> AnyConfiguration {
    let suggested = collection == nil ? [] : entry.suggestedRandomSteps.map { ["randomSteps=\($0)"] } ?? []
    return try setting(suggested + settings)
  }
}
