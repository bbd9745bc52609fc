// TD3.swift — Twin Delayed Deep Deterministic policy gradient (N10).
// Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods", arXiv:1802.09477, alg. 1.
//
//   paper    here            paper   here                                shapes
//   π_φ      policy          γ       configuration.discount              B batch, S observation, A action
//   π_φ′     targetPolicy    τ       configuration.targetTracking
//   Q_θ1,2   critics         d       configuration.policyDelay
//   Q_θ′1,2  targetCritics   σ̃, c    configuration.targetNoise, .targetNoiseClip
//   B        the trainer's ReplayBuffer
//
// Read in order: Configuration · init · act · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// Twin delayed deep deterministic policy gradient (Fujimoto 2018).
public final class TD3: Algorithm {
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the targets track the networks; τ.
    public var targetTracking = TargetTracking.soft(rate: 0.005)
    public var batchSize = 256
    /// Units in each hidden layer of the policy and of each critic.
    public var hiddenSizes = [256, 256]
    /// Sizes of the policy and of the critics; nil: `hiddenSizes`.
    public var policyHiddenSizes: [Int]? = nil
    public var criticHiddenSizes: [Int]? = nil
    public var policyActivation = Activation.relu
    public var criticActivation = Activation.relu
    public var criticNormalization = BlockNormalization.none
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 3e-4
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// Critic updates to one update of the policy and the targets; d.
    public var policyDelay = 2
    /// Standard deviation of the noise on target actions; σ̃, in units of [−1, 1].
    public var targetNoise: Float = 0.2
    /// The noise on target actions is clipped to ±c.
    public var targetNoiseClip: Float = 0.5
    /// Noise on actions while collecting.
    public var explorationNoise = ExplorationNoise.gaussian(standardDeviation: 0.1)
    public var bufferCapacity = 1_000_000
    // differs: 10,000 for every task that suggests nothing else; the paper had 1,000 on some, its code now has 25,000
    public var randomSteps = 10_000
    public var updateEvery = 1
    public var updatesPerStep = 1.0
    public var nSteps = 1
    public var sampler = SamplerConfiguration.uniform
    public var normalizeObservations = false
    public var scaleRewards = false
    public var returnBound: Float?

    // Adam
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("Fujimoto 2018, section 6.1"),
        .targetTracking("Fujimoto 2018, section 6.1"),
        .batchSize("sfujim/TD3 since 2019; the paper had 100"),
        .hiddenSizes("sfujim/TD3 since 2019; the paper had 400, 300"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: all papers; layer: DroQ, ReBRAC, RLPD"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "sfujim/TD3 since 2019; the paper had 1e-3"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "sfujim/TD3 since 2019; the paper had 1e-3"),
        .huberThreshold("the notes (N5); all papers"),
        Hyperparameter(
          "policyDelay", "d", .whole(1, 1_000_000), "critic updates to one update of policy and targets",
          source: "Fujimoto 2018, section 6.1"),
        Hyperparameter(
          "targetNoise", "σ̃", .real(0, 10), "standard deviation of the noise on target actions",
          source: "Fujimoto 2018, section 6.1"),
        Hyperparameter(
          "targetNoiseClip", "c", .real(0, 10), "bound of the noise on target actions",
          source: "Fujimoto 2018, section 6.1"),
        .explorationNoise("Fujimoto 2018, section 6.1"),
        .bufferCapacity("Fujimoto 2018, section 6.1"),
        .randomSteps("Fujimoto 2018, section 6.1: 10,000 for HalfCheetah and Ant"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: DeterministicPolicy
  private let targetPolicy: DeterministicPolicy
  private let critics: Critics
  private let targetCritics: Critics

  private let policyOptimizer: Adam
  private let criticOptimizer: Adam
  private var updates = 0

  private var updateStream: RandomStream
  private var exploration: ExplorationNoiseProcess

  // reused by each update
  private let noise: UpdateNoise
  private let nextActions: Matrix  // (B × A), a′
  private let currentActions: Matrix  // (B × A), π(s)
  private let targets: Block  // (B)
  private let actionGradient: Matrix  // (B × A)

  // the lanes' observations
  private let actingPolicy: DeterministicPolicy  // the same parameters
  private let actingCritics: CriticsOfOne

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    let batchSize = configuration.batchSize
    let (policySizes, criticBlocks) = (configuration.policySizes, configuration.criticBlocks)

    policy = DeterministicPolicy(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    targetPolicy = DeterministicPolicy(following: policy)
    critics = Critics(
      count: 2, observationSize: observationSize, actionSize: actionSize, blocks: criticBlocks, batchSize: batchSize)
    targetCritics = Critics(following: critics)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetPolicy.parameters.copy(policy.parameters)
    targetCritics.copy(critics)
    updateStream = RandomStream(seed: seed, purpose: "update noise")
    exploration = ExplorationNoiseProcess(
      configuration.explorationNoise, lanes: lanes, actionSize: actionSize,
      stream: RandomStream(seed: seed, purpose: "acting"))

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    nextActions = Matrix(rows: batchSize, columns: actionSize)
    currentActions = Matrix(rows: batchSize, columns: actionSize)
    targets = Block(count: batchSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actingPolicy = DeterministicPolicy(sharing: policy, batchSize: lanes)
    actingCritics = CriticsOfOne(critics, observationSize: observationSize, actionSize: actionSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) { exploration.beginEpisode(lane: lane) }

  /// a = π(s), and with exploration a = clip(π(s) + ε, −1, 1).
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    actingPolicy.evaluate(observations, into: actions, rows: 0..<rows)
    if explore { exploration.add(to: actions) }
  }

  public func setLearningRate(_ rate: Float) {
    (policyOptimizer.learningRate, criticOptimizer.learningRate) = (rate, rate)
  }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    updateStream.fillNormal(noise.next)
    return try update(batch, noise: noise)
  }

  /// One gradient step from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)

    // critic target, no gradient; a′ from the target policy
    //   a′ = clip(π_φ′(s′) + clip(σ̃ ε, −c, c), −1, 1)                                                (sec. 5.3, N10)
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      targetPolicy.evaluate(batch.nextObservations, into: nextActions, rows: rows)
      smooth(nextActions, noise.next, rows: rows)
    }
    //   y = r + γ (1 − d) min_j Q_θ′j(s′, a′)                                                             (alg. 1, N10)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      targetCritics.evaluate(j, batch.nextObservations, nextActions, rows: rows)
      critics.evaluate(j, batch.observations, batch.actions, rows: rows)
    }
    for i in 0..<batch.count {
      targets[i] = batch.rewards[i] + batch.discounts[i] * targetCritics.minimum(at: i)
    }

