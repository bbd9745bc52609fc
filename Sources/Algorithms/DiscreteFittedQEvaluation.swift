// DiscreteFittedQEvaluation.swift — Q^π of any policy π over A choices, from any data (N2–N6).
// Voloshin et al. 2021, "Empirical Study of Off-Policy Policy Evaluation", arXiv:1911.06854, sec. 3.2, with N4's targets.
//
//   notes    here            notes   here                              shapes
//   π        policy          γ       configuration.discount            B batch, S observation, A choices
//   Q_φj     critics         τ       configuration.targetTracking
//   Q̄_j      targetCritics   α       configuration.temperature
//   RB       the data, as a ReplayBuffer
//
// The equations of FittedQEvaluation with one difference: expectations over actions are sums, so nothing is drawn.
//
// Read in order: init · act · update · values · state.

import Kernels
import Networks
import Platform
import Replay

/// Learns Q of a given policy over choices from data of any policy: expectations are sums.
public final class DiscreteFittedQEvaluation: PolicyEvaluation {
  /// The settings are those of fitted Q evaluation of real-valued actions.
  public typealias Configuration = FittedQEvaluation.Configuration

  public static let actions = ActionKind.discrete

  private var configuration: Configuration
  private let loss: ValueLoss
  private let workers: WorkerPool
  private let (observationSize, choices): (Int, Int)

  private var policy: FixedChoices
  private var normalization: ObservationNormalization?
  private let critics: ActionValues
  private let targetCritics: ActionValues
  private let criticOptimizer: Adam
  private var updates = 0
  /// Whether the policy's outputs are logits to draw from, as in discrete SAC; else the greatest output is the action, as in DQN.
  public var drawsActions = true

  private var actingStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise  // empty: nothing is drawn
  private let targets: FixedArray<Block>  // J × (B), y_j
  private let observations: Matrix  // (B × S), rows to be valued

  /// - Parameter actionSize: A, the number of choices.
  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    (self.observationSize, choices) = (observationSize, actionSize)
    let (count, batchSize, hiddenSizes) = (configuration.critics, configuration.batchSize, configuration.hiddenSizes)
    let activation = configuration.criticActivation

    critics = ActionValues(
      count: count, observationSize: observationSize, choices: actionSize, hiddenSizes: hiddenSizes,
      activation: activation, batchSize: batchSize)
    targetCritics = ActionValues(following: critics)
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    policy = FixedChoices(
      observationSize: observationSize, choices: actionSize, hiddenSizes: hiddenSizes,
      activation: configuration.policyActivation, batchSize: batchSize, using: &initialization)
    actingStream = RandomStream(seed: seed, purpose: "acting")

    noise = UpdateNoise(batchSize: 0, actionSize: 0)
    targets = FixedArray(count: count) { _ in Block(count: batchSize) }
    observations = Matrix(rows: batchSize, columns: observationSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) {}

