// REDQ.swift — Randomized Ensembled Double Q-learning: SAC with many critics, of which a random few make each target.
// Chen et al. 2021, "Randomized Ensembled Double Q-Learning: Learning Fast Without a Model", arXiv:2101.05982, and the authors'
// program, watchernyu/REDQ. With layer normalisation and dropout in few critics it is DroQ (Hiraoka et al. 2022, "Dropout Q-Functions
// for Doubly Efficient Reinforcement Learning", arXiv:2110.02034).
//
//   paper    here            paper   here                            shapes
//   π_θ      policy          α       temperature                     B batch, S observation, A action
//   Q_φ1…N   critics         γ       configuration.discount          J = N critics
//   Q_φ̄1…N   targetCritics   ρ       1 − configuration.targetTracking
//   M        members, criticsInTarget of the J      G        configuration.updatesPerStep
//
// Read in order: Configuration · init · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// Randomised ensembled double Q-learning (Chen 2021): many critics, some of them in each target; DroQ with dropout.
public final class REDQ: SoftActing {
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the target critics follow the critics; 1 − ρ in the paper.
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
    /// The share of the critics' hidden units that are dropped while learning; DroQ.
    public var criticDropout: Float = 0
    /// J, the critics.
    public var critics = 10
    /// M, the critics in the minimum of a target, drawn anew for each update.
    public var criticsInTarget = 2
    /// The policy and the temperature step at each d-th update: once for the G updates of a step.
    public var policyDelay = 20
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
    // differs: H̄ is −A for all tasks; the authors have −1 for Hopper, −2 for Humanoid, −3 for HalfCheetah and Walker2d, −4 for Ant
    /// H̄ in nats, of the density of actions in [−1, 1]^A; null means −A.
    public var targetEntropy: Float? = nil
    public var bufferCapacity = 1_000_000
    public var randomSteps = 5_000
    public var updateEvery = 1
    public var updatesPerStep = 20.0
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

    public func check() throws(ConfigurationError) {
      guard criticsInTarget <= critics else {
        throw .malformed(
          "criticsInTarget is \(criticsInTarget) of \(critics) critics: a target cannot have more of them than there are"
        )
      }
    }

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("watchernyu/REDQ"),
        .targetTracking("watchernyu/REDQ"),
        .batchSize("watchernyu/REDQ"),
        .hiddenSizes("watchernyu/REDQ"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: REDQ; layer: DroQ"),
        Hyperparameter(
          "criticDropout", "p", .real(0, 1, excludingUpper: true),
          "share of the critics' hidden units dropped while learning",
          source: "none: REDQ; DroQ has 0.0001 to 0.1 by task"),
        Hyperparameter("critics", "N", .whole(1, 64), "critics, J", source: "watchernyu/REDQ; DroQ has 2"),
        Hyperparameter(
          "criticsInTarget", "M", .whole(1, 64), "critics of a target, drawn anew for each update",
          source: "watchernyu/REDQ"),
        .policyDelay("watchernyu/REDQ: once for the updates of a step"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "watchernyu/REDQ"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "watchernyu/REDQ"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "watchernyu/REDQ"),
        .huberThreshold("the notes (N5); all papers"),
        .temperature("watchernyu/REDQ: log α starts at 0"),
        .targetEntropy("Haarnoja 2018, table 1; watchernyu/REDQ has a number for each task"),
        .bufferCapacity("watchernyu/REDQ"),
        .randomSteps("watchernyu/REDQ"),
      ] + .collecting(updatesPerStep: "watchernyu/REDQ") + .adam
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
  private var dropoutStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise
  private let next: PolicyDraw  // ã′, log π(ã′|s′)
  private let current: PolicyDraw  // ã, log π(ã|s)
  private let members: RowIndices  // (M), the critics of this update's targets
  private let targets: Block  // (B)
  private let actionGradient: Matrix  // (B × A)

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

