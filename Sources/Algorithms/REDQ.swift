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
// Read in order: init · update · assess · state. REDQConfiguration.swift has the settings.

import Kernels
import Networks
import Platform
import Replay

/// Randomised ensembled double Q-learning (Chen 2021): many critics, some of them in each target; DroQ with dropout.
public final class REDQ: SoftActing {
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
