// PolicyComparison.swift — is the new policy better than the old one, and what does the performance-difference lemma say?
// Kakade and Langford 2002, "Approximately Optimal Approximate Reinforcement Learning", lemma 6.1; the notes' N1, N2, N7.
//
//   (a)  J(new) − J(old)                                        by rollouts from the same starts
//   (b)  1/(1−γ) E_{s ~ d^new, a ~ new}[ Â^old(s, a) ]          N1's right side, Â from the fitted Q^old
//   (c)  1/(1−γ) E_{s ~ μ,     a ~ new}[ Â^old(s, a) ]          N2, N7: the states are the data's
//
// With the true A^old, (a) and (b) are equal whatever the policies are. So (b) − (a) is the critic's error, and (c) − (b)
// is what the data's states being others than the new policy's own does.

import Algorithms
import Environments
import Kernels
import Networks
import Platform
import Replay
import Training

/// What is known about the difference of two policies, as `compare` prints it.
public struct PolicyComparison: Codable, Sendable {
  /// γ of all returns.
  public var discount: Double
  /// Gaussian policies drew their actions; else they acted by the mean.
  public var drawsActions: Bool
  /// Updates of the fitted critics.
  public var updates: Int
  /// Discounted returns in the environment, and (a); nil where no environment is at hand.
  public var returns: Returns?
  /// (b); nil where no environment is at hand.
  public var lemma: Estimate?
  /// (c), from a sample of the data's states.
  public var surrogate: Estimate
  /// (b) and (c) by each critic.
  public var lemmaByCritic: [Double]
  /// (c) by each critic.
  public var surrogateByCritic: [Double]
  /// (b) − (a), episode by episode: the critic's error.
  public var criticError: Estimate?
  /// (c) − (b): the states' mismatch.
  public var stateMismatch: Double?
  /// What the fitted J(old) is wrong by, start by start.
  public var oldValueError: Estimate?
  /// How far the old policy is from the data.
  public var nearestOldActions: NearestActions
  /// How far the new policy is from the data.
  public var nearestNewActions: NearestActions
  /// Whether the lower bound of (a) is above zero; nil where no environment is at hand.
  public var improves: Bool?
  /// What the numbers say, in sentences.
  public var explanation: [String]
  /// What should keep a reader from trusting the numbers, in sentences.
  public var warnings: [String]

  /// Discounted returns of paired episodes.
  public struct Returns: Codable, Sendable {
    /// J(old)
    public var old: Estimate
    /// J(new)
    public var new: Estimate
    /// (a), by differences of episodes with the same start.
    public var difference: Estimate
    /// Pairs of episodes.
    public var episodes: Int
    /// Steps of an episode, at most.
    public var horizon: Int
  }

  /// Episodes below which nobody should act on `improves`: of fewer a lucky few may all agree.
  public static let fewestGateEpisodes = 10

  /// States of the data that (c) is the mean over.
  static let surrogateStates = 10_000

  /// Compares two policies on data, and where an environment is given in it.
  ///
  /// - Parameter environment: its id, and what makes it without its time limit.
  public init(
    old: Policy, new: Policy, from dataset: borrowing Dataset, _ settings: PolicyValueSettings,
    environment: (id: String, make: () throws -> any Environment)?,
    progress: (PolicyValueProgress) -> Bool = { _ in false }, isCancelled: @escaping () -> Bool = { false },
    episodeEnded: @escaping (Int) -> Void = { _ in }
  ) throws {
    let gamma = Double(settings.configuration.discount)
    guard gamma < 1 else { throw DatasetError("a discount of 1", "has no 1/(1−γ): give one below 1") }
    (discount, updates) = (gamma, settings.updates)
    drawsActions = settings.drawsActions
    warnings = []
    explanation = []
    let sizes = { (policy: Policy) in (policy.description.observationSize, policy.description.actionLow) }
    guard sizes(old).0 == sizes(new).0, sizes(old).1.count == sizes(new).1.count,
      old.description.choices == new.description.choices
    else {
      throw DatasetError(
        "the policies",
        "take \(sizes(old).0) and \(sizes(new).0) observations and give \(sizes(old).1.count) and "
          + "\(sizes(new).1.count) actions: they belong to different environments")
    }

    var rollouts: (old: [PolicyRollout], new: [PolicyRollout]) = ([], [])
    if let environment {
      try PolicyRunner.check(gamma)
      var runner = PolicyRunner(
        makeEnvironment: environment.make, task: environment.id, discount: gamma, episodes: settings.episodes,
        seed: PolicyValue.firstSeed(settings.seed), isCancelled: isCancelled, progress: episodeEnded)
      rollouts.old = try runner.run(old, drawsActions: drawsActions, purpose: "old policy's actions")
      runner.progress = { episodeEnded(settings.episodes + $0) }
      rollouts.new = try runner.run(new, drawsActions: drawsActions, purpose: "new policy's actions")
      guard rollouts.new.count == settings.episodes else { throw Cancelled() }
    }
    let size = dataset.description.observationSize
    let starts = rollouts.old.flatMap { $0.observations[..<size] }
    let value = try FittedValue(old, from: dataset.buffer, starts: starts, settings, progress: progress)

    // (c), the states of μ                                                                                            (N2, N7)
    let other = try FixedPolicy(new, batchSize: Self.surrogateStates)
    let (states, actions) = Self.sample(
      Self.surrogateStates, of: dataset.buffer, other, drawsActions: drawsActions, seed: settings.seed)
    let advantages = Self.advantages(value, states, actions)
    surrogate = Estimate(of: PolicyValue.overCritics(advantages).map { $0 / (1 - gamma) })
    surrogateByCritic = advantages.map { $0.reduce(0, +) / Double($0.count) / (1 - gamma) }

    lemmaByCritic = []
    if !rollouts.new.isEmpty {
      // (a)
      let (before, after) = (
        rollouts.old.map { $0.discountedReturn(gamma) }, rollouts.new.map { $0.discountedReturn(gamma) }
      )
      let differences = zip(after, before).map { $0 - $1 }
      let returns = Returns(
        old: Estimate(of: before), new: Estimate(of: after),
        difference: Estimate(of: differences), episodes: settings.episodes,
        horizon: PolicyRunner.horizon(gamma))
      self.returns = returns
      improves = returns.difference.low > 0

      // (b):  Σ γᵗ Â^old(s_t, a_t) along each episode of the new policy; its mean is 1/(1−γ) E_{d^new, new}[ Â^old ]       (N1)
      let sums = Self.lemmaSums(rollouts.new, value, discount: gamma)
      let means = PolicyValue.overCritics(sums)
      let lemma = Estimate(of: means)
      self.lemma = lemma
      lemmaByCritic = sums.map { $0.reduce(0, +) / Double($0.count) }
      criticError = Estimate(of: zip(means, differences).map { $0 - $1 })
      stateMismatch = surrogate.mean - lemma.mean
      let fitted = PolicyValue.overCritics(value.stateValues(starts))
      oldValueError = Estimate(of: zip(fitted, before).map { $0 - $1 })
    }
    nearestOldActions = NearestActions(
      of: try FixedPolicy(old, batchSize: 1000), drawsActions: drawsActions, in: dataset.buffer,
      distance: settings.distance, seed: settings.seed)
    nearestNewActions = NearestActions(
      of: try FixedPolicy(new, batchSize: 1000), drawsActions: drawsActions, in: dataset.buffer,
      distance: settings.distance, seed: settings.seed)
    if let warning = nearestOldActions.warning(choices: old.description.choices) { warnings.append("old: " + warning) }
    if let warning = nearestNewActions.warning(choices: new.description.choices) { warnings.append("new: " + warning) }
    explanation = explain()
  }

