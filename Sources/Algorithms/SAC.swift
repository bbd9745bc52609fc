// SAC.swift — Soft Actor-Critic with a learned temperature (N11–N14).
// Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", arXiv:1812.05905. Equation numbers are theirs.
//
//   paper    here            paper   here                      shapes
//   π_φ      policy          α       temperature               B batch, S observation, A action
//   Q_θ1,2   critics         γ       configuration.discount
//   Q_θ̄1,2   targetCritics   τ       configuration.targetTracking
//   D        the trainer's ReplayBuffer      H̄   targetEntropy = −A
//
// Read in order: Configuration · init · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// Soft actor-critic with a learned temperature (Haarnoja 2018).
public final class SAC: SoftActing {
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the target critics follow the critics; τ.
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
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 1)
    // differs: log π is the density of the action in [−1, 1]^A, not of the action in the task's units as in CleanRL
    /// H̄ in nats, of the density of actions in [−1, 1]^A; null means −A.
    public var targetEntropy: Float? = nil
    /// How ∇J_π is estimated: through the critics, or by the score function.
    public var policyGradient = PolicyGradient.pathwise
    public var bufferCapacity = 1_000_000
    public var randomSteps = 10_000
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
        .discount("Haarnoja 2018, table 1"),
        .targetTracking("Haarnoja 2018, table 1"),
        .batchSize("Haarnoja 2018, table 1"),
        .hiddenSizes("Haarnoja 2018, table 1"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: all papers; layer: DroQ, ReBRAC, RLPD"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "Haarnoja 2018, table 1"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "Haarnoja 2018, table 1"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "Haarnoja 2018, table 1"),
        .huberThreshold("the notes (N5); all papers"),
        .temperature("softlearning: log α starts at 0"),
        .targetEntropy("Haarnoja 2018, table 1"),
        Hyperparameter(
          "policyGradient", "∇J", cases: ["pathwise": .nothing, "scoreFunction.samples": .whole(2, 256)],
          "through the critics, or by the score function with K draws of each state", source: "Haarnoja 2018, eq. 10"),
        .bufferCapacity("Haarnoja 2018, table 1"),
        .randomSteps("softlearning: 10 episodes of 1,000 steps"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let targetEntropy: Float
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: SquashedGaussian
  private let nextPolicy: SquashedGaussian  // the same parameters
  private let critics: Critics
  private let targetCritics: Critics
  let learnedTemperature: LearnedTemperature

  let policyOptimizer: Adam
  let criticOptimizer: Adam
  private var updates = 0
  private var updateStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise
  private let next: PolicyDraw  // ã′, log π(ã′|s′)
  private let current: PolicyDraw  // ã, log π(ã|s)
  private let targets: Block  // (B)
  private let actionGradient: Matrix  // (B × A)
  private let draws: ScoreDraws  // of the score function: K of each state

  // the lanes' observations
  let actor: GaussianActor  // the same parameters
  private let actingCritics: CriticsOfOne

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    targetEntropy = configuration.targetEntropy ?? -Float(actionSize)
    let batchSize = configuration.batchSize
    let (policySizes, criticBlocks) = (configuration.policySizes, configuration.criticBlocks)

    // differs: log σ is clamped to [−20, 2], with no gradient outside; CleanRL rescales it by tanh, softlearning has a softplus
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    nextPolicy = SquashedGaussian(sharing: policy, batchSize: batchSize)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    critics = Critics(
      count: 2, observationSize: observationSize, actionSize: actionSize, blocks: criticBlocks, batchSize: batchSize)
    targetCritics = Critics(following: critics)
    learnedTemperature = LearnedTemperature(
      configuration.temperature, configuration.adam(learningRate: configuration.temperatureLearningRate))

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    updateStream = RandomStream(seed: seed, purpose: "update noise")

    noise = UpdateNoise(
      batchSize: batchSize, actionSize: actionSize, samples: configuration.policyGradient.samples ?? 1)
    draws = ScoreDraws(count: configuration.policyGradient.samples ?? 0, rows: batchSize)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    targets = Block(count: batchSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actor = GaussianActor(sharing: policy, lanes: lanes, actionSize: actionSize, seed: seed)
    actingCritics = CriticsOfOne(critics, observationSize: observationSize, actionSize: actionSize)
  }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    noise.fill(using: &updateStream)
    return try update(batch, noise: noise)
  }

  /// One gradient step from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)
    let temperature = Float(learnedTemperature.value)

    // critic target, no gradient; ã′ from the current policy, not a target policy. In the same phase ã for the policy's step
    // below, as φ is the same until then.
    //   y = r + γ (1 − d) [ min_j Q_θ̄j(s′, ã′) − α log π_φ(ã′|s′) ]                                    (eq. 3, N12)
    let drawsBoth = configuration.policyGradient == .pathwise
    workers.forEachChunk(ofRows: batch.count, of: drawsBoth ? 2 : 1) { draw, rows in
      if drawsBoth && draw == 0 {  // by the thread that goes back through it where the policy is not divided
        policy.sample(batch.observations, noise: noise.current, into: current, rows: rows)
      } else {
        nextPolicy.sample(batch.nextObservations, noise: noise.next, into: next, rows: rows)
      }
    }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      targetCritics.evaluate(j, batch.nextObservations, next.actions, rows: rows)
      critics.evaluate(j, batch.observations, batch.actions, rows: rows)
    }
    for i in 0..<batch.count {
      let softValue = targetCritics.minimum(at: i) - temperature * next.logProbabilities[i]
      targets[i] = batch.rewards[i] + batch.discounts[i] * softValue
    }

    // critics:  J_Q(θ) = Σ_j E[ ℓ(Q_θj(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q_j = ℓ′(Q_j − y) / B   (eq. 5)
    // differs: no factor ½, as in the notes (N5)
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(j, loss, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }

    // targets:  θ̄ ← τ θ + (1 − τ) θ̄, as soon as θ is known: nothing below reads or changes either            (N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)

    // policy:  J_π(φ) = E[ α log π_φ(ã|s) − min_j Q_θj(s, ã) ],   ã = tanh(μ + σ ⊙ ε)                  (eq. 9, N13)
    let meanLogProbability: Double
    switch configuration.policyGradient {
    case .pathwise:
      // back through Q and ã to φ:  ∇J_π = E[ α ∇_φ log π_φ(ã|s) + ∇_ã (α log π_φ(ã|s) − min_j Q_θj(s, ã)) ∇_φ ã ]
      //                                                                                                (eq. 10, N9)
      workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
        critics.evaluate(j, batch.observations, current.actions, rows: rows)
      }
      critics.gatherMinimum(rows: batch.count)
      workers.forEachChunk(of: critics.count, rows: { critics.gathered[$0] }) { j, rows in
        critics.minimumActionGradient(j, scale: -scale, into: actionGradient, rows: rows)
      }
      policyWorkers.forEachChunk(ofRows: batch.count) { rows in
        policy.backward(actionGradient: actionGradient, logProbabilityGradient: temperature * scale, rows: rows)
      }
      meanLogProbability = mean(current.logProbabilities, count: batch.count)
      metrics.policyLoss = Double(temperature) * meanLogProbability - critics.meanMinimum(rows: batch.count)
    case .scoreFunction(let samples):
      // with ã held fixed:  ∇J_π = E[ ∇_φ log π_φ(ã|s) (f − b) ],   f = α log π_φ(ã|s) − min_j Q_θj(s, ã)          (N8)
      workers.forEachChunk(ofRows: batch.count) { rows in
        draws.backward(
          policy, critics, batch.observations, noise: noise.current, room: current, temperature: temperature,
          scale: scale, rows: rows)
      }
      meanLogProbability = mean(draws.logProbabilities, count: samples * batch.count)
      metrics.policyLoss = mean(draws.objectives, count: samples * batch.count)
    }
    metrics.entropy = -meanLogProbability
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)
    policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)

    // temperature:  J(α) = E[ −α (log π_φ(ã|s) + H̄) ]                                                   (eq. 18, N14)
    // differs: the gradient is taken of −log α · mean(log π + H̄), without the factor α, as SB3 does; see Guides/SAC.md
    learnedTemperature.step(gradient: -(meanLogProbability + Double(targetEntropy)), atUpdate: updates)
    metrics.temperature = learnedTemperature.value
    try checkFinite(metrics.temperature, "temperature", update: updates)
    return metrics
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.mean(batch.observations, into: current.actions, rows: 0..<batch.count)
    critics.evaluate(batch.observations, current.actions, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.add(
      policy.parameters, deadUnits: policy.deadUnits(rows: batch.count), actions: current.actions, rows: batch.count)
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.minimum(observation, action)
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    let rows = [configuration.batchSize, actionSize]
    return UpdateDraws(next: rows, current: (configuration.policyGradient.samples.map { [$0] } ?? []) + rows)
  }

  public static let metrics: [Metric] = [.criticLoss, .policyLoss, .targetMean, .temperature, .entropy]

  /// F and G are a network's pass forward and back to its first layer, G_A that on to the actions, π the policy, Q a critic:
  /// target F_π + 2 F_Q; critics 2 (2 F_Q + G_Q); policy 2 F_π + 2 (F_Q + G_Q + G_A) + G_π, by the score function
  /// 2 F_π + 2 K F_Q + G_π.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let rows = configuration.batchSize
    let policy = configuration.policySize(inputs: observationSize, outputs: 2 * actionSize)
    let critic = configuration.criticSize(inputs: observationSize + actionSize, outputs: 1)
    let target = policy.forward(rows: rows) + 2 * critic.forward(rows: rows)
    let critics = 2 * (2 * critic.forward(rows: rows) + critic.backward(rows: rows))
    let samples = configuration.policyGradient.samples
    let through =
      samples.map { 2 * Double($0) * critic.forward(rows: rows) }
      ?? 2 * critic.forwardAndBackToInputs(actionSize, rows: rows)
    let step = 2 * policy.forward(rows: rows) + through + policy.backward(rows: rows)
    return UpdateCost(
      operations: target + critics + step, learned: [policy, critic, critic], following: [critic, critic],
      // ε, log π, the objective and the weight of each draw
      numbers: (samples ?? 0) * rows * (actionSize + 3))
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
    try coder.code("update_stream", &updateStream)
    try actor.codeProgress(&coder)
  }
}
