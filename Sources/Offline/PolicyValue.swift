// PolicyValue.swift — J(π) from data by fitted Q evaluation, and beside it what the environment itself says.

import Algorithms
import Environments
import Kernels
import Networks
import Platform
import Replay
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What is asked about a policy's value.
public struct PolicyValueSettings: Sendable {
  /// The learner's configuration: discount, targets, critics, temperature …
  public var configuration: FittedQEvaluation.Configuration
  /// Updates of the critics.
  public var updates = 100_000
  /// Seed of starts, critics and draws.
  public var seed: UInt64 = 0
  /// Threads of an update; they change no bit.
  public var threads = 1
  /// A stochastic policy is valued by its draws, else by its mean action or its likeliest choice.
  public var drawsActions = true
  /// Draws of a for V(s) = E_a[Q(s, a)].
  public var draws = 32
  /// Episodes of the Monte-Carlo return, where there is an environment.
  public var episodes = 100
  /// How far an action of the data must be to count as far.
  public var distance = NearestActions.defaultDistance

  /// The defaults, with a configuration of the learner.
  public init(configuration: FittedQEvaluation.Configuration) { self.configuration = configuration }
}

/// Where a long evaluation is.
public struct PolicyValueProgress: Sendable {
  /// Updates so far.
  public let update: Int
  /// Updates of the whole.
  public let updates: Int
  /// The last loss of the critics.
  public let criticLoss: Double
}

/// Q^π learned from data (N2–N6), ready to be asked.
public final class FittedValue {
  /// The learner, with its critics.
  package let evaluation: any PolicyEvaluation
  /// The learner's configuration.
  public let configuration: FittedQEvaluation.Configuration
  /// Mean of Σ_j mean (Q_j − y_j)² over the last tenth of the updates.
  public private(set) var criticLoss = Double.nan
  /// The mean of V over the given states after each tenth of the updates: whether it had settled.
  public private(set) var history: [Double] = []
  private let settings: PolicyValueSettings
  private var stream: RandomStream

  /// Learns Q^π of a policy by `settings.updates` updates on data.
  ///
  /// - Parameters:
  ///   - starts: states whose mean value is followed while it is learned, flat (n × S).
  ///   - progress: called now and then; true asks to stop, which throws `Cancelled`.
  public init(
    _ policy: Policy, from buffer: borrowing ReplayBuffer, starts: [Float], _ settings: PolicyValueSettings,
    progress: (PolicyValueProgress) -> Bool = { _ in false }
  ) throws {
    self.settings = settings
    configuration = settings.configuration.lasting(updates: settings.updates)
    stream = RandomStream(seed: settings.seed, purpose: "value draws")
    let (s, a) = (buffer.observationSize, buffer.actionSize)
    guard policy.description.observationSize == s, policy.description.actionLow.count == a else {
      throw DatasetError(
        "the policy",
        "takes \(policy.description.observationSize) observations and gives \(policy.description.actionLow.count) "
          + "actions, the data have \(s) and \(a): they belong to different environments")
    }
    let workers = WorkerPool(count: settings.threads)
    evaluation =
      if let choices = policy.description.choices {
        DiscreteFittedQEvaluation(
          configuration: configuration, observationSize: s, actionSize: choices, seed: settings.seed, workers: workers)
      } else {
        FittedQEvaluation(
          configuration: configuration, observationSize: s, actionSize: a, seed: settings.seed, workers: workers)
      }
    evaluation.drawsActions = settings.drawsActions && policy.isStochastic
    let tensors = Dictionary(uniqueKeysWithValues: policy.tensors.map { ($0.name, $0) })
    try evaluation.loadPolicy(
      activation: policy.description.activation, normalization: policy.description.normalization
    ) { name in
      guard let tensor = tensors[name] else { throw DatasetError(name, "is not in the policy") }
      return tensor
    }
    let batch = Batch(count: configuration.batchSize, observationSize: s, actionSize: a)
    var sampling = RandomStream(seed: settings.seed, purpose: "sampling")
    let tenth = max(1, settings.updates / 10)
    var (loss, losses) = (0.0, 0.0)
    for update in 1...max(1, settings.updates) {
      let metrics = try evaluation.update(
        batch, from: buffer, returns: NStepReturn(discount: configuration.discount), using: &sampling, workers: workers)
      if (update - 1) % tenth == 0 { (loss, losses) = (0, 0) }
      loss += metrics.criticLoss
      losses += 1
      if update % tenth == 0 || update == settings.updates {
        criticLoss = loss / losses
        if !starts.isEmpty, history.count < 10 || update == settings.updates { history.append(meanValue(starts)) }
      }
      if update % 32 == 0,
        progress(PolicyValueProgress(update: update, updates: settings.updates, criticLoss: loss / losses))
      {
        throw Cancelled()
      }
    }
  }

