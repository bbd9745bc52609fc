// Algorithm.swift — the protocol of algorithms: what a trainer calls, what an update returns, what is saved.

import Kernels
import Networks
import Platform
import Replay

/// A way to learn a policy from a critic trained off-policy.
///
/// Continuous actions are in [−1, 1]; the trainer scales them to the environment's box. A discrete action is one value, its
/// index. An algorithm acts in one or several environments of a kind at once, each a lane. It is owned by one trainer and used
/// from one thread; inside `update` a `WorkerPool` shares the work.
public protocol Algorithm: AnyObject, SendableMetatype {
  /// Its hyperparameters, with their defaults.
  associatedtype Configuration: AlgorithmConfiguration

  // declarations: the program runs, measures, logs, checks and saves an algorithm by these

  /// Which actions it chooses; continuous, unless it says otherwise.
  static var actions: ActionKind { get }
  /// The standard normal numbers that `update(_:noise:)` uses; none, unless it says otherwise.
  static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws
  /// The metrics of an update: those of `Metric.common` that it has, then its own in the order of `UpdateMetrics.further`.
  static var metrics: [Metric] { get }
  /// The least cost of an update, in operations and memory.
  static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost
  /// The kind and sizes of the policy in `policyTensors`.
  static func policy(_ configuration: Configuration) -> PolicyForm
  /// For discrete actions the name of a tensor with one value for each choice; else nil.
  static func choicesTensor(_ configuration: Configuration) -> String?

  /// Makes an algorithm. Networks are initialised from the seed; targets are copies of the networks that they track.
  ///
  /// - Parameters:
  ///   - actionSize: A, the values of a continuous action or the number of choices.
  ///   - lanes: N, the environments that it acts in at once.
  init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool)

  /// Clears the state of a lane's episode, such as correlated noise. Called at each reset.
  func beginEpisode(lane: Int)

  /// Chooses actions (n × A, or n × 1: their indices) for the first n rows of some observations (N × S), with or without
  /// exploration.
  ///
  /// - Precondition: with exploration n is N, and row i is lane i.
  func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix)

  /// Draws actions (n × A, or n × 1) from the policy for the first n rows of some observations. Nothing that training
  /// depends on changes. By default a deterministic policy returns its only action.
  ///
  /// - Precondition: n is at most N.
  func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix)

  /// Sets the learning rate of every optimiser, in (0, 1], from the next update on. The schedule continues.
  func setLearningRate(_ rate: Float)

  /// ε, the share of random actions while exploring; nil by default. Setting it replaces the schedule.
  var randomShare: Float? { get set }

  /// One update from a batch, with fresh noise.
  ///
  /// - Throws: `DivergedUpdate` when a loss or a parameter is not finite; the parameters are then not to be used.
  func update(_ batch: borrowing Batch) throws -> UpdateMetrics

  /// One update from a batch, with the given noise instead of fresh noise.
  func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics

  /// Measures policy and critics over a batch. Nothing that is learned changes.
  func assess(_ batch: borrowing Batch) -> Assessment

  /// The critics' value of one observation (S) and action (A): the minimum of several critics.
  func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double

  /// −α log π(a|s) of a lane's last action chosen with exploration: the entropy term of a soft return.
  func entropyBonus(lane: Int) -> Double

  /// What a policy file needs, as tensors `policy.…`: a tanh policy, a squashed Gaussian, or for discrete actions a
  /// network whose greatest output is the action.
  var policyTensors: [Tensor] { get }

  /// Lists the learned parameters and their targets, named as `conformance` names them: `parameters` writes them by this list
  /// and `loadParameters` reads them by it.
  func codeParameters(_ coder: inout StateCoder) throws
  /// Lists what else `update` and `act` depend on: moments, temperature, streams, counts. With the parameters it is `state`.
  func codeProgress(_ coder: inout StateCoder) throws
}

extension Algorithm {
  public static var actions: ActionKind { .continuous }
  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws { UpdateDraws() }
  public static func choicesTensor(_ configuration: Configuration) -> String? { nil }

