// AlgorithmRegistry.swift — the algorithms that a program knows, by name.

import Formats
import Kernels
import Platform
import Replay

/// The algorithms that a program knows.
///
/// Adding one from outside is one entry:
///
///     let registry = AlgorithmRegistry(
///       AlgorithmRegistry.standard.entries + [AlgorithmEntry("mine", "My algorithm", Mine.self)])
public struct AlgorithmRegistry: Sendable {
  /// All algorithms, in the order in which `list` shows them.
  public let entries: [AlgorithmEntry]

  /// - Precondition: names are in lower case and unique.
  public init(_ entries: [AlgorithmEntry]) {
    var names: Set<String> = []
    for name in entries.map(\.name) {
      precondition(name == name.lowercased(), "the algorithm \(name) is not in lower case")
      precondition(names.insert(name).inserted, "two algorithms are called \(name)")
    }
    self.entries = entries
  }

  /// The algorithms of this package.
  public static let standard = AlgorithmRegistry([
    AlgorithmEntry("ddpg", "Deep Deterministic Policy Gradient (Lillicrap 2015)", DDPG.self),
    AlgorithmEntry("td3", "Twin Delayed DDPG (Fujimoto 2018)", TD3.self),
    AlgorithmEntry("sac", "Soft Actor-Critic with a learned temperature (Haarnoja 2018)", SAC.self),
    AlgorithmEntry("tqc", "Truncated Quantile Critics (Kuznetsov 2020)", TQC.self),
    AlgorithmEntry("redq", "Randomized Ensembled Double Q-learning (Chen 2021)", REDQ.self),
    AlgorithmEntry("crossq", "CrossQ: batch normalisation, no target networks (Bhatt 2024)", CrossQ.self),
    AlgorithmEntry("xqc", "XQC: batch and weight normalisation, categorical critics (Palenicek 2026)", XQC.self),
    AlgorithmEntry("dqn", "Deep Q-Network, for discrete actions (Mnih 2015)", DQN.self),
    AlgorithmEntry("sac-discrete", "Soft Actor-Critic for discrete actions (Christodoulou 2019)", DiscreteSAC.self),
    AlgorithmEntry("td3-bc", "TD3 plus behaviour cloning, from fixed data (Fujimoto 2021)", TD3BC.self, from: .data),
    AlgorithmEntry("fqe", "Fitted Q evaluation: the value of a given policy", FittedQEvaluation.self, from: .policy),
    AlgorithmEntry(
      "fqe-discrete", "Fitted Q evaluation of a policy over discrete actions", DiscreteFittedQEvaluation.self,
      from: .policy),
    // a new algorithm: one file and one line here
  ])

  /// The algorithm with a name; case does not matter.
  public func entry(_ name: String) throws(UnknownAlgorithm) -> AlgorithmEntry {
    if let entry = entries.first(where: { $0.name == name.lowercased() }) { return entry }
    throw UnknownAlgorithm(name: name, known: entries.map(\.name))
  }

  /// The algorithms of this package, as a list.
  public static var all: [AlgorithmEntry] { standard.entries }

  /// One of this package's algorithms, by name.
  public static func entry(_ name: String) throws(UnknownAlgorithm) -> AlgorithmEntry { try standard.entry(name) }
}

/// The error for an unknown name of an algorithm.
public struct UnknownAlgorithm: Error, Equatable, CustomStringConvertible {
  /// The name that was asked for.
  public let name: String
  /// The known names.
  public let known: [String]

  public var description: String {
    let hint =
      nearestName(to: name, among: known).map { "did you mean \($0)?" } ?? "there are \(known.joined(separator: ", "))"
    return "no algorithm is called \(name.debugDescription): \(hint)"
  }
}

/// An algorithm by name: closures over its type, so that every command works for every algorithm.
public struct AlgorithmEntry: Sendable {
  /// Its name, as commands take it.
  public let name: String
  /// One line for `list`.
  public let summary: String
  /// The kind of actions that it chooses.
  public let actions: ActionKind
  /// Its hyperparameters, in the order of its guide.
  public let hyperparameters: [Hyperparameter]
  /// The metrics of an update.
  public let metrics: [Metric]
  /// The default configuration.
  public let defaults: AnyConfiguration
  /// What it learns from.
  public let source: Source
  private let read: @Sendable (JSONValue) throws -> AnyConfiguration

  /// What an algorithm learns from.
  public enum Source: String, Sendable {
    /// An environment in which it acts: `train ALGORITHM ENVIRONMENT`.
    case task
    /// Fixed data: `train ALGORITHM --dataset DATA`.
    case data
    /// Fixed data and a given policy: `value POLICY --dataset DATA`.
    case policy
  }

