// DDPG.swift — Deep Deterministic Policy Gradient (N8, N9).
// Lillicrap et al. 2015, "Continuous control with deep reinforcement learning", arXiv:1509.02971, alg. 1.
//
//   paper    here            paper   here                                shapes
//   μ_θ      policy          γ       configuration.discount              B batch, S observation, A action
//   μ′_θ     targetPolicy    τ       configuration.targetTracking
//   Q_φ      critics (one)   N       configuration.explorationNoise
//   Q′_φ     targetCritics   R       the trainer's ReplayBuffer
//
// Read in order: Configuration · init · act · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// Deep deterministic policy gradient (Lillicrap 2015): one critic, a deterministic policy, targets of both.
public final class DDPG: Algorithm {
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
    /// Adam's rate η for the critic.
    public var criticLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    // differs: Gaussian noise by default, as in the implementations since; the paper's Ornstein–Uhlenbeck is a setting
    /// Noise on actions while collecting.
    public var explorationNoise = ExplorationNoise.gaussian(standardDeviation: 0.1)
    public var bufferCapacity = 1_000_000
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
        .discount("Lillicrap 2015, section 7"),
        .targetTracking("sfujim/TD3's OurDDPG; Lillicrap 2015 had 0.001"),
        .batchSize("sfujim/TD3's OurDDPG; Lillicrap 2015 had 64"),
        .hiddenSizes("sfujim/TD3's OurDDPG; Lillicrap 2015 had 400, 300"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: all papers; layer: DroQ, ReBRAC, RLPD"),
        .learningRate(
          "policyLearningRate", "Adam's rate for the policy", "sfujim/TD3's OurDDPG; Lillicrap 2015 had 1e-4"),
        .learningRate(
          "criticLearningRate", "Adam's rate for the critic", "sfujim/TD3's OurDDPG; Lillicrap 2015 had 1e-3"),
        .huberThreshold("the notes (N5); all papers"),
        .explorationNoise("sfujim/TD3's OurDDPG; Lillicrap 2015 had Ornstein–Uhlenbeck, θ 0.15, σ 0.2"),
        .bufferCapacity("Lillicrap 2015, section 7"),
        .randomSteps("as TD3; Lillicrap 2015 had none"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let workers: WorkerPool

  private let policy: DeterministicPolicy
  private let targetPolicy: DeterministicPolicy
  private let critics: Critics
  private let targetCritics: Critics

  private let policyOptimizer: Adam
  private let criticOptimizer: Adam
  private var updates = 0

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
    let batchSize = configuration.batchSize
    let (policySizes, criticBlocks) = (configuration.policySizes, configuration.criticBlocks)

    policy = DeterministicPolicy(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    targetPolicy = DeterministicPolicy(following: policy)
    // differs: the action enters the critic at its first layer, not its second; no batch norm, no weight decay
    critics = Critics(
      count: 1, observationSize: observationSize, actionSize: actionSize, blocks: criticBlocks, batchSize: batchSize)
    targetCritics = Critics(following: critics)

    self.workers = workers.forPhases(
      rows: batchSize, weights: max(policy.parameters.values.count, critics.networks[0].values.count))

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    // differs: the last layers start like the others, from U(±1/√fan_in), not from U(±3e-3)
    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetPolicy.parameters.copy(policy.parameters)
    targetCritics.copy(critics)
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
    try update(batch, noise: noise)
  }

  /// One gradient step from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)

    workers.forEachChunk(ofRows: batch.count) { rows in
      // critic target, no gradient; a′ from the target policy
      //   y = r + γ (1 − d) Q′(s′, μ′(s′))                                                                   (alg. 1, N5)
      targetPolicy.evaluate(batch.nextObservations, into: nextActions, rows: rows)
      targetCritics.evaluate(0, batch.nextObservations, nextActions, rows: rows)
      for i in rows {
        targets[i] = batch.rewards[i] + batch.discounts[i] * targetCritics.value(0, at: i)
      }

      // critic:  J_Q(φ) = E[ ℓ(Q_φ(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q = ℓ′(Q − y) / B         (alg. 1, N5)
      critics.evaluate(0, batch.observations, batch.actions, rows: rows)
      critics.backward(0, loss, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { _, share in
      critics.weightGradients(0, batch.observations, batch.actions, rows: batch.count, share)
    }
    try checkFinite(criticOptimizer, "critic", update: updates)

    // policy:  J_μ(θ) = −E[ Q_φ(s, μ_θ(s)) ]                                                                 (eq. 6, N9)
    workers.forEachChunk(ofRows: batch.count) { rows in
      policy.evaluate(batch.observations, into: currentActions, rows: rows)
      critics.evaluate(0, batch.observations, currentActions, rows: rows)
      critics.firstActionGradient(scale: -scale, into: actionGradient, rows: rows)
      policy.backward(actions: currentActions, actionGradient: actionGradient, rows: rows)
    }
    metrics.policyLoss = -critics.meanMinimum(rows: batch.count)
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)

    // targets:  φ′ ← τ φ + (1 − τ) φ′,   θ′ ← τ θ + (1 − τ) θ′                                              (alg. 1, N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    policyOptimizer.step(atUpdate: updates, by: workers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    } following: { _, share in
      if let targetRate {
        targetCritics.track(0, critics, rate: targetRate, share)
        targetPolicy.parameters.track(policy.parameters, rate: targetRate, share)
      }
    }
    try checkFinite(policyOptimizer, "policy", update: updates)
    try checkFinite(targetCritics, "target critic", update: updates)
    try checkFinite(targetPolicy.parameters, "target policy", update: updates)
    return metrics
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.evaluate(batch.observations, into: currentActions, rows: 0..<batch.count)
    critics.evaluate(batch.observations, currentActions, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.add(
      policy.parameters, deadUnits: policy.deadUnits(rows: batch.count), actions: currentActions, rows: batch.count)
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.minimum(observation, action)
  }

  // MARK: what it declares

  public static func policy(_ configuration: Configuration) -> PolicyForm {
    configuration.policyForm(.deterministic)
  }

  public static let metrics: [Metric] = [.criticLoss, .policyLoss, .targetMean]

  /// F and G are a network's pass forward and back to its first layer, G_A that on to the actions, π the policy, Q the critic:
  /// target F_π + F_Q; critic 2 F_Q + G_Q; policy 2 F_π + F_Q + G_Q + G_A + G_π.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let rows = configuration.batchSize
    let policy = configuration.policySize(inputs: observationSize, outputs: actionSize)
    let critic = configuration.criticSize(inputs: observationSize + actionSize, outputs: 1)
    let target = policy.forward(rows: rows) + critic.forward(rows: rows)
    let criticStep = 2 * critic.forward(rows: rows) + critic.backward(rows: rows)
    let through = critic.forwardAndBackToInputs(actionSize, rows: rows)
    let step = 2 * policy.forward(rows: rows) + through + policy.backward(rows: rows)
    return UpdateCost(
      operations: target + criticStep + step, learned: [policy, critic], following: [policy, critic])
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
    try exploration.codeProgress(&coder)
  }
}