  /// V_j(s) of every critic for states, flat (n × S).
  public func stateValues(_ observations: [Float]) -> [[Double]] {  // J × (n)
    evaluation.stateValues(observations, draws: settings.draws, using: &stream)
  }

  private func meanValue(_ observations: [Float]) -> Double {
    mean(ofAll: evaluation.stateValues(observations, draws: 4, using: &stream))
  }
}

/// Somebody asked to stop.
public struct Cancelled: Error {
  /// The error; it says nothing more.
  public init() {}
}

/// What is known about J(π), as `value` prints it.
public struct PolicyValue: Codable, Sendable {
  /// γ
  public var discount: Double
  /// α; 0 where the entropy is left out.
  public var temperature: Double
  /// A Gaussian policy was valued by its draws; else by its mean action.
  public var drawsActions: Bool
  /// Updates of the critics.
  public var updates: Int
  /// "task" or "data".
  public var startsFrom: String
  /// J by the mean of all critics, over start states; the interval is that of the starts alone.
  public var fitted: Estimate
  /// J by each critic.
  public var critics: [Double]
  /// Standard deviation over the critics, of the sample.
  public var criticSpread: Double
  /// Mean of Σ_j mean (Q_j − y_j)² over the last tenth of the updates.
  public var criticLoss: Double
  /// J after each tenth of the updates.
  public var history: [Double]
  /// The discounted return in the environment; nil where no environment is at hand.
  public var monteCarlo: Estimate?
  /// Steps of its episodes, at most.
  public var horizon: Int?
  /// Fitted minus Monte-Carlo, start by start: what the critic is wrong by.
  public var criticError: Estimate?
  /// How far the policy is from the data.
  public var nearestActions: NearestActions
  /// What should keep a reader from trusting the numbers, in sentences.
  public var warnings: [String]

  /// Values a policy from data, and where an environment is given holds it against the environment.
  ///
  /// - Parameter environment: its id, and what makes it without its time limit.
  public init(
    _ policy: Policy, from dataset: borrowing Dataset, _ settings: PolicyValueSettings,
    environment: (id: String, make: () throws -> any Environment)?,
    progress: (PolicyValueProgress) -> Bool = { _ in false }, isCancelled: @escaping () -> Bool = { false },
    episodeEnded: @escaping (Int) -> Void = { _ in }
  ) throws {
    let configuration = settings.configuration
    discount = Double(configuration.discount)
    temperature = Double(configuration.temperature)
    drawsActions = settings.drawsActions && policy.isStochastic
    updates = settings.updates
    warnings = []

    // the environment first: what cannot be run is known before the long part
    var rollouts: [PolicyRollout] = []
    if let environment {
      try PolicyRunner.check(discount)
      let runner = PolicyRunner(
        makeEnvironment: environment.make, task: environment.id, discount: discount, episodes: settings.episodes,
        seed: Self.firstSeed(settings.seed), isCancelled: isCancelled, progress: episodeEnded)
      rollouts = try runner.run(policy, drawsActions: drawsActions, purpose: "Monte-Carlo actions")
      guard rollouts.count == settings.episodes else { throw Cancelled() }
      horizon = runner.horizon
    }
    let size = dataset.description.observationSize
    let starts = rollouts.isEmpty ? dataset.starts() : rollouts.flatMap { $0.observations[..<size] }
    startsFrom = rollouts.isEmpty ? "data" : "task"
    guard starts.count >= 2 * size else {
      throw DatasetError(
        "the data",
        "hold \(starts.count / size) start of an episode, an interval needs at least 2: give the environment",
        remedies: [.environment])
    }

    let value = try FittedValue(policy, from: dataset.buffer, starts: starts, settings, progress: progress)
    let values = value.stateValues(starts)
    let means = Self.overCritics(values)
    fitted = Estimate(of: means)
    critics = values.map { $0.reduce(0, +) / Double($0.count) }
    criticSpread = sampleDeviation(critics)
    (criticLoss, history) = (value.criticLoss, value.history)
    if !rollouts.isEmpty {
      let (gamma, alpha) = (discount, temperature)
      let returns = rollouts.map { $0.discountedReturn(gamma, temperature: alpha) }
      monteCarlo = Estimate(of: returns)
      criticError = Estimate(of: zip(means, returns).map { $0 - $1 })
    }
    nearestActions = NearestActions(
      of: try FixedPolicy(policy, batchSize: 1000), drawsActions: drawsActions, in: dataset.buffer,
      distance: settings.distance, seed: settings.seed)

    if let warning = nearestActions.warning(choices: policy.description.choices) { warnings.append(warning) }
    if let warning = Self.unsettled(history, within: max(fitted.high - fitted.low, 2 * criticSpread)) {
      warnings.append(warning)
    }
    if let warning = Self.disagreement(critics, fitted) { warnings.append(warning) }
    if let error = criticError, let measured = monteCarlo, let warning = Self.untruth(error, measured) {
      warnings.append(warning)
    }
  }

