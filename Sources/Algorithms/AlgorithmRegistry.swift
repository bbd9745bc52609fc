// AlgorithmRegistry.swift — which algorithms there are, by name.

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
  public let entries: [AlgorithmEntry]

  /// - Precondition: names are in lower case, and none occurs twice.
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
    AlgorithmEntry("dqn", "Deep Q-Network, for discrete actions (Mnih 2015)", DQN.self),
    AlgorithmEntry("sac-discrete", "Soft Actor-Critic for discrete actions (Christodoulou 2019)", DiscreteSAC.self),
    AlgorithmEntry("td3-bc", "TD3 plus behaviour cloning, from fixed data (Fujimoto 2021)", TD3BC.self, from: .data),
    AlgorithmEntry("fqe", "Fitted Q evaluation: the value of a given policy", FittedQEvaluation.self, from: .policy),
    // a new algorithm: one file and one line here
  ])

  /// The algorithm of a name, upper or lower case.
  public func entry(_ name: String) throws(UnknownAlgorithm) -> AlgorithmEntry {
    if let entry = entries.first(where: { $0.name == name.lowercased() }) { return entry }
    throw UnknownAlgorithm(name: name, known: entries.map(\.name))
  }

  /// The algorithms of this package, as a list.
  public static var all: [AlgorithmEntry] { standard.entries }

  /// One of this package's algorithms, by name.
  public static func entry(_ name: String) throws(UnknownAlgorithm) -> AlgorithmEntry { try standard.entry(name) }
}

/// There is no algorithm of this name.
public struct UnknownAlgorithm: Error, Equatable, CustomStringConvertible {
  public let name: String
  /// The names that there are.
  public let known: [String]

  public var description: String {
    let hint =
      nearestName(to: name, among: known).map { "did you mean \($0)?" } ?? "there are \(known.joined(separator: ", "))"
    return "no algorithm is called \(name.debugDescription): \(hint)"
  }
}

/// An algorithm by name: closures over its type, so that commands work for algorithms they have never heard of.
public struct AlgorithmEntry: Sendable {
  public let name: String
  public let summary: String
  /// Which actions it chooses.
  public let actions: ActionKind
  public let hyperparameters: [Hyperparameter]
  /// The default configuration.
  public let defaults: AnyConfiguration
  /// What it learns from.
  public let source: Source
  private let read: @Sendable (JSONValue) throws -> AnyConfiguration

  public enum Source: String, Sendable {
    /// A task that it acts in: `train ALGORITHM ENVIRONMENT`.
    case task
    /// Fixed data: `train ALGORITHM --dataset DATA`.
    case data
    /// Fixed data and a given policy: `value POLICY --dataset DATA`.
    case policy
  }

