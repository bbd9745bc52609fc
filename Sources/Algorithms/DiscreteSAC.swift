// DiscreteSAC.swift — Soft Actor-Critic for discrete actions (N11–N14): expectations over actions are sums, not samples.
// Christodoulou 2019, "Soft Actor-Critic for Discrete Action Settings", arXiv:1910.07207. Equation numbers are theirs.
//
//   paper    here            paper   here                      shapes
//   π_φ      policy          α       temperature               B batch, S observation, A choices
//   Q_θ1,2   critics         γ       configuration.discount
//   Q_θ̄1,2   targetCritics   τ       configuration.targetTracking
//   D        the trainer's ReplayBuffer      H̄   targetEntropy = targetEntropyScale · log A
//
// Read in order: Configuration · init · act · update · state.

import Kernels
import Networks
import Platform
import Replay

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Soft actor-critic for discrete actions (Christodoulou 2019): expectations over actions are sums.
public final class DiscreteSAC: Algorithm {
  public static let actions = ActionKind.discrete

  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    // differs: soft by default, as SAC for continuous actions; the paper copies, every 8,000 steps
    /// How the target critics follow the critics; τ.
    public var targetTracking = TargetTracking.soft(rate: 0.005)
    public var batchSize = 128
    /// Units in each hidden layer of the policy and of each critic.
    public var hiddenSizes = [120, 84]
    /// Sizes of the policy and of the critics; nil: `hiddenSizes`.
    public var policyHiddenSizes: [Int]? = nil
    public var criticHiddenSizes: [Int]? = nil
    public var policyActivation = Activation.relu
    public var criticActivation = Activation.relu
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 1e-3
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 1e-3
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 1)
    // differs: a lower target than the paper's 0.98, which is nearly that of random actions. See Guides/DiscreteSAC.md
    /// H̄ as a share of the greatest entropy, log A.
    public var targetEntropyScale: Float = 0.5
    public var bufferCapacity = 1_000_000
    public var randomSteps = 1_000
    public var updateEvery = 1
    public var updatesPerStep = 1.0
    public var nSteps = 1
    public var sampler = SamplerConfiguration.uniform
    public var normalizeObservations = false
    public var scaleRewards = false
    public var returnBound: Float?

    // Adam, of every network and the temperature
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("Christodoulou 2019"),
        .targetTracking("Haarnoja 2018, table 1; Christodoulou 2019 copied every 8,000 steps"),
        .batchSize("CleanRL's dqn.py; Christodoulou 2019 had 64"),
        .hiddenSizes("as dqn; Christodoulou 2019 had convolutions"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .learningRate(
          "policyLearningRate", "Adam's rate for the policy", "Guides/DiscreteSAC.md; Christodoulou 2019 had 3e-4"),
        .learningRate(
          "criticLearningRate", "Adam's rate for the critics", "Guides/DiscreteSAC.md; Christodoulou 2019 had 3e-4"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "Christodoulou 2019"),
        .huberThreshold("the notes (N5); all papers"),
        .temperature("softlearning: log α starts at 0"),
        Hyperparameter(
          "targetEntropyScale", "H̄ / log A", .real(0, 1), "entropy that α is tuned for, as a share of the greatest",
          source: "Guides/DiscreteSAC.md; Christodoulou 2019 had 0.98, CleanRL 0.89"),
        .bufferCapacity("Christodoulou 2019"),
        .randomSteps("as dqn; Christodoulou 2019 had 20,000"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let targetEntropy: Double
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: CategoricalPolicy
  private let critics: ActionValues
  private let targetCritics: ActionValues
  private let learnedTemperature: LearnedTemperature

  private let policyOptimizer: Adam
  private let criticOptimizer: Adam
  private var updates = 0

  private var actingStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise  // empty: nothing is drawn
  private let targets: Block  // (B)
  private let objective: Matrix  // (B × A), f_a
  private let expectations: Block  // (B), Σ_a π(a|s) f_a
  private let entropies: Block  // (B), −Σ_a π(a|s) log π(a|s)

  // the lanes' observations
  private let actingPolicy: CategoricalPolicy  // the same parameters
  private let logProbabilities: Block  // (N), log π(a|s) of the last actions chosen with exploration
  private let criticsOfOne: ChoicesOfOne

  /// - Parameter actionSize: A, the number of choices.
  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    targetEntropy = Double(configuration.targetEntropyScale) * log(Double(actionSize))
    let batchSize = configuration.batchSize
    let (policySizes, criticSizes) = (configuration.policySizes, configuration.criticSizes)

    policy = CategoricalPolicy(
      observationSize: observationSize, choices: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    critics = ActionValues(
      count: 2, observationSize: observationSize, choices: actionSize, hiddenSizes: criticSizes,
      activation: configuration.criticActivation, batchSize: batchSize)
    targetCritics = ActionValues(following: critics)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    learnedTemperature = LearnedTemperature(
      configuration.temperature, configuration.adam(learningRate: configuration.temperatureLearningRate))

    // differs: Adam's ε is 1e-8 as everywhere here; CleanRL has 1e-4
    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    actingStream = RandomStream(seed: seed, purpose: "acting")

    noise = UpdateNoise(batchSize: 0, actionSize: 0)
    targets = Block(count: batchSize)
    objective = Matrix(rows: batchSize, columns: actionSize)
    expectations = Block(count: batchSize)
    entropies = Block(count: batchSize)
    actingPolicy = CategoricalPolicy(sharing: policy, batchSize: lanes)
    logProbabilities = Block(count: lanes)
    criticsOfOne = ChoicesOfOne(critics, observationSize: observationSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) {}

  /// With exploration a draw from the policy, which needs no other noise (N14); without, the likeliest action.
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    actingPolicy.evaluate(observations, rows: 0..<rows)
    for row in 0..<rows {
      let choice = explore ? actingPolicy.sample(at: row, using: &actingStream) : actingPolicy.best(at: row)
      actions[row, 0] = Float(choice)
      if explore { logProbabilities[row] = actingPolicy.logProbability(of: choice, at: row) }
    }
  }

  public func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix
  ) {
    actingPolicy.evaluate(observations, rows: 0..<rows)
    for row in 0..<rows { actions[row, 0] = Float(actingPolicy.sample(at: row, using: &stream)) }
  }

  public func setLearningRate(_ rate: Float) {
    (policyOptimizer.learningRate, criticOptimizer.learningRate) = (rate, rate)
    learnedTemperature.learningRate = rate
  }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    try update(batch, noise: noise)
  }

  /// One gradient step from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)
    let temperature = Float(learnedTemperature.value)

    // critic target, no gradient; π from the current policy, not a target policy
    //   V(s′) = Σ_a π_φ(a|s′) [ min_j Q_θ̄j(s′, a) − α log π_φ(a|s′) ]                                    (eq. 10, N12)
    //   y = r + γ (1 − d) V(s′)
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in policy.evaluate(batch.nextObservations, rows: rows) }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      targetCritics.evaluate(j, batch.nextObservations, rows: rows)
      critics.evaluate(j, batch.observations, rows: rows)
    }
    for i in 0..<batch.count {
      var softValue: Float = 0
      for a in 0..<policy.choices {
        softValue +=
          policy.probability(of: a, at: i)
          * (targetCritics.minimum(of: a, at: i) - temperature * policy.logProbability(of: a, at: i))
      }
      targets[i] = batch.rewards[i] + batch.discounts[i] * softValue
    }

    // critics:  J_Q(θ) = Σ_j E[ ℓ(Q_θj(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q_j(s, a) = ℓ′(Q_j(s, a) − y) / B  (eq. 4, N5)
    // differs: no factor ½, as in the notes (N5)
    var metrics = UpdateMetrics(
      criticLoss: critics.mean(loss, to: targets, weights: batch.weights, actions: batch.actions, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critics.absoluteErrors(to: targets, actions: batch.actions, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(j, loss, to: targets, weights: batch.weights, actions: batch.actions, scale: scale, rows: rows)
    }

    // targets:  θ̄ ← τ θ + (1 − τ) θ̄, as soon as θ is known: nothing below reads or changes either            (N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)

    // policy:  J_π(φ) = E[ Σ_a π_φ(a|s) f_a ],   f_a = α log π_φ(a|s) − min_j Q_θj(s, a)                   (eq. 12, N13)
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in policy.evaluate(batch.observations, rows: rows) }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.evaluate(j, batch.observations, rows: rows)
    }
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      for i in rows {
        var (expectation, entropy): (Float, Float) = (0, 0)
        for a in 0..<policy.choices {
          let (probability, logProbability) = (policy.probability(of: a, at: i), policy.logProbability(of: a, at: i))
          objective[i, a] = temperature * logProbability - critics.minimum(of: a, at: i)
          expectation += probability * objective[i, a]
          entropy -= probability * logProbability
        }
        expectations[i] = expectation
        entropies[i] = entropy
      }
      policy.backward(objective: objective, expectations: expectations, scale: scale, rows: rows)
    }
    let entropy = mean(entropies, count: batch.count)
    metrics.entropy = entropy
    metrics.policyLoss = mean(expectations, count: batch.count)
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)
    policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)

    // temperature:  J(α) = E[ Σ_a π_φ(a|s) (−α (log π_φ(a|s) + H̄)) ]                                      (eq. 11, N14)
    // differs: the gradient is taken of −log α · (H̄ − entropy), without the factor α, as the other SAC here does
    learnedTemperature.step(gradient: entropy - targetEntropy, atUpdate: updates)
    metrics.temperature = learnedTemperature.value
    try checkFinite(metrics.temperature, "temperature", update: updates)
    return metrics
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.evaluate(batch.observations, rows: 0..<batch.count)
    for j in 0..<critics.count { critics.evaluate(j, batch.observations, rows: 0..<batch.count) }
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count) { policy.best(at: $0) }
    assessment.add(policy, rows: batch.count)
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    criticsOfOne.minimum(observation, of: Int(action[0]))
  }

  public func entropyBonus(lane: Int) -> Double { -learnedTemperature.value * Double(logProbabilities[lane]) }

  // MARK: what it declares

  public static func policy(_ configuration: Configuration) -> PolicyForm {
    configuration.policyForm(.choosing)
  }

  /// One output for each choice.
  public static func choicesTensor(_ configuration: Configuration) -> String? {
    "critic.0.layer.\(configuration.criticSizes.count).bias"
  }

  public static let metrics: [Metric] = [.criticLoss, .policyLoss, .targetMean, .temperature, .entropy]

  /// F and G are a network's pass forward and back to its first layer, π the policy, Q a critic with all choices; an error goes
  /// back through one of them, F₁ and G₁: target F_π + 2 F_Q; critics 2 (F_Q + F₁ + G₁); policy 2 F_π + 2 F_Q + G_π.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let rows = configuration.batchSize
    let policy = configuration.policySize(inputs: observationSize, outputs: actionSize)
    let critic = configuration.criticSize(inputs: observationSize, outputs: actionSize)
    let chosen = critic.with(outputs: 1)
    let target = policy.forward(rows: rows) + 2 * critic.forward(rows: rows)
    let critics = 2 * (critic.forward(rows: rows) + chosen.forward(rows: rows) + chosen.backward(rows: rows))
    let step = 2 * policy.forward(rows: rows) + 2 * critic.forward(rows: rows) + policy.backward(rows: rows)
    return UpdateCost(
      operations: target + critics + step, learned: [policy, critic, critic], following: [critic, critic])
  }

  // MARK: state

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("policy", policy.parameters)
    try coder.code("critic", critics)
    try coder.code("target_critic", targetCritics)
    try learnedTemperature.codeParameters(&coder)
  }

  public func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("policy_optimizer", policyOptimizer)
    try coder.code("critic_optimizer", criticOptimizer)
    try learnedTemperature.codeProgress(&coder)
    try coder.code("updates", &updates)
    try coder.code("acting_stream", &actingStream)
  }
}
