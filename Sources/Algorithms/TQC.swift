// TQC.swift — Truncated Quantile Critics: SAC with critics of the return's distribution, whose largest atoms targets leave out.
// Kuznetsov et al. 2020, "Controlling Overestimation Bias with Truncated Mixture of Continuous Distributional Quantile Critics",
// arXiv:2005.04269, and the authors' program, SamsungLabs/tqc_pytorch.
//
//   paper      here                         paper   here                      shapes
//   π_φ        policy                       α       temperature               B batch, S observation, A action
//   Z_ψ1…N     critics, N as `critics`      γ       configuration.discount    J critics, M quantiles of each
//   Z_ψ̄1…N     targetCritics                β       configuration.targetTracking
//   M          quantiles                    H_T     targetEntropy = −A        K = J M − J d atoms of a target
//   d          droppedQuantiles, of each critic
//
// Read in order: Configuration · init · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// Truncated quantile critics (Kuznetsov 2020): critics learn quantiles, and targets leave out the greatest.
public final class TQC: SoftActing {
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the target critics follow the critics; β in the paper.
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
    /// J, the critics.
    public var critics = 2
    /// M, the atoms of each critic.
    public var quantiles = 25
    /// d, the atoms that a target leaves out for each critic: the J d largest of all J M.
    public var droppedQuantiles = 2
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 3e-4
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 3e-4
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 3e-4
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 1)
    /// H_T in nats, of the density of actions in [−1, 1]^A; null means −A.
    public var targetEntropy: Float? = nil
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

    /// The quantile loss has Huber's threshold 1, as in the paper.
    public var huberThreshold: Float? { 1 }

    /// K
    var targetAtoms: Int { critics * (quantiles - droppedQuantiles) }

    public func check() throws(ConfigurationError) {
      guard droppedQuantiles < quantiles else {
        throw .malformed(
          "droppedQuantiles is \(droppedQuantiles) of \(quantiles) quantiles: a target would have no atom; "
            + "leave out fewer than there are")
      }
    }

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("SamsungLabs/tqc_pytorch"),
        .targetTracking("SamsungLabs/tqc_pytorch"),
        .batchSize("SamsungLabs/tqc_pytorch"),
        .hiddenSizes("sb3-contrib; Kuznetsov 2020 has critics of 512, 512, 512"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: all papers; layer: DroQ, ReBRAC, RLPD"),
        Hyperparameter("critics", "N", .whole(1, 64), "critics, J", source: "sb3-contrib; Kuznetsov 2020 has 5"),
        Hyperparameter("quantiles", "M", .whole(1, 256), "atoms of each critic", source: "SamsungLabs/tqc_pytorch"),
        Hyperparameter(
          "droppedQuantiles", "d", .whole(0, 255), "atoms that a target leaves out for each critic, the largest of all",
          source: "SamsungLabs/tqc_pytorch, sb3-contrib; Kuznetsov 2020 has 0 for HalfCheetah, 5 for Hopper"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "SamsungLabs/tqc_pytorch"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "SamsungLabs/tqc_pytorch"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "SamsungLabs/tqc_pytorch"),
        .temperature("sb3-contrib and the authors' program: log α starts at 0"),
        .targetEntropy("SamsungLabs/tqc_pytorch", symbol: "H_T"),
        .bufferCapacity("SamsungLabs/tqc_pytorch"),
        .randomSteps("as sac; sb3-contrib has 100"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let targetEntropy: Float
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: SquashedGaussian
  private let nextPolicy: SquashedGaussian  // the same parameters
  private let critics: QuantileCritics
  private let targetCritics: QuantileCritics
  let learnedTemperature: LearnedTemperature

  let policyOptimizer: Adam
  let criticOptimizer: Adam
  private var updates = 0
  private var updateStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise
  private let next: PolicyDraw  // ã′, log π(ã′|s′)
  private let current: PolicyDraw  // ã, log π(ã|s)
  private let largest: Block  // (B × J d), the atoms that are left out
  private let targets: Block  // (B × K)
  private let actionGradient: Matrix  // (B × A)

  // the lanes' observations
  let actor: GaussianActor  // the same parameters
  private let actingCritics: QuantilesOfOne

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    self.workers = workers
    targetEntropy = configuration.targetEntropy ?? -Float(actionSize)
    let batchSize = configuration.batchSize
    let (policySizes, criticBlocks) = (configuration.policySizes, configuration.criticBlocks)

    // differs: log σ is clamped to [−20, 2], with no gradient outside, as in SAC; so do the authors' program and sb3-contrib
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes,
      activation: configuration.policyActivation, batchSize: batchSize)
    nextPolicy = SquashedGaussian(sharing: policy, batchSize: batchSize)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    critics = QuantileCritics(
      count: configuration.critics, quantiles: configuration.quantiles, observationSize: observationSize,
      actionSize: actionSize, blocks: criticBlocks, batchSize: batchSize)
    targetCritics = QuantileCritics(following: critics)
    learnedTemperature = LearnedTemperature(
      configuration.temperature, configuration.adam(learningRate: configuration.temperatureLearningRate))

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    updateStream = RandomStream(seed: seed, purpose: "update noise")

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    largest = Block(count: batchSize * configuration.critics * configuration.droppedQuantiles)
    targets = Block(count: batchSize * configuration.targetAtoms)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actor = GaussianActor(sharing: policy, lanes: lanes, actionSize: actionSize, seed: seed)
    actingCritics = QuantilesOfOne(
      critics, dropping: configuration.critics * configuration.droppedQuantiles, observationSize: observationSize,
      actionSize: actionSize)
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
    let (atoms, dropped) = (configuration.targetAtoms, critics.count * configuration.droppedQuantiles)

    // target atoms, no gradient: of all J M atoms of the target critics at (s′, ã′), in ascending order, the first K
    //   y_k = r + γ (1 − d) [ z_(k)(s′, ã′) − α log π_φ(ã′|s′) ]
    // In the same phase ã for the policy's step below, as φ is the same until then.
    workers.forEachChunk(ofRows: batch.count, of: 2) { draw, rows in
      if draw == 0 {  // by the thread that goes back through it where the policy is not divided
        policy.sample(batch.observations, noise: noise.current, into: current, rows: rows)
      } else {
        nextPolicy.sample(batch.nextObservations, noise: noise.next, into: next, rows: rows)
      }
    }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      targetCritics.evaluate(j, batch.nextObservations, next.actions, rows: rows)
      critics.evaluate(j, batch.observations, batch.actions, rows: rows)
    }
    workers.forEachChunk(ofRows: batch.count) { rows in
      targetCritics.truncated(dropping: dropped, room: largest, into: targets, rows: rows)
      for i in rows {
        let entropy = temperature * next.logProbabilities[i]
        for k in (i * atoms)..<((i + 1) * atoms) {
          targets[k] = batch.rewards[i] + batch.discounts[i] * (targets[k] - entropy)
        }
        batch.errors[i] = critics.absoluteError(to: targets, targetCount: atoms, at: i)
      }
    }

    // critics:  J_Z(ψ) = E[ mean over j, m and k of ρ_τm(y_k − θ_ψjm(s, a)) ],  ρ_τ(δ) = |τ − [δ < 0]| L_Huber(δ)
    // differs: also the mean over the critics, as sb3-contrib and the authors' program have it; the paper's sum is J times that
    let pairScale = scale / Float(critics.count * critics.quantiles * atoms)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(
        j, to: targets, targetCount: atoms, weights: batch.weights, scale: pairScale, rows: rows)
    }
    var metrics = UpdateMetrics(
      criticLoss: critics.weightedLoss(weights: batch.weights, rows: batch.count)
        / Double(batch.count * critics.count * critics.quantiles * atoms))
    metrics.targetMean = mean(targets, count: batch.count * atoms)
    metrics.further[0] = critics.crossedQuantiles(rows: min(batch.count, UpdateMetrics.inspectedRows))
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)

    // targets:  ψ̄ ← β ψ + (1 − β) ψ̄, as soon as ψ is known: nothing below reads or changes either
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)

    // policy:  J_π(φ) = E[ α log π_φ(ã|s) − mean over j and m of θ_ψjm(s, ã) ],   ã = tanh(μ + σ ⊙ ε): no atom is left out
    // differs: the critics are those after their step, as in sb3-contrib; the authors' program takes all losses before any step
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.evaluate(j, batch.observations, current.actions, rows: rows)
      critics.backwardToActions(j, scale: -scale / Float(critics.count * critics.quantiles), rows: rows)
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

    // temperature:  J(α) = E[ −log α (log π_φ(ã|s) + H_T) ]
    learnedTemperature.step(gradient: -(meanLogProbability + Double(targetEntropy)), atUpdate: updates)
    metrics.temperature = learnedTemperature.value
    try checkFinite(metrics.temperature, "temperature", update: updates)
    return metrics
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    policy.mean(batch.observations, into: current.actions, rows: 0..<batch.count)
    for j in 0..<critics.count { critics.evaluate(j, batch.observations, current.actions, rows: 0..<batch.count) }
    var assessment = Assessment()
    assessment.add(critics, rows: batch.count)
    assessment.add(
      policy.parameters, deadUnits: policy.deadUnits(rows: batch.count), actions: current.actions, rows: batch.count)
    return assessment
  }

  /// The mean of the atoms that a target keeps: the value that is used in targets.
  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    actingCritics.truncatedMean(observation, action)
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    let rows = [configuration.batchSize, actionSize]
    return UpdateDraws(next: rows, current: rows)
  }

  public static let metrics: [Metric] = [
    Metric("critic_loss", "mean ρ(y_k − θ_jm), the quantile Huber loss of all pairs", unit: ""),
    .policyLoss, .targetMean, .temperature, .entropy, .crossedQuantiles,
  ]

  /// F and G are a network's pass forward and back to its first layer, G_A that on to the actions, π the policy, Z one of J critics
  /// with M outputs: target F_π + J F_Z; critics J (2 F_Z + G_Z); policy 2 F_π + J (F_Z + G_Z + G_A) + G_π.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, count) = (configuration.batchSize, Double(configuration.critics))
    let policy = configuration.policySize(inputs: observationSize, outputs: 2 * actionSize)
    let critic = configuration.criticSize(inputs: observationSize + actionSize, outputs: configuration.quantiles)
    let target = policy.forward(rows: rows) + count * critic.forward(rows: rows)
    let step = count * (2 * critic.forward(rows: rows) + critic.backward(rows: rows))
    let through = count * critic.forwardAndBackToInputs(actionSize, rows: rows)
    let policyStep = 2 * policy.forward(rows: rows) + through + policy.backward(rows: rows)
    let critics = [NetworkSize](repeating: critic, count: configuration.critics)
    return UpdateCost(
      operations: target + step + policyStep, learned: [policy] + critics, following: critics,
      // all atoms of the targets, and three numbers for each atom of a critic
      numbers: rows * configuration.critics * configuration.quantiles * 4)
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