  // MARK: N1 and N2

  /// Â_j(s, a) = Q_j(s, a) − V_j(s) of the old policy, by every critic.
  static func advantages(_ value: FittedValue, _ observations: [Float], _ actions: [Float]) -> [[Double]] {  // J × (n)
    let (q, v) = (value.evaluation.actionValues(observations, actions), value.stateValues(observations))
    return zip(q, v).map { zip($0, $1).map { $0 - $1 } }
  }

  /// Σ γᵗ Â_j(s_t, a_t) of each episode, by every critic.
  static func lemmaSums(_ rollouts: [PolicyRollout], _ value: FittedValue, discount: Double) -> [[Double]] {  // J × (n)
    let advantages = advantages(value, rollouts.flatMap(\.observations), rollouts.flatMap(\.actions))
    return advantages.map { ofCritic in
      var start = 0
      return rollouts.map { rollout in
        defer { start += rollout.count }
        return discountedSum(Array(ofCritic[start..<(start + rollout.count)]), discount)
      }
    }
  }

  /// States drawn from data, and what a policy does in them.
  private static func sample(
    _ count: Int, of buffer: borrowing ReplayBuffer, _ policy: FixedPolicy, drawsActions: Bool, seed: UInt64
  ) -> (states: [Float], actions: [Float]) {
    let (s, a) = (buffer.observationSize, buffer.actionSize)
    let batch = Batch(count: count, observationSize: s, actionSize: a)
    var stream = RandomStream(seed: seed, purpose: "surrogate states")
    buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    let noise = Block(count: count * a)
    if drawsActions { stream.fillNormal(noise) }
    let drawn = PolicyDraw(rows: count, actionSize: a)
    policy.draw(batch.observations, noise: noise, into: drawn, rows: 0..<count)
    var (states, actions): ([Float], [Float]) = ([], [])
    for row in 0..<count {
      for i in 0..<s { states.append(batch.observations[row, i]) }
      for i in 0..<a { actions.append(drawn.actions[row, i]) }
    }
    return (states, actions)
  }

  // MARK: in words

  private func explain() -> [String] {
    guard let returns, let lemma, let criticError, let stateMismatch else {
      return [
        "no environment is at hand, so only (c) is known: to first order in the change of the policy it has the sign of the "
          + "improvement, if the critic is right and the data's states are those that the new policy will visit",
        "neither can be checked without the environment: (c) is a reason to try the new policy, not to trust it",
      ]
    }
    func range(_ estimate: Estimate) -> String {
      "\(short(estimate.mean)) [\(short(estimate.low)), \(short(estimate.high))]"
    }
    var lines: [String] = []
    if returns.difference.low > 0 {
      lines.append("the new policy is better: all of the interval of (a) is above 0")
    } else if returns.difference.high < 0 {
      lines.append("the new policy is worse: all of the interval of (a) is below 0")
    } else {
      lines.append(
        "\(returns.episodes) pairs of episodes do not tell the policies apart: (a) may be 0; run more episodes")
    }
    lines.append(
      "critic error, (b) − (a): \(range(criticError))"
        + (criticError.contains(0)
          ? ": none is seen" : ": with the true A^old it would be 0, so the fitted Q is wrong by so much"))
    let width = max(lemma.high - lemma.low, surrogate.high - surrogate.low)
    lines.append(
      "state mismatch, (c) − (b): \(short(stateMismatch))"
        + (abs(stateMismatch) <= width
          ? ": no more than the intervals of (b) and (c)"
          : ": the data's states are not those that the new policy visits, and (c) weighs them as the data do"))
    return lines
  }
}