  public func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix
  ) {
    act(observations, rows: rows, explore: false, into: actions)
  }

  public var randomShare: Float? {
    get { nil }
    set {}
  }

  public var policyTensors: [Tensor] {
    parameters.filter { $0.name.hasPrefix("policy.") || $0.name == "log_temperature" }
  }
}

extension Algorithm {
  /// A new algorithm that acts in one environment.
  public init(configuration: Configuration, observationSize: Int, actionSize: Int, seed: UInt64, workers: WorkerPool) {
    self.init(
      configuration: configuration, observationSize: observationSize, actionSize: actionSize, lanes: 1, seed: seed,
      workers: workers)
  }

  /// Chooses one action (A, or 1: its index) for one observation (S).
  ///
  /// It allocates room for both: who asks at every step keeps matrices and calls `act(_:rows:explore:into:)`.
  public func act(_ observation: Span<Float>, explore: Bool, into action: inout MutableSpan<Float>) {
    let observations = Matrix(rows: 1, columns: observation.count)
    let actions = Matrix(rows: 1, columns: action.count)
    observations.setRow(0, to: observation)
    act(observations, rows: 1, explore: explore, into: actions)
    actions.copyRow(0, into: &action)
  }

  /// One update from a batch drawn from a buffer. `workers` are those that the algorithm was made with.
  ///
  /// - Parameter gathered: what is done to the batch before the update, such as normalising it.
  public func update(
    _ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, returns: NStepReturn,
    using stream: inout RandomStream, workers: WorkerPool, gathered: (borrowing Batch) -> Void = { _ in }
  ) throws -> UpdateMetrics {
    try workers.withFlushedDenormals {
      buffer.sample(into: batch, returns: returns, using: &stream, workers: workers)
      gathered(batch)
      return try update(batch)
    }
  }
}

/// The shapes of the standard normal numbers that one update uses; empty where there are none.
public struct UpdateDraws: Sendable, Equatable {
  /// ε for the next actions, such as [B, A].
  public var next: [Int]
  /// ε for the current actions, such as [B, A], or [K, B, A] for K draws of each state.
  public var current: [Int]
  /// One number for each of J critics; the critics with the smallest numbers are chosen. Shape [J].
  public var members: [Int]

  /// Shapes of the draws; an empty shape means no draw.
  public init(next: [Int] = [], current: [Int] = [], members: [Int] = []) {
    (self.next, self.current, self.members) = (next, current, members)
  }
}

/// Standard normal numbers that one update uses: ε for the next and for the current actions, flat (B × A).
public struct UpdateNoise: ~Copyable {
  /// ε of the next actions, as `UpdateDraws.next` has it.
  public let next: Block
  /// With several draws for each state, one draw of the whole batch after another: (K × B × A).
  public let current: Block
  /// One number for each critic; the critics with the smallest numbers are chosen.
  public let members: Block  // (J)

  /// - Parameters:
  ///   - samples: K, the draws of the current action.
  ///   - members: J, the number of critics to choose from; 0: no choice.
  public init(batchSize: Int, actionSize: Int, samples: Int = 1, members: Int = 0) {
    next = Block(count: batchSize * actionSize)
    current = Block(count: samples * batchSize * actionSize)
    self.members = Block(count: members)
  }

  /// Draws all numbers, in the order of these properties.
  public func fill(using stream: inout RandomStream) {
    if next.count > 0 { stream.fillNormal(next) }
    if current.count > 0 { stream.fillNormal(current) }
    if members.count > 0 { stream.fillNormal(members) }
  }

  /// Zeros, in the shapes that an algorithm declares.
  public init(_ draws: UpdateDraws) {
    next = Block(count: draws.next.isEmpty ? 0 : draws.next.reduce(1, *))
    current = Block(count: draws.current.isEmpty ? 0 : draws.current.reduce(1, *))
    members = Block(count: draws.members.isEmpty ? 0 : draws.members.reduce(1, *))
  }
}