  public init<A: Algorithm>(_ name: String, _ summary: String, _ type: A.Type, from source: Source = .task) {
    self.name = name
    self.summary = summary
    self.source = source
    actions = A.actions
    hyperparameters = A.Configuration.hyperparameters
    defaults = AnyConfiguration(A.Configuration(), for: A.self)
    read = { AnyConfiguration(try A.Configuration($0), for: A.self) }
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
  public let batchSize: Int
  public let bufferCapacity: Int
  public let randomSteps: Int
  public let updateEvery: Int
  public let updatesPerStep: Double
  /// What targets are made of: γ and the steps of a return.
  package let returns: NStepReturn
  /// How the rows of a batch are chosen.
  public let sampler: SamplerConfiguration
  /// Units in each hidden layer of the policy; of the one network where there is no other.
  public var policyHiddenSizes: [Int] { sizes("policyHiddenSizes") }
  /// Units in each hidden layer of each critic.
  public var criticHiddenSizes: [Int] { sizes("criticHiddenSizes") }
  private let last: @Sendable (Int) -> AnyConfiguration
  public let normalizeObservations: Bool
  public let scaleRewards: Bool
  public let returnBound: Float?
  private let set: @Sendable ([String]) throws -> AnyConfiguration
  private let create: @Sendable (Int, Int, Int, UInt64, WorkerPool) -> any Algorithm

  init<A: Algorithm>(_ configuration: A.Configuration, for type: A.Type) {
    values = configuration.values
    actions = A.actions
    (batchSize, bufferCapacity) = (configuration.batchSize, configuration.bufferCapacity)
    (randomSteps, updateEvery) = (configuration.randomSteps, configuration.updateEvery)
    (updatesPerStep, returns, sampler) = (configuration.updatesPerStep, configuration.returns, configuration.sampler)
    last = { AnyConfiguration(configuration.lasting(updates: $0), for: A.self) }
    (normalizeObservations, scaleRewards) = (configuration.normalizeObservations, configuration.scaleRewards)
    returnBound = configuration.returnBound
    set = { AnyConfiguration(try configuration.setting($0), for: A.self) }
    create = {
      A(configuration: configuration, observationSize: $0, actionSize: $1, lanes: $2, seed: $3, workers: $4)
    }
  }

  /// Updates that the steps from `first` on, up to and with `last`, owe: a function of counts alone, so that over any number
  /// of steps there are as many as `updatesPerStep` says.
  package func updatesOwed(from first: Int, to last: Int) -> Int {
    Int((Double(last) * updatesPerStep).rounded(.down)) - Int((Double(first) * updatesPerStep).rounded(.down))
  }

  /// With `key=value` settings applied.
  public func setting(_ assignments: [String]) throws -> AnyConfiguration { try set(assignments) }

  /// For a run of some updates, see `AlgorithmConfiguration.lasting(updates:)`.
  public func lasting(updates: Int) -> AnyConfiguration { last(updates) }

  /// Hidden layers of a kind of network: its own, or those of all.
  private func sizes(_ name: String) -> [Int] {
    let own = values[name].flatMap { $0 == .null ? nil : $0 } ?? values["hiddenSizes"]
    return (try? own?.decode([Int].self)) ?? []
  }

  /// Throws when a setting of normalisation has no meaning beside the others.
  public func checkNormalization() throws {
    guard let returnBound, !scaleRewards else { return }
    throw ConfigurationError.malformed(
      "returnBound is \(returnBound), but scaleRewards is false: only returns of scaled rewards are bounded")
  }

  /// Throws when the networks for a task of the given sizes cannot fit into memory.
  public func checkMemory(observationSize: Int, actionSize: Int) throws {
    let networks = [policyHiddenSizes, criticHiddenSizes]
    let weights = networks.reduce(0) {
      $0 + zip([observationSize + actionSize] + $1, $1).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let units = networks.joined().reduce(0, +)
    let draws = (try? values["policyGradient"]?["scoreFunction"]?["samples"]?.decode(Int.self)) ?? 0
    // at least a policy and a critic, 4 bytes a number: weights, gradients, two moments, target; rows and their gradients;
    // a layer's rows in the matrix unit's three parts of 2 bytes
    try Memory.check(
      4 * (5 * weights + 2 * batchSize * units) + 4 * draws * batchSize * (actionSize + 3)
        + 6 * batchSize * (networks.joined().max() ?? 0),
      for: "networks with hidden layers of "
        + (networks[0] == networks[1] ? networks.dropLast() : networks)
        .map { $0.map(String.init).joined(separator: ", ") }.joined(separator: " and of "),
      hint: "fewer units in hiddenSizes", remedies: [.hyperparameter("hiddenSizes", value: "256,256")])
  }

  /// A new algorithm for a task of the given sizes, in `lanes` environments at once.
  public func makeAlgorithm(
    observationSize: Int, actionSize: Int, lanes: Int = 1, seed: UInt64, workers: WorkerPool
  ) -> any Algorithm {
    create(observationSize, actionSize, lanes, seed, workers)
  }
}
