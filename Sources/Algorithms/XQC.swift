// XQC.swift — XQC: SAC with critics of distributions, batch normalisation before ReLU, and weights of length 1.
// Palenicek et al. 2026, "XQC: Well-conditioned Optimization Accelerates Deep Reinforcement Learning", arXiv:2509.25174, and the
// authors' program, danielpalenicek/xqc. The distributions are C51's (Bellemare 2017).
//
//   paper    here            paper   here                      shapes
//   π_φ      policy          α       temperature               B batch, S observation, A action, M atoms
//   p_θ1,2   critics         γ       configuration.discount    Q_θj = Σ_i p_θj,i z_i,  z from V_min to V_max
//   p_θ̄1,2   targetCritics   τ       configuration.targetTracking
//   D        the trainer's ReplayBuffer      H̄   targetEntropy = −A / 2
//
// A network is: normalisation, L × [x W, normalisation, ReLU], x W + b. Learning, it is normalised by the statistics of its batch;
// acting, for ã′ and where the policy asks the critics, by running statistics. `folded` is the policy with these in its weights.
//
// Read in order: XQCConfiguration.swift · init · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// XQC (Palenicek 2026): a soft actor-critic with categorical critics, batch and weight normalisation.
public final class XQC: SoftActing {
  private let configuration: Configuration
  private let targetEntropy: Float
  private let workers: WorkerPool
  /// Those that the policy is divided among.
  private let policyWorkers: WorkerPool

  private let policy: SquashedGaussian
  private let folded: SquashedGaussian  // what the policy computes by its running statistics
  private let critics: CategoricalCritics
  private let targetCritics: CategoricalCritics
  let learnedTemperature: LearnedTemperature

  let policyOptimizer: Adam
  let criticOptimizer: Adam
  private var updates = 0
  private var updateStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise
  private let next: PolicyDraw  // ã′, log π(ã′|s′)
  private let current: PolicyDraw  // ã, log π(ã|s)
  private let shifts: Block  // (B)
  private let targets: Matrix  // (B × M)
  private let targetMeans: Block  // (B)
  private let actionGradient: Matrix  // (B × A)

  // the lanes' observations
  let actor: GaussianActor  // by the folded policy's parameters
  private let actingCritics: CategoricalCriticsOfOne

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    self.workers = workers
    targetEntropy = configuration.targetEntropy ?? -Float(actionSize) / 2
    let (batchSize, policySizes) = (configuration.batchSize, configuration.policySizes)