    // differs: log σ is clamped to [−20, 2], with no gradient outside, as in SAC; the authors' program does so, too
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    nextPolicy = SquashedGaussian(sharing: policy, batchSize: batchSize)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    critics = Critics(
      count: configuration.critics, observationSize: observationSize, actionSize: actionSize, blocks: criticBlocks,
      batchSize: batchSize)
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
    dropoutStream = RandomStream(seed: seed, purpose: "dropout")

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize, members: configuration.critics)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    members = RowIndices(count: configuration.criticsInTarget)
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
    let isPolicyStep = updates % configuration.policyDelay == 0
    // the M with the smallest of J numbers are a random subset
    members.fillWithSmallest(of: noise.members)
    let (targetDropout, criticDropout) = (dropout(), dropout())

    // critic target, no gradient; ã′ from the current policy, M the random subset                     (alg. 1)
    //   y = r + γ (1 − d) [ min_{j ∈ M} Q_φ̄j(s′, ã′) − α log π_θ(ã′|s′) ]
    // differs: M is one subset for the batch, as in the authors' program; DroQ's critics drop units in the target, too
    workers.forEachChunk(ofRows: batch.count) { rows in
      nextPolicy.sample(batch.nextObservations, noise: noise.next, into: next, rows: rows)
    }
    workers.forEachChunk(ofRows: batch.count, of: members.count + critics.count) { i, rows in
      if i < members.count {
        targetCritics.evaluate(
          members[i], batch.nextObservations, next.actions, dropout: targetDropout, rows: rows)
      } else {
        critics.evaluate(
          i - members.count, batch.observations, batch.actions, dropout: criticDropout, rows: rows)
      }
    }
    for i in 0..<batch.count {
      let softValue = targetCritics.minimum(of: members, at: i) - temperature * next.logProbabilities[i]
      targets[i] = batch.rewards[i] + batch.discounts[i] * softValue
    }

    // critics:  J_Q(φ) = Σ_j E[ ℓ(Q_φj(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q_j = ℓ′(Q_j − y) / B
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    let disagreement = critics.disagreement(rows: min(batch.count, UpdateMetrics.inspectedRows))
    (metrics.further[0], metrics.further[1]) = (disagreement.spread, disagreement.relative)
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(j, loss, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }

    // targets:  φ̄ ← ρ φ̄ + (1 − ρ) φ, as soon as φ is known: nothing below reads or changes either
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)
    if isPolicyStep { try stepPolicy(batch, noise, scale, temperature, &metrics) }
    metrics.temperature = learnedTemperature.value
    try checkFinite(metrics.temperature, "temperature", update: updates)
    return metrics
  }

  /// The policy's and the temperature's step.
  private func stepPolicy(
    _ batch: borrowing Batch, _ noise: borrowing UpdateNoise, _ scale: Float, _ temperature: Float,
    _ metrics: inout UpdateMetrics
  ) throws {
    // policy:  J_π(θ) = E[ α log π_θ(ã|s) − mean_j Q_φj(s, ã) ],   ã = tanh(μ + σ ⊙ ε)
    let policyDropout = dropout()
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      policy.sample(batch.observations, noise: noise.current, into: current, rows: rows)
    }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.evaluate(j, batch.observations, current.actions, dropout: policyDropout, rows: rows)
      critics.backwardToActions(j, scale: -scale / Float(critics.count), rows: rows)
    }
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      critics.addActionGradients(into: actionGradient, rows: rows)
      policy.backward(actionGradient: actionGradient, logProbabilityGradient: temperature * scale, rows: rows)
    }
    let meanLogProbability = mean(current.logProbabilities, count: batch.count)
    metrics.policyLoss = Double(temperature) * meanLogProbability - critics.meanValue(rows: batch.count)
    metrics.entropy = -meanLogProbability
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)
    policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)

    // temperature:  J(α) = E[ −log α (log π_θ(ã|s) + H̄) ]
    learnedTemperature.step(gradient: -(meanLogProbability + Double(targetEntropy)), atUpdate: updates)
  }

  /// The next draw of what is dropped; nil where nothing is.
  private func dropout() -> DropoutDraw? {
    configuration.criticDropout > 0 ? dropoutStream.dropout() : nil
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.mean(batch.observations, into: current.actions, rows: 0..<batch.count)
    critics.evaluate(batch.observations, current.actions, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.criticDisagreement = critics.disagreement(rows: batch.count).relative
    assessment.add(
      policy.parameters, deadUnits: policy.deadUnits(rows: batch.count), actions: current.actions, rows: batch.count,
      isPolicyStep: updates % configuration.policyDelay == 0)
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.minimum(observation, action)
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    let rows = [configuration.batchSize, actionSize]
    return UpdateDraws(next: rows, current: rows, members: [configuration.critics])
  }

  public static let metrics: [Metric] = [
    .criticLoss, .policyLoss, .targetMean, .temperature, .entropy,
    Metric("critic_spread", "mean √ mean_j (Q_j − mean_j Q_j)²", unit: "return"), .criticDisagreement,
  ]

  /// F and G are a network's pass forward and back to its first layer, G_A that on to the actions, π the policy, Q one of J critics:
  /// target F_π + M F_Q; critics J (2 F_Q + G_Q); policy 2 F_π + J (F_Q + G_Q + G_A) + G_π at every d-th update.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, count) = (configuration.batchSize, Double(configuration.critics))
    let policy = configuration.policySize(inputs: observationSize, outputs: 2 * actionSize)
    let critic = configuration.criticSize(inputs: observationSize + actionSize, outputs: 1)
    let target = policy.forward(rows: rows) + Double(configuration.criticsInTarget) * critic.forward(rows: rows)
    let step = count * (2 * critic.forward(rows: rows) + critic.backward(rows: rows))
    let through = count * critic.forwardAndBackToInputs(actionSize, rows: rows)
    let policyStep = 2 * policy.forward(rows: rows) + through + policy.backward(rows: rows)
    let critics = [NetworkSize](repeating: critic, count: configuration.critics)
    return UpdateCost(
      operations: target + step + policyStep / Double(configuration.policyDelay), period: configuration.policyDelay,
      learned: [policy] + critics, following: critics)
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
    try coder.code("dropout_stream", &dropoutStream)
    try actor.codeProgress(&coder)
  }
}