/// The metrics of one update. NaN if the algorithm has no such metric, or took no such step.
public struct UpdateMetrics: Sendable {
  /// Σ_j mean ℓ(Q_j − y); ℓ(e) = e², or Huber's.
  public var criticLoss: Double
  /// The objective that the policy step descended.
  public var policyLoss: Double = .nan
  /// Mean target y.
  public var targetMean: Double = .nan
  /// α after the update.
  public var temperature: Double = .nan
  /// −mean log π(a|s)
  public var entropy: Double = .nan
  /// The algorithm's own metrics, in the order in which it declares them. Stored in place, so that an update allocates nothing.
  public var further = InlineArray<8, Double>(repeating: .nan)

  /// The number of rows from which an algorithm's own metrics are computed. Rows are drawn at random, so a part is enough.
  package static let inspectedRows = 32

  /// The largest number of an algorithm's own metrics.
  public static let furtherLimit = 8

  /// Metrics with a critic loss and NaN for the rest.
  public init(criticLoss: Double) { self.criticLoss = criticLoss }
}

/// The complete state of an algorithm, as plain numbers.
public struct AlgorithmState: Sendable, Equatable {
  /// Parameters, moments and all other float32 numbers.
  public var tensors: [Tensor] = []
  /// Numbers in double precision: log α and its moments.
  public var numbers: [String: Double] = [:]
  /// Counts and positions of random streams.
  public var counts: [String: UInt64] = [:]

  /// An empty state.
  public init() {}

  /// A count by its name.
  ///
  /// - Throws: `MissingState` where there is none.
  public func count(_ name: String) throws -> Int {
    guard let value = counts[name], let count = Int(exactly: value) else { throw MissingState(name: name) }
    return count
  }

  /// The position of a random stream by its name.
  ///
  /// - Throws: `MissingState` where there is none.
  public func position(_ name: String) throws -> UInt64 {
    guard let value = counts[name] else { throw MissingState(name: name) }
    return value
  }

  /// A number by its name.
  ///
  /// - Throws: `MissingState` where there is none.
  public func number(_ name: String) throws -> Double {
    guard let value = numbers[name] else { throw MissingState(name: name) }
    return value
  }

  /// Finds tensors by name.
  public func finder() -> (String) throws -> Tensor {
    let byName = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    return { name in
      guard let tensor = byName[name] else { throw MissingState(name: name) }
      return tensor
    }
  }
}

extension Tensor {
  /// The value of a tensor that holds one.
  ///
  /// - Throws: `TensorMismatch` when it holds none or several.
  func single() throws -> Double {
    guard values.count == 1 else { throw TensorMismatch("\(name) has \(values.count) values, it needs 1") }
    return Double(values[0])
  }
}

/// The error for a saved state in which a name is missing.
public struct MissingState: Error, CustomStringConvertible {
  /// The missing name.
  public let name: String

  public var description: String {
    "the saved state has no \(name): it belongs to another algorithm or to another version"
  }
}

/// The error for an update that produced a non-finite loss or parameter. Training stops.
public struct DivergedUpdate: Error, CustomStringConvertible {
  /// The update, counted from 1.
  public let update: Int
  /// The name of the non-finite value: a loss, or such as "next parameter of the policy".
  public let what: String
  /// The non-finite value.
  public let value: Double
  /// The first non-finite number in the batch or the networks; nil until it was searched for.
  public var origin: String?

  public var description: String {
    "update \(update): the \(what) is \(value)\(origin.map { ", \($0)" } ?? ""); "
      + "lower the learning rates or check the environment's rewards and observations"
  }
}

/// Throws if a loss is not finite.
public func checkFinite(_ value: Double, _ what: String, update: Int) throws {
  guard value.isFinite else { throw DivergedUpdate(update: update, what: what, value: value) }
}

/// Throws if the last step of an optimiser produced a non-finite parameter. The step itself made the check.
public func checkFinite(_ optimizer: Adam, _ whose: String, update: Int) throws {
  guard optimizer.leftAllFinite else {
    throw DivergedUpdate(update: update, what: "next parameter of the \(whose)", value: .nan)
  }
}

/// Throws if the last tracking produced a non-finite target parameter.
public func checkFinite(_ targets: some Tracking, _ whose: String, update: Int) throws {
  guard targets.trackedAllFinite else {
    throw DivergedUpdate(update: update, what: "next parameter of the \(whose)", value: .nan)
  }
}