    // differs: weights begin as U(±1/√fan_in), brought to length 1, and biases of heads as that; the authors' weights are orthogonal
    // before that, their biases 0
    // differs: log σ is clamped to [−20, 2], as all policies here; the authors have [−10, 2]
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes, batchSize: batchSize,
      batchNormalization: configuration.normalization, hasUnitLengths: true)
    folded = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: policySizes, batchSize: batchSize,
      isLearned: false)
    policyWorkers = workers.forPhases(rows: batchSize, weights: policy.parameters.values.count)
    critics = CategoricalCritics(
      count: 2, atoms: configuration.atoms, bounds: (configuration.minimumValue, configuration.maximumValue),
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: configuration.criticSizes,
      batchSize: batchSize, batchNormalization: configuration.normalization)
    targetCritics = CategoricalCritics(following: critics)
    learnedTemperature = LearnedTemperature(
      configuration.temperature, configuration.adam(learningRate: configuration.temperatureLearningRate))

    policyOptimizer = Adam([policy.parameters], configuration.adam(learningRate: configuration.policyLearningRate))
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    policy.parameters.fold(into: folded.parameters)
    updateStream = RandomStream(seed: seed, purpose: "update noise")

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    shifts = Block(count: batchSize)
    targets = Matrix(rows: batchSize, columns: configuration.atoms)
    targetMeans = Block(count: batchSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actor = GaussianActor(sharing: folded, lanes: lanes, actionSize: actionSize, seed: seed)
    actingCritics = CategoricalCriticsOfOne(critics, observationSize: observationSize, actionSize: actionSize)
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

    // ã′ from the policy by its running statistics; then both halves in one pass, by the statistics of their mixture, also of the
    // target critics:  p_θj([ s ; s′ ], [ a ; ã′ ])
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      folded.sample(batch.nextObservations, noise: noise.next, into: next, rows: rows)
    }
    critics.evaluateJointly(batch.observations, batch.actions, next: batch.nextObservations, next.actions, by: workers)
    targetCritics.evaluateJointly(
      batch.observations, batch.actions, next: batch.nextObservations, next.actions, by: workers)

    // target distribution, no gradient: of the target critic whose mean is the smaller at (s′, ã′), moved and projected on z
    //   m = Π_z [ r + γ (1 − d) (Z_θ̄j(s′, ã′) − α log π_φ(ã′|s′)) ],   j = argmin_j Q_θ̄j(s′, ã′)      (Bellemare 2017, alg. 1)
    for i in 0..<batch.count {
      shifts[i] = batch.rewards[i] - batch.discounts[i] * temperature * next.logProbabilities[i]
    }
    workers.forEachChunk(ofRows: batch.count) { rows in
      targetCritics.projectNext(
        of: batch.count, shifts: shifts, factors: batch.discounts, into: targets, means: targetMeans, rows: rows)
    }

    // critics:  J_Z(θ) = Σ_j E[ −Σ_i m_i log p_θj,i(s, a) ], back through the statistics of all 2B rows
    critics.backwardJointly(to: targets, weights: batch.weights, scale: scale, rows: batch.count, by: workers)
    var metrics = UpdateMetrics(criticLoss: critics.meanLoss(weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targetMeans, count: batch.count)
    metrics.further[0] = critics.statisticsLag
    metrics.further[2] = critics.saturatedBins(rows: min(batch.count, UpdateMetrics.inspectedRows))
    critics.absoluteErrors(to: targetMeans, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)

    // w ← w / ‖w‖ of each unit and output right behind its step; targets:  θ̄ ← τ θ + (1 − τ) θ̄, whose lengths are left as they come
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.jointWeightGradients(j, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)
    if updates % configuration.policyDelay == 0 {
      try stepPolicy(batch, noise, scale, temperature, &metrics)
    } else {
      policy.observeBatch(batch.observations, by: policyWorkers)  // its running statistics see every batch
    }
    policy.parameters.fold(into: folded.parameters)
    metrics.further[1] = policy.statisticsLag
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
    try checkFinite(metrics.policyLoss, "policy loss", update: updates)
    // differs: rates fall with the run's updates; the authors' rates of policy and α with those that they step at, a third of them
    policyOptimizer.step(atUpdate: updates, by: policyWorkers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)

    // temperature:  J(α) = E[ −log α (log π_φ(ã|s) + H̄) ]
    // differs: without the factor α, as SAC here; the authors' program takes the gradient of −α (log π + H̄)
    learnedTemperature.step(gradient: -(meanLogProbability + Double(targetEntropy)), atUpdate: updates)
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    folded.mean(batch.observations, into: current.actions, rows: 0..<batch.count)
    for j in 0..<critics.count { critics.evaluate(j, batch.observations, current.actions, rows: 0..<batch.count) }
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
    [
      Metric("critic_loss", "Σ_j mean −Σ_i m_i log p_ji", unit: "nat"),
      .policyLoss, .targetMean, .temperature, .entropy,
    ] + Metric.statisticsLags + [.saturatedBins]

  /// F and G are a network's pass forward and back to its first layer over B rows, G_I that on to all inputs, G_A to the actions, π the
  /// policy, Z a critic: ã′ F_π; critics 2 (2 F_Z + G_Z + G_I) and targets 2 F_Z, each over 2B rows; the policy's statistics F_π, and
  /// at every d-th update F_π + G_π + G_I + 2 (F_Z + G_Z + G_A).
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, inputs, atoms) = (configuration.batchSize, observationSize + actionSize, configuration.atoms)
    let policy = configuration.policySize(inputs: observationSize, outputs: 2 * actionSize)
    let critic = configuration.criticSize(inputs: inputs, outputs: atoms)
    let joint = 2 * critic.forward(rows: 2 * rows) + critic.forwardAndBackToInputs(inputs, rows: 2 * rows)
    let policyStep =
      policy.forwardAndBackToInputs(observationSize, rows: rows)
      + 2 * critic.forwardAndBackToInputs(actionSize, rows: rows)
    // of 2B rows: values, normalised values and gradients, of targets without the latter, less what is counted for every network
    let learned = 2 * rows * (2 * critic.units + 3 * inputs + 3 * atoms)
    let following = rows * (3 * critic.units + 4 * inputs + 4 * atoms)
    return UpdateCost(
      operations: 2 * policy.forward(rows: rows) + 2 * joint + policyStep / Double(configuration.policyDelay),
      period: configuration.policyDelay, learned: [policy, critic, critic], following: [critic, critic],
      numbers: 2 * (learned + following) + rows * (policy.units + 3 * observationSize + atoms))
  }

  // MARK: state

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("policy", policy.parameters)
    policy.parameters.fold(into: folded.parameters)
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

  /// The folded policy: a squashed Gaussian without normalisation.
  public var policyTensors: [Tensor] {
    folded.parameters.tensors("policy") + StateCoder.write(learnedTemperature.codeParameters).tensors
  }
}