  /// The action of the policy under evaluation: a draw, or without exploration its likeliest choice.
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    let noise = Block(count: rows)
    if explore && drawsActions { actingStream.fillNormal(noise) }
    policy.evaluate(observations, rows: 0..<rows)
    for row in 0..<rows { actions[row, 0] = Float(policy.choice(at: row, noise: noise[row])) }
  }

  public func setLearningRate(_ rate: Float) { criticOptimizer.learningRate = rate }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    try update(batch, noise: noise)
  }

  /// One gradient step of every critic from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)

    // s′ from the data, π(·|s′) of the policy under evaluation, whatever policy made the data                            (N6)
    workers.forEachChunk(ofRows: batch.count) { rows in policy.evaluate(batch.nextObservations, rows: rows) }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      // critic targets, no gradient:  y_j = r + γ (1 − d) Σ_a π(a|s′) [ Q̄_j(s′, a) − α log π(a|s′) ]       (N5; N12 if α > 0)
      targetCritics.evaluate(j, batch.nextObservations, rows: rows)
      for i in rows { targets[j][i] = batch.rewards[i] + batch.discounts[i] * stateValue(targetCritics, j, at: i) }

      // critics:  L(φ) = Σ_j E[ ℓ(Q_φj(s, a) − y_j) ],  ℓ(e) = e² or Huber's   ⇒   ∂L/∂Q_j(s, a) = ℓ′(Q_j(s, a) − y_j) / B (N5)
      critics.evaluate(j, batch.observations, rows: rows)
      critics.backward(
        j, loss, to: targets[j], weights: batch.weights, actions: batch.actions, scale: scale, rows: rows)
    }
    var metrics = UpdateMetrics(
      criticLoss: critics.mean(
        loss, toEach: targets, weights: batch.weights, actions: batch.actions, rows: batch.count))
    metrics.targetMean =
      (0..<critics.count).reduce(0) { $0 + mean(targets[$1], count: batch.count) } / Double(critics.count)
    critics.absoluteErrors(toEach: targets, actions: batch.actions, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)

    // targets:  φ̄ ← τ φ + (1 − τ) φ̄,  or  φ̄ ← φ at every n-th update                                                  (N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)
    return metrics
  }

  /// Σ_a π(a|s) [ Q_j(s, a) − α log π(a|s) ] at a row that policy and critics were evaluated at.
  private func stateValue(_ critics: ActionValues, _ j: Int, at row: Int) -> Float {
    var sum: Float = 0
    for a in 0..<choices {
      let probability = policy.probability(of: a, at: row, drawn: drawsActions)
      // an action that is never taken has no log π
      guard probability > 0 else { continue }
      let logProbability = policy.logProbability(of: a, at: row, drawn: drawsActions)
      sum += probability * (critics.value(j, of: a, at: row) - configuration.temperature * logProbability)
    }
    return sum
  }

  // MARK: values

  package func actionValues(_ observations: [Float], _ actions: [Float]) -> [[Double]] {  // J × (n)
    var result = [[Double]](repeating: [], count: critics.count)
    forEachChunk(of: observations, into: self.observations) { rows, start in
      evaluate(rows: rows)
      for j in result.indices {
        for row in 0..<rows { result[j].append(Double(critics.value(j, of: Int(actions[start + row]), at: row))) }
      }
    }
    return result
  }

  /// Exact values: nothing is drawn.
  package func stateValues(_ observations: [Float], draws: Int, using stream: inout RandomStream) -> [[Double]] {
    var result = [[Double]](repeating: [], count: critics.count)
    forEachChunk(of: observations, into: self.observations) { rows, _ in
      evaluate(rows: rows)
      for j in result.indices {
        for row in 0..<rows { result[j].append(Double(stateValue(critics, j, at: row))) }
      }
    }
    return result
  }

  private func evaluate(rows: Int) {
    workers.forEachChunk(ofRows: rows) { rows in
      policy.evaluate(observations, rows: rows)
      for j in 0..<critics.count { critics.evaluate(j, observations, rows: rows) }
    }
  }

  // MARK: what it declares

  /// The policy before a given one is loaded, which has sizes of its own.
  public static func policy(_ configuration: Configuration) -> PolicyForm {
    PolicyForm(.choosing, hiddenSizes: configuration.hiddenSizes, activation: configuration.policyActivation)
  }

  /// One output for each choice.
  public static func choicesTensor(_ configuration: Configuration) -> String? {
    "critic.0.layer.\(configuration.hiddenSizes.count).bias"
  }

  public static let metrics: [Metric] = [.criticLoss, .targetMean]

  /// F is a network's pass forward to all choices, π the policy, Q one of J critics; an error goes back through one choice, F₁
  /// and G₁: target F_π + J F_Q; critics J (F_Q + F₁ + G₁). The policy is not learned.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, count) = (configuration.batchSize, configuration.critics)
    let network = NetworkSize(
      inputs: observationSize, hidden: configuration.hiddenSizes, activation: configuration.criticActivation,
      outputs: actionSize)
    let policy = NetworkSize(
      inputs: observationSize, hidden: configuration.hiddenSizes, activation: configuration.policyActivation,
      outputs: actionSize)
    let chosen = network.with(outputs: 1)
    let critics = [NetworkSize](repeating: network, count: count)
    let target = policy.forward(rows: rows) + Double(count) * network.forward(rows: rows)
    let step =
      Double(count) * (network.forward(rows: rows) + chosen.forward(rows: rows) + chosen.backward(rows: rows))
    return UpdateCost(operations: target + step, learned: critics, following: [policy] + critics)
  }

  // MARK: state

  /// Takes the policy to be evaluated from tensors named `policy.…`.
  public func loadPolicy(
    activation: Activation?, normalization: ObservationNormalization?, from find: (String) throws -> Tensor
  ) throws {
    self.normalization = normalization
    if let activation { configuration.policyActivation = activation }
    policy = try FixedChoices(
      observationSize: observationSize, choices: choices, activation: configuration.policyActivation,
      batchSize: configuration.batchSize, normalizer: normalization?.rowNormalizer(rows: configuration.batchSize),
      from: find)
  }

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code(policy.tensors("policy")) { try loadPolicy(normalization: normalization, from: $0) }
    try coder.code("critic", critics)
    try coder.code("target_critic", targetCritics)
  }

  public func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("critic_optimizer", criticOptimizer)
    try coder.code("updates", &updates)
    try coder.code("acting_stream", &actingStream)
  }
}
