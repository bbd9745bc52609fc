// HealthMonitor.swift — compares the critic's predictions with the returns that followed, and with what the rewards allow.
//
//   predicted   Q(s₀, a₀) at the first step of a training episode
//   outcome     Σ_t γᵗ r_t,  for a soft value  r₀ + Σ_{t≥1} γᵗ (r_t − α log π(a_t|s_t));  cut off, γᵀ Q(s_T, π(s_T)) follows
//   bound       |Q| ≤ max |r| / (1 − γ), with the entropy that α pays for
//
// All of it in the unit of the environment's rewards: where rewards are scaled, Q and α are multiplied by what these are
// divided by at that moment.
//
// Nothing here changes what is learned: it draws from no stream that training uses.

import Algorithms
import Replay

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One row of health.csv. NaN where an algorithm has no such number, or nothing is known yet.
public struct HealthRecord: Sendable, Equatable {
  /// Environment steps so far.
  public var step: Int
  /// Updates so far.
  public var updates = 0
  /// Mean of predicted − outcome, mean |outcome|, and how many episodes they are over.
  public var valueBias = Double.nan
  /// Mean size of the returns that the predictions are compared with.
  public var valueScale = Double.nan
  /// Episodes that both are means over.
  public var valueEpisodes = 0
  /// The largest |Q| that the rewards allow.
  public var valueBound = Double.nan
  /// What the learner said of a batch.
  public var assessment = Assessment()
  /// −mean log π, in nats.
  public var entropy = Double.nan
  /// α; NaN where the algorithm has none.
  public var temperature = Double.nan
  /// How often a stored transition was learned from: updates · batch size / transitions seen.
  public var replayRatio = Double.nan
  /// The last episodes, if the environment said nothing in them; in episodes.csv, not in health.csv.
  public var idle = IdleEpisodes()

  /// The names of the algorithm's hyperparameters, which advice may name; empty: not known.
  public var settings: Set<String> = []

  /// A record of which only the step is known.
  public init(step: Int) { self.step = step }
}

extension Float {
  /// The double that is written as this number is: 0.99, where its exact value is 0.9900000095.
  var asWritten: Double { Double("\(self)") ?? Double(self) }
}

/// Compares what critics predict at an episode's start with the return that follows.
public struct HealthMonitor: Sendable, Equatable {
  /// Episodes that the bias is a mean over: the last ones, since the policy changes.
  static let window = 20

  private let discount: Double
  private var largestReward = 0.0
  private var lanes: [Episode]
  private var predictions: [Double] = []
  private var outcomes: [Double] = []

  /// A running episode: what was predicted (NaN: nothing), what followed so far, and γᵗ.
  private struct Episode: Sendable, Equatable {
    var predicted = Double.nan
    var outcome = 0.0
    var weight = 1.0
  }

  init(discount: Double, lanes: Int = 1) {
    self.discount = discount
    self.lanes = [Episode](repeating: Episode(), count: lanes)
  }

  /// An episode begins.
  mutating func begin(lane: Int = 0) { lanes[lane] = Episode() }

  /// The first action of an episode has this value.
  mutating func predict(lane: Int = 0, _ value: Double) { lanes[lane].predicted = value }

  mutating func add(lane: Int = 0, reward: Double, entropyBonus: Double, isFirst: Bool) {
    largestReward = max(largestReward, abs(reward))
    // the first action's own entropy is no part of Q
    lanes[lane].outcome += lanes[lane].weight * (reward + (isFirst ? 0 : entropyBonus))
    lanes[lane].weight *= discount
  }

  /// The episode ends, with the value of where it was cut off; 0 where the environment itself ended.
  mutating func end(lane: Int = 0, tail: Double) {
    let episode = lanes[lane]
    guard !episode.predicted.isNaN else { return }
    predictions.append(episode.predicted)
    outcomes.append(episode.outcome + episode.weight * tail)
    if predictions.count > Self.window {
      predictions.removeFirst()
      outcomes.removeFirst()
    }
    lanes[lane].predicted = .nan
  }

  /// Fills in what the episodes told.
  ///
  /// - Parameter divisor: what rewards are divided by before critics see them.
  func complete(_ record: inout HealthRecord, actionSize: Int, divisor: Double = 1) {
    record.assessment.largestValue *= divisor
    let count = Double(predictions.count)
    record.valueEpisodes = predictions.count
    if !predictions.isEmpty {
      record.valueBias = zip(predictions, outcomes).reduce(0) { $0 + $1.0 - $1.1 } / count
      record.valueScale = outcomes.reduce(0) { $0 + abs($1) } / count
    }
    // a uniform policy's entropy over [−1, 1]^A is A log 2, the most there is
    let entropy = record.entropy.isNaN ? 0 : max(Double(actionSize) * log(2), abs(record.entropy))
    let paid = record.temperature.isNaN ? 0 : divisor * record.temperature * entropy
    if discount < 1 && largestReward > 0 { record.valueBound = (largestReward + paid) / (1 - discount) }
  }

  // MARK: state

  /// Everything that a checkpoint keeps of it.
  public struct State: Sendable, Equatable {
    /// The largest |r| so far.
    public var largestReward = 0.0
    /// Of the last episodes, oldest first.
    public var predictions: [Double] = []
    /// The returns that followed, one for each prediction.
    public var outcomes: [Double] = []
    /// Of each lane's running episode: predicted value or NaN, outcome so far, γᵗ.
    public var predicted: [Double] = []
    /// The discounted return so far, of each lane.
    public var outcome: [Double] = []
    /// γᵗ of each lane.
    public var weight: [Double] = []

    /// The state before the first episode.
    public init() {}
  }

  var state: State {
    var state = State()
    (state.largestReward, state.predictions, state.outcomes) = (largestReward, predictions, outcomes)
    (state.predicted, state.outcome, state.weight) = (
      lanes.map(\.predicted), lanes.map(\.outcome), lanes.map(\.weight)
    )
    return state
  }

  mutating func restore(_ state: State) {
    guard state.predicted.count == lanes.count, state.outcome.count == lanes.count, state.weight.count == lanes.count,
      state.predictions.count == state.outcomes.count
    else { return }
    (largestReward, predictions, outcomes) = (state.largestReward, state.predictions, state.outcomes)
    for i in lanes.indices {
      lanes[i] = Episode(predicted: state.predicted[i], outcome: state.outcome[i], weight: state.weight[i])
    }
  }
}

extension HealthMonitor.State {
  /// As checkpoints of format 1 kept it: largest reward, predicted, outcome, weight, then predictions and outcomes.
  init(_ numbers: [Double]) {
    guard numbers.count >= 4, numbers.count % 2 == 0 else { return }
    (largestReward, predicted, outcome, weight) = (numbers[0], [numbers[1]], [numbers[2]], [numbers[3]])
    let half = (numbers.count - 4) / 2
    (predictions, outcomes) = (Array(numbers[4..<(4 + half)]), Array(numbers[(4 + half)...]))
  }
}
