// CrossQ.swift — CrossQ: SAC without target networks, its critics normalised over state and next state together.
// Bhatt et al. 2024, "CrossQ: Batch Normalization in Deep Reinforcement Learning for Greater Sample Efficiency and Simplicity",
// arXiv:1902.05605, and the authors' program, adityab/CrossQ.
//
//   paper    here            paper   here                      shapes
//   π_φ      policy          α       temperature               B batch, S observation, A action
//   Q_θ1,2   critics         γ       configuration.discount
//   D        the trainer's ReplayBuffer      H̄   targetEntropy = −A
//
// Learning, networks are normalised by the statistics of their batch; acting, for ã′ and where the policy asks the critics, by
// running statistics. `folded` is the policy with these in its weights: it acts, and it is what a policy file holds.
//
// Read in order: Configuration · init · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// CrossQ (Bhatt 2024): a soft actor-critic with batch normalisation and no target networks.
public final class CrossQ: SoftActing {
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    public var batchSize = 256
    /// Units in each hidden layer of each critic, and of the policy unless it has its own sizes.
    public var hiddenSizes = [2048, 2048]
    /// Sizes of the policy; nil: `hiddenSizes`.
    public var policyHiddenSizes: [Int]? = [256, 256]
    /// Sizes of the critics; nil: `hiddenSizes`.
    public var criticHiddenSizes: [Int]? = nil
    public var policyActivation = Activation.relu
    public var criticActivation = Activation.relu
    /// The statistics that normalise a batch during an update.
    public var batchNormalization = BatchStatistics.renormalized(ratioBound: 3, distanceBound: 5, warmup: 100_000)
    /// m of the running statistics M ← m M + (1 − m) μ.
    public var batchMomentum: Float = 0.99
    /// Added to variances.
    public var batchEpsilon: Float = 1e-3
    /// The policy and the temperature step at each d-th update.
    public var policyDelay = 3
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 1e-3
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 1e-3
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 1e-3
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 1)
    /// H̄ in nats, of the density of actions in [−1, 1]^A; null means −A.
    public var targetEntropy: Float? = nil
    public var bufferCapacity = 1_000_000
    public var randomSteps = 5_000
    public var updateEvery = 1
    public var updatesPerStep = 1.0
    public var nSteps = 1
    public var sampler = SamplerConfiguration.uniform
    public var normalizeObservations = false
    public var scaleRewards = false
    public var returnBound: Float?

    // Adam, of the networks; the temperature has β₁ = 0.9 in any case
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.5
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    /// How every network normalises.
    var normalization: BatchNormalization {
      var normalization = BatchNormalization(renormalization: batchNormalization.renormalization)
      (normalization.momentum, normalization.epsilon) = (batchMomentum, batchEpsilon)
      return normalization
    }

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("adityab/CrossQ; it has 0.9999 for Swimmer"),
        .batchSize("adityab/CrossQ"),
        .hiddenSizes("Bhatt 2024: critics of 2048; SBX has 1024"),
        Hyperparameter(
          "policyHiddenSizes", "H_π", .wholes(1, 16_384), "units in each hidden layer of the policy; null: hiddenSizes",
          source: "Bhatt 2024", isOptional: true),
        .criticHiddenSizes,
        .policyActivation("ReLU: adityab/CrossQ"),
        .criticActivation("ReLU: adityab/CrossQ"),
        .batchNormalization("adityab/CrossQ: renormalised after 100,000 batches"),
        Hyperparameter(
          "batchMomentum", "m", .real(0, 1, excludingUpper: true),
          "share of the running statistics that a batch leaves",
          source: "adityab/CrossQ"),
        Hyperparameter(
          "batchEpsilon", "ε", .real(0, 1, excludingLower: true), "added to variances", source: "adityab/CrossQ"),
        .policyDelay("adityab/CrossQ"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "adityab/CrossQ"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "adityab/CrossQ"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "adityab/CrossQ"),
        .huberThreshold("the notes (N5); all papers"),
        .temperature("adityab/CrossQ: log α starts at 0"),
        .targetEntropy("adityab/CrossQ"),
        .bufferCapacity("adityab/CrossQ"),
        .randomSteps("adityab/CrossQ"),
      ] + .collecting + [
        .learningRateSchedule, .maximumGradientNorm,
        Hyperparameter(
          "adamBeta1", "β₁", .real(0, 1, excludingUpper: true), "Adam's decay of the networks' gradients' mean",
          source: "adityab/CrossQ; 0.9 for the temperature"),
        .adamBeta2, .adamEpsilon,
      ]
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let targetEntropy: Float
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: SquashedGaussian
  private let folded: SquashedGaussian  // what the policy computes by its running statistics
  private let critics: Critics
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

  // the lanes' observations
  let actor: GaussianActor  // by the folded policy's parameters
  private let actingCritics: CriticsOfOne

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    targetEntropy = configuration.targetEntropy ?? -Float(actionSize)
    let batchSize = configuration.batchSize
    let policySizes = configuration.policySizes

    // differs: weights and biases begin as U(±1/√fan_in), as all networks here and in sb3-contrib; the authors' weights are normal
    // with a deviation of 1/√fan_in, their biases 0
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize,
      batchNormalization: configuration.normalization)
    folded = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    // 2B rows: (s, a) and (s′, ã′)
    critics = Critics(
      count: 2, observationSize: observationSize, actionSize: actionSize, blocks: configuration.criticBlocks,
      batchSize: 2 * batchSize, batchNormalization: configuration.normalization)
    var temperatureSettings = configuration.adam(learningRate: configuration.temperatureLearningRate)
    temperatureSettings.beta1 = 0.9
    learnedTemperature = LearnedTemperature(configuration.temperature, temperatureSettings)

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    policy.parameters.fold(into: folded.parameters)
    updateStream = RandomStream(seed: seed, purpose: "update noise")

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    targets = Block(count: batchSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actor = GaussianActor(sharing: folded, lanes: lanes, actionSize: actionSize, seed: seed)
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

    // ã′ from the policy by its running statistics; then both halves in one pass, by the statistics of their mixture   (eq. 3)
    //   [ Q_θj(s, a) ; Q_θj(s′, ã′) ] = Q_θj([ s ; s′ ], [ a ; ã′ ])
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      folded.sample(batch.nextObservations, noise: noise.next, into: next, rows: rows)
    }
    critics.evaluateJointly(
      batch.observations, batch.actions, next: batch.nextObservations, next.actions, by: workers)

    // critic target, no gradient; the critics themselves, for there are no others
    //   y = r + γ (1 − d) [ min_j Q_θj(s′, ã′) − α log π_φ(ã′|s′) ]
    for i in 0..<batch.count {
      let softValue = critics.nextMinimum(at: i, of: batch.count) - temperature * next.logProbabilities[i]
      targets[i] = batch.rewards[i] + batch.discounts[i] * softValue
    }

    // critics:  J_Q(θ) = Σ_j E[ ℓ(Q_θj(s, a) − y) ],  ℓ(e) = e² or Huber's, back through the statistics of all 2B rows
    // differs: no factor ½, as in the notes (N5)
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    metrics.further[0] = critics.statisticsLag
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    critics.backwardJointly(
      loss, to: targets, weights: batch.weights, scale: scale, rows: batch.count, by: workers)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.jointWeightGradients(j, rows: batch.count, share)
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    if updates % configuration.policyDelay == 0 { try stepPolicy(batch, noise, scale, temperature, &metrics) }
    metrics.temperature = learnedTemperature.value
    try checkFinite(metrics.temperature, "temperature", update: updates)
    return metrics
  }

  /// The policy's and the temperature's step.
  private func stepPolicy(
    _ batch: borrowing Batch, _ noise: borrowing UpdateNoise, _ scale: Float, _ temperature: Float,
    _ metrics: inout UpdateMetrics
  ) throws {
    // policy:  J_π(φ) = E[ α log π_φ(ã|s) − min_j Q_θj(s, ã) ],   ã = tanh(μ + σ ⊙ ε)
    // the policy by the statistics of the batch, the critics by their running ones
    policy.sampleBatch(batch.observations, noise: noise.current, into: current, by: policyWorkers)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.evaluate(j, batch.observations, current.actions, rows: rows)
    }
    critics.gatherMinimum(rows: batch.count)
    workers.forEachChunk(of: critics.count, rows: { critics.gathered[$0] }) { j, rows in
      critics.minimumActionGradient(j, scale: -scale, into: actionGradient, rows: rows)
    }
    policy.backwardBatch(
      actionGradient: actionGradient, logProbabilityGradient: temperature * scale, by: policyWorkers)
    let meanLogProbability = mean(current.logProbabilities, count: batch.count)
    metrics.policyLoss = Double(temperature) * meanLogProbability - critics.meanMinimum(rows: batch.count)
    metrics.entropy = -meanLogProbability
    metrics.further[1] = policy.statisticsLag
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)
    policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)
    policy.parameters.fold(into: folded.parameters)

    // temperature:  J(α) = E[ −log α (log π_φ(ã|s) + H̄) ]
    // differs: without the factor α, as SBX has it; the authors' program takes the gradient of −α (log π + H̄)
    learnedTemperature.step(gradient: -(meanLogProbability + Double(targetEntropy)), atUpdate: updates)
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    folded.mean(batch.observations, into: current.actions, rows: 0..<batch.count)
    critics.evaluate(batch.observations, current.actions, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.add(
      policy.parameters, deadUnits: folded.deadUnits(rows: batch.count), actions: current.actions, rows: batch.count,
      isPolicyStep: updates % configuration.policyDelay == 0)
    if updates > 0 { assessment.statisticsLag = max(critics.statisticsLag, policy.statisticsLag) }
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.minimum(observation, action)
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    let rows = [configuration.batchSize, actionSize]
    return UpdateDraws(next: rows, current: rows)
  }

  public static let metrics: [Metric] =
    [.criticLoss, .policyLoss, .targetMean, .temperature, .entropy] + Metric.statisticsLags

  /// F and G are a network's pass forward and back to its first layer over B rows, G_I that on to all inputs, G_A to the actions, π the
  /// policy, Q a critic: ã′ F_π; critics 2 (2 F_Q + G_Q + G_I), each over 2B rows; policy 2 F_π + G_π + G_I + 2 (F_Q + G_Q + G_A)
  /// at every d-th update.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, inputs) = (configuration.batchSize, observationSize + actionSize)
    let policy = configuration.policySize(inputs: observationSize, outputs: 2 * actionSize)
    let critic = configuration.criticSize(inputs: inputs, outputs: 1)
    let joint = critic.forward(rows: 2 * rows) + critic.forwardAndBackToInputs(inputs, rows: 2 * rows)
    let policyStep =
      policy.forward(rows: rows) + policy.forwardAndBackToInputs(observationSize, rows: rows)
      + 2 * critic.forwardAndBackToInputs(actionSize, rows: rows)
    // values, normalised values and gradients of 2B rows, less the two of B rows that are counted for every network
    let further = 2 * rows * (2 * critic.units + 3 * inputs)
    return UpdateCost(
      operations: policy.forward(rows: rows) + 2 * joint + policyStep / Double(configuration.policyDelay),
      period: configuration.policyDelay, learned: [policy, critic, critic],
      numbers: 2 * further + rows * (policy.units + 3 * observationSize))
  }

  // MARK: state

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("policy", policy.parameters)
    policy.parameters.fold(into: folded.parameters)
    try coder.code("critic", critics)
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

  /// The folded policy: a squashed Gaussian without normalisation.
  public var policyTensors: [Tensor] {
    folded.parameters.tensors("policy") + StateCoder.write(learnedTemperature.codeParameters).tensors
  }
}