    // critics:  J_Q(θ) = Σ_j E[ ℓ(Q_θj(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q_j = ℓ′(Q_j − y) / B  (alg. 1, N5)
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(j, loss, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }

    // targets, with the policy:  θ′ ← τ θ + (1 − τ) θ′, as soon as θ is known,   φ′ ← τ φ + (1 − τ) φ′ below  (alg. 1, N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates, delay: configuration.policyDelay)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)

    // policy, at every d-th update:  J_π(φ) = −E[ Q_θ1(s, π_φ(s)) ]                                          (alg. 1, N9)
    if updates % configuration.policyDelay == 0 {
      policyWorkers.forEachChunk(ofRows: batch.count) { rows in
        policy.evaluate(batch.observations, into: currentActions, rows: rows)
        critics.evaluate(0, batch.observations, currentActions, rows: rows)
        critics.firstActionGradient(scale: -scale, into: actionGradient, rows: rows)
        policy.backward(actions: currentActions, actionGradient: actionGradient, rows: rows)
      }
      metrics.policyLoss = -critics.meanMinimum(rows: batch.count, members: 1)
      try checkFinite(metrics.policyLoss, "policy loss", update: updates)
      policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
        policy.weightGradients(batch.observations, rows: batch.count, share)
      }
      try checkFinite(policyOptimizer, "policy", update: updates)
    }

    if let targetRate {
      policyWorkers.forEachShare { targetPolicy.parameters.track(policy.parameters, rate: targetRate, $0) }
      try checkFinite(targetPolicy.parameters, "target policy", update: updates)
    }
    return metrics
  }

  // differs: noise and bounds are in units of [−1, 1]; sfujim/TD3 multiplies both by the task's largest action
  /// a′ ← clip(a′ + clip(σ̃ ε, −c, c), −1, 1), with flat ε (B × A).
  private func smooth(_ actions: borrowing Matrix, _ noise: borrowing Block, rows: Range<Int>) {
    let (deviation, bound) = (configuration.targetNoise, configuration.targetNoiseClip)
    for row in rows {
      for i in 0..<actions.columns {
        let clipped = (deviation * noise[row * actions.columns + i]).clipped(to: -bound, bound)
        actions[row, i] = (actions[row, i] + clipped).clipped(to: -1, 1)
      }
    }
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.evaluate(batch.observations, into: currentActions, rows: 0..<batch.count)
    critics.evaluate(batch.observations, currentActions, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.add(
      policy.parameters, deadUnits: policy.deadUnits(rows: batch.count), actions: currentActions, rows: batch.count,
      isPolicyStep: updates % configuration.policyDelay == 0)
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.minimum(observation, action)
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    UpdateDraws(next: [configuration.batchSize, actionSize])
  }

  public static func policy(_ configuration: Configuration) -> PolicyForm {
    configuration.policyForm(.deterministic)
  }

  public static let metrics: [Metric] = [.criticLoss, .policyLoss, .targetMean]

  /// F and G are a network's pass forward and back to its first layer, G_A that on to the actions, π the policy, Q a critic:
  /// target F_π + 2 F_Q; critics 2 (2 F_Q + G_Q); policy 2 F_π + F_Q + G_Q + G_A + G_π at every d-th update.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let rows = configuration.batchSize
    let policy = configuration.policySize(inputs: observationSize, outputs: actionSize)
    let critic = configuration.criticSize(inputs: observationSize + actionSize, outputs: 1)
    let target = policy.forward(rows: rows) + 2 * critic.forward(rows: rows)
    let critics = 2 * (2 * critic.forward(rows: rows) + critic.backward(rows: rows))
    let through = critic.forwardAndBackToInputs(actionSize, rows: rows)
    let step = 2 * policy.forward(rows: rows) + through + policy.backward(rows: rows)
    return UpdateCost(
      operations: target + critics + step / Double(configuration.policyDelay), period: configuration.policyDelay,
      learned: [policy, critic, critic], following: [policy, critic, critic])
  }

  // MARK: state

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("policy", policy.parameters)
    try coder.code("critic", critics)
    try coder.code("target_policy", targetPolicy.parameters)
    try coder.code("target_critic", targetCritics)
  }

  public func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("policy_optimizer", policyOptimizer)
    try coder.code("critic_optimizer", criticOptimizer)
    try coder.code("updates", &updates)
    try coder.code("update_stream", &updateStream)
    try exploration.codeProgress(&coder)
  }
}