  /// A line where the fitted value is not the environment's: by an interval that does not hold 0, or by much of the value
  /// itself, which a wide interval of a few starts would hide.
  static func untruth(_ error: Estimate, _ measured: Estimate) -> String? {
    let direction = error.mean > 0 ? "above" : "below"
    if !error.contains(0) {
      return
        "the critic does not tell the truth: it is \(direction) the environment's own return by "
        + "\(short(min(abs(error.low), abs(error.high)))) to \(short(max(abs(error.low), abs(error.high))))"
    }
    guard abs(error.mean) > share * abs(measured.mean) else { return nil }
    return
      "the critic may be far from the truth: it is \(direction) the environment's own return of \(short(measured.mean)) by "
      + "\(short(abs(error.mean))), and \(error.count) starts are too few to tell; run more episodes"
  }

  /// Share of a value from which on a number that may be chance is told all the same.
  static let share = 0.5

  /// Seeds of the starts: none that training or `evaluate` use by default.
  static func firstSeed(_ seed: UInt64) -> UInt64 {
    var stream = RandomStream(seed: seed, purpose: "value starts")
    return stream.next() >> 16
  }

  /// The mean over critics at each state.
  static func overCritics(_ values: [[Double]]) -> [Double] {
    values[0].indices.map { i in values.reduce(0) { $0 + $1[i] } / Double(values.count) }
  }

  /// A line where the critics differ by more than what other starts would change, or by much of the value itself.
  static func disagreement(_ critics: [Double], _ fitted: Estimate) -> String? {
    let spread = sampleDeviation(critics)
    guard spread > (fitted.high - fitted.low) / 2 || spread > share * abs(fitted.mean) else { return nil }
    return
      "the critics disagree, with a standard deviation of \(short(spread)): the data do not settle the policy's worth; "
      + "collect some where it goes"
  }

  /// A line where the last fifth of the updates moved J by more than half of what else is uncertain, or by much of J itself.
  static func unsettled(_ history: [Double], within width: Double) -> String? {
    guard history.count >= 3, let last = history.last else { return nil }
    let change = abs(last - history[history.count - 3])
    guard change > width / 2 || change > share / 5 * abs(last) else { return nil }
    return "the value had not settled: it moved by \(short(change)) in the last fifth of the updates; take more updates"
  }
}

/// The mean over critics and states.
func mean(ofAll values: [[Double]]) -> Double {
  values.reduce(0) { $0 + $1.reduce(0, +) } / Double(max(1, values.reduce(0) { $0 + $1.count }))
}

/// Standard deviation of the sample; 0 for one value.
func sampleDeviation(_ values: [Double]) -> Double {
  guard values.count > 1 else { return 0 }
  let mean = values.reduce(0, +) / Double(values.count)
  return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
}

/// A number for a sentence: four digits that count.
func short(_ value: Double) -> Double {
  guard value != 0, value.isFinite else { return value }
  let scale = pow(10, 3 - log10(abs(value)).rounded(.down))
  return (value * scale).rounded() / scale
}