  /// - Precondition: the metrics' names can be columns; an algorithm that learns in an environment says how it collects, and no
  ///   other does.
  public init<A: Algorithm>(_ name: String, _ summary: String, _ type: A.Type, from source: Source = .task) {
    self.name = name
    self.summary = summary
    self.source = source
    actions = A.actions
    hyperparameters = A.Configuration.hyperparameters
    metrics = A.metrics
    defaults = AnyConfiguration(A.Configuration(), for: A.self)
    read = { AnyConfiguration(try A.Configuration($0), for: A.self) }
    metrics.check(of: name)
    precondition(
      (defaults.collection != nil) == (source == .task),
      "\(name) learns from a \(source.rawValue): its configuration \(source == .task ? "must be" : "is") collecting")
  }

  /// The defaults with the keys of a JSON object set.
  public func configuration(_ values: JSONValue) throws -> AnyConfiguration { try read(values) }
}

/// A configuration together with the algorithm it configures.
public struct AnyConfiguration: Sendable {
  /// All properties as JSON.
  public let values: JSONValue
  /// Which actions the algorithm chooses.
  public let actions: ActionKind
  /// Discount γ.
  public let discount: Float
  /// B, transitions in an update.
  public let batchSize: Int
  /// What targets are made of: γ and the steps of a return.
  package let returns: NStepReturn
  /// How the rows of a batch are chosen.
  public let sampler: SamplerConfiguration
  /// How the algorithm collects in its environment; nil for one that learns from fixed data.
  public let collection: CollectionSettings?
  /// ε of the normalisation of the data's observations; nil: none.
  public let dataNormalization: Float?
  /// The policy that it learns.
  public let policy: PolicyForm
  /// For discrete actions a tensor with as many values as there are choices.
  public let choicesTensor: String?
  /// What an update tells.
  public let metrics: [Metric]
  /// Whether observations are normalised.
  public let normalizeObservations: Bool
  /// Whether rewards are scaled.
  public let scaleRewards: Bool
  /// The bound of the scaled discounted return; nil: none.
  public let returnBound: Float?
  private let last: @Sendable (Int) -> AnyConfiguration
  private let set: @Sendable ([String]) throws -> AnyConfiguration
  private let create: @Sendable (Int, Int, Int, UInt64, WorkerPool) -> any Algorithm
  private let count: @Sendable (Int, Int) -> UpdateCost
  private let draw: @Sendable (Int) -> UpdateDraws

  init<A: Algorithm>(_ configuration: A.Configuration, for type: A.Type) {
    values = configuration.values
    (actions, metrics) = (A.actions, A.metrics)
    (discount, batchSize) = (configuration.discount, configuration.batchSize)
    (collection, dataNormalization) = (configuration.collection, configuration.dataNormalization)
    (policy, choicesTensor) = (A.policy(configuration), A.choicesTensor(configuration))
    (returns, sampler) = (configuration.returns, configuration.sampler)
    last = { AnyConfiguration(configuration.lasting(updates: $0), for: A.self) }
    (normalizeObservations, scaleRewards) = (configuration.normalizeObservations, configuration.scaleRewards)
    returnBound = configuration.returnBound
    set = { AnyConfiguration(try configuration.setting($0), for: A.self) }
    create = {
      A(configuration: configuration, observationSize: $0, actionSize: $1, lanes: $2, seed: $3, workers: $4)
    }
    count = { A.cost(configuration, observationSize: $0, actionSize: $1) }
    draw = { A.draws(configuration, actionSize: $0) }
  }

  /// With `key=value` settings applied.
  public func setting(_ assignments: [String]) throws -> AnyConfiguration { try set(assignments) }

  /// For a run of some updates, see `AlgorithmConfiguration.lasting(updates:)`.
  public func lasting(updates: Int) -> AnyConfiguration { last(updates) }

  /// Throws when a setting of normalisation has no meaning beside the others.
  public func checkNormalization() throws {
    guard let returnBound, !scaleRewards else { return }
    throw ConfigurationError.malformed(
      "returnBound is \(returnBound), but scaleRewards is false: only returns of scaled rewards are bounded")
  }

  /// The least cost of an update, for an environment of the given sizes.
  public func cost(observationSize: Int, actionSize: Int) -> UpdateCost { count(observationSize, actionSize) }

  /// The shapes of an update's standard normal numbers, for an environment with A action values.
  public func draws(actionSize: Int) -> UpdateDraws { draw(actionSize) }

  /// Throws if the networks for an environment of the given sizes do not fit into memory.
  public func checkMemory(observationSize: Int, actionSize: Int) throws {
    let cost = cost(observationSize: observationSize, actionSize: actionSize)
    try Memory.check(
      cost.bytes(batchSize: batchSize), for: "networks with hidden layers of \(cost.hiddenText)",
      hint: "fewer units in hiddenSizes", remedies: [.hyperparameter("hiddenSizes", value: "256,256")])
  }

  /// A new algorithm for an environment of the given sizes, in `lanes` environments at once.
  public func makeAlgorithm(
    observationSize: Int, actionSize: Int, lanes: Int = 1, seed: UInt64, workers: WorkerPool
  ) -> any Algorithm {
    create(observationSize, actionSize, lanes, seed, workers)
  }
}
