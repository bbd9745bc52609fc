// FittedQEvaluation.swift — Q^π of any policy π from any data (N2–N6): the critic of SAC and TD3 without their policy step.
// Voloshin et al. 2021, "Empirical Study of Off-Policy Policy Evaluation", arXiv:1911.06854, sec. 3.2, with N4's targets.
//
//   notes    here            notes   here                              shapes
//   π        policy          γ       configuration.discount            B batch, S observation, A action
//   Q_φj     critics         τ       configuration.targetTracking
//   Q̄_j      targetCritics   α       configuration.temperature
//   RB       the data, as a ReplayBuffer
//
// Each critic has its own target, from its own target network: no minimum is taken, for a minimum would answer a lower
// value than was asked for. So the critics are independent estimates of one function, and their spread says something.
//
// Read in order: Configuration · init · act · update · values · state.

import Kernels
import Networks
import Platform
import Replay

/// Learns Q of a given policy from data of any policy: several critics, each with targets of its own.
public final class FittedQEvaluation: PolicyEvaluation {
  public struct Configuration: OptimizerConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the target critics follow the critics; τ.
    public var targetTracking = TargetTracking.soft(rate: 0.005)
    public var batchSize = 256
    /// Units in each hidden layer of each critic; the policy has its own sizes.
    public var hiddenSizes = [256, 256]
    /// The activation of the policy under evaluation; its tensors do not contain it.
    public var policyActivation = Activation.relu
    /// f of the critics' hidden layers.
    public var criticActivation = Activation.relu
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// Critics, each a whole estimate of Q^π.
    public var critics = 4
    /// α: 0 for the plain value (N3), else the value with the entropy backed up (N11, N12).
    public var temperature: Float = 0

    // Adam
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("as SAC and TD3, whose policies it evaluates"),
        .targetTracking("as SAC and TD3; d3rlpy's FQE copies every 100"),
        .batchSize("as SAC and TD3; d3rlpy's FQE has 100"),
        .hiddenSizes("as SAC and TD3"),
        .policyActivation("that of the policy under evaluation"),
        .criticActivation(),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "as SAC and TD3; d3rlpy's FQE has 1e-4"),
        .huberThreshold("the notes (N5); all papers"),
        Hyperparameter(
          "critics", "J", .whole(1, 64), "independent estimates of Q^π, for their spread",
          source: "own choice; d3rlpy's FQE has 1"),
        Hyperparameter(
          "temperature", "α", .real(0), "weight of the entropy in the value; 0 leaves it out",
          source: "N3; N12 where it is not 0"),
      ] + .adam
  }

  private var configuration: Configuration
  private let loss: ValueLoss
  private let workers: WorkerPool
  private let (observationSize, actionSize): (Int, Int)

  private var policy: FixedPolicy
  private var normalization: ObservationNormalization?
  private let critics: Critics
  private let targetCritics: Critics
  private let criticOptimizer: Adam
  private var updates = 0
  /// Whether a stochastic policy is evaluated with drawn actions; else with its mean action.
  public var drawsActions = true

  private var updateStream: RandomStream

  // reused by each update
  private let noise: UpdateNoise
  private let next: PolicyDraw  // a′, log π(a′|s′)
  private let targets: FixedArray<Block>  // J × (B), y_j
  private let observations: Matrix  // (B × S), rows to be valued

  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    self.workers = workers
    (self.observationSize, self.actionSize) = (observationSize, actionSize)
    let (count, batchSize) = (configuration.critics, configuration.batchSize)
    let blocks = [NetworkBlock](configuration.hiddenSizes, activation: configuration.criticActivation)

    critics = Critics(
      count: count, observationSize: observationSize, actionSize: actionSize, blocks: blocks,
      batchSize: batchSize)
    targetCritics = Critics(following: critics)
    criticOptimizer = Adam(critics.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    critics.initialize(using: &initialization)
    targetCritics.copy(critics)
    policy = FixedPolicy(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: configuration.hiddenSizes,
      activation: configuration.policyActivation, batchSize: batchSize, using: &initialization)
    updateStream = RandomStream(seed: seed, purpose: "update noise")

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    next = PolicyDraw(rows: batchSize, actionSize: actionSize)
    targets = FixedArray(count: count) { _ in Block(count: batchSize) }
    observations = Matrix(rows: batchSize, columns: observationSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) {}

  /// The action of the policy under evaluation: a draw, or without exploration a Gaussian's mean action.
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    if explore && drawsActions {
      updateStream.fillNormal(noise.next)
    } else {
      noise.next.fill(0, 0..<(rows * actionSize))
    }
    policy.draw(observations, noise: noise.next, into: next, rows: 0..<rows)
    for row in 0..<rows { next.actions.copyRow(row, to: actions, row: row) }
  }

  public func setLearningRate(_ rate: Float) { criticOptimizer.learningRate = rate }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    // without draws ε stays 0: a′ = tanh μ(s′)
    if drawsActions { updateStream.fillNormal(noise.next) }
    return try update(batch, noise: noise)
  }

  /// One gradient step of every critic from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)

    // s′ from the data, a′ ~ π(·|s′) from the policy under evaluation, whatever policy made the data                   (N6)
    workers.forEachChunk(ofRows: batch.count) { rows in
      policy.draw(batch.nextObservations, noise: noise.next, into: next, rows: rows)
    }
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      // critic targets, no gradient:  y_j = r + γ (1 − d) [ Q̄_j(s′, a′) − α log π(a′|s′) ]                  (N5; N12 if α > 0)
      targetCritics.evaluate(j, batch.nextObservations, next.actions, rows: rows)
      for i in rows {
        let value = targetCritics.value(j, at: i) - configuration.temperature * next.logProbabilities[i]
        targets[j][i] = batch.rewards[i] + batch.discounts[i] * value
      }

      // critics:  L(φ) = Σ_j E[ ℓ(Q_φj(s, a) − y_j) ],  ℓ(e) = e² or Huber's   ⇒   ∂L/∂Q_j = ℓ′(Q_j − y_j) / B             (N5)
      critics.evaluate(j, batch.observations, batch.actions, rows: rows)
      critics.backward(j, loss, to: targets[j], weights: batch.weights, scale: scale, rows: rows)
    }
    var metrics = UpdateMetrics(
      criticLoss: critics.mean(loss, toEach: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean =
      (0..<critics.count).reduce(0) { $0 + mean(targets[$1], count: batch.count) } / Double(critics.count)
    critics.absoluteErrors(toEach: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)

    // targets:  φ̄ ← τ φ + (1 − τ) φ̄,  or  φ̄ ← φ at every n-th update                                                  (N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)
    return metrics
  }

  // MARK: values

  package func actionValues(_ observations: [Float], _ actions: [Float]) -> [[Double]] {  // J × (n)
    var result = [[Double]](repeating: [], count: critics.count)
    forEachChunk(of: observations, into: self.observations) { rows, start in
      for row in 0..<rows {
        next.actions.setRow(
          row, to: actions.span.extracting(((start + row) * actionSize)..<((start + row + 1) * actionSize)))
      }
      addValues(rows: rows, to: &result)
    }
    return result
  }

  /// Q_j(s, a) − α log π(a|s) with one a ~ π(·|s) for each of n observations (n × S); its mean over draws is V_j(s).
  package func drawnValues(_ observations: [Float], using stream: inout RandomStream) -> [[Double]] {  // J × (n)
    var result = [[Double]](repeating: [], count: critics.count)
    forEachChunk(of: observations, into: self.observations) { rows, _ in
      if drawsActions { stream.fillNormal(noise.current) }
      workers.forEachChunk(ofRows: rows) {
        policy.draw(self.observations, noise: noise.current, into: next, rows: $0)
      }
      addValues(rows: rows, minus: configuration.temperature, to: &result)
    }
    return result
  }

  /// V_j(s) as the mean over draws; one draw is exact for a deterministic policy.
  package func stateValues(_ observations: [Float], draws: Int, using stream: inout RandomStream) -> [[Double]] {
    let draws = drawsActions && policy.isStochastic ? draws : 1
    var sums = drawnValues(observations, using: &stream)
    for _ in 1..<max(1, draws) {
      let more = drawnValues(observations, using: &stream)
      for j in sums.indices { for i in sums[j].indices { sums[j][i] += more[j][i] } }
    }
    return sums.map { $0.map { $0 / Double(draws) } }
  }

  private func addValues(rows: Int, minus temperature: Float = 0, to result: inout [[Double]]) {
    workers.forEachChunk(ofRows: rows) { critics.evaluate(observations, next.actions, rows: $0) }
    for j in result.indices {
      for row in 0..<rows {
        let entropy = temperature == 0 ? 0 : temperature * next.logProbabilities[row]
        result[j].append(Double(critics.value(j, at: row) - entropy))
      }
    }
  }

  // MARK: what it declares

  public static func draws(_ configuration: Configuration, actionSize: Int) -> UpdateDraws {
    UpdateDraws(next: [configuration.batchSize, actionSize])
  }

  /// The policy before a given one is loaded, which has sizes of its own.
  public static func policy(_ configuration: Configuration) -> PolicyForm {
    PolicyForm(
      .squashedGaussian, hiddenSizes: configuration.hiddenSizes, activation: configuration.policyActivation)
  }

  public static let metrics: [Metric] = [.criticLoss, .targetMean]

  /// F and G are a network's pass forward and back to its first layer, π the policy, Q one of J critics: target F_π + J F_Q;
  /// critics J (2 F_Q + G_Q). The policy is not learned.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let (rows, count) = (configuration.batchSize, configuration.critics)
    let policy = NetworkSize(
      inputs: observationSize, hidden: configuration.hiddenSizes, activation: configuration.policyActivation,
      outputs: 2 * actionSize)
    let critic = NetworkSize(
      inputs: observationSize + actionSize, hidden: configuration.hiddenSizes,
      activation: configuration.criticActivation, outputs: 1)
    let critics = [NetworkSize](repeating: critic, count: count)
    let target = policy.forward(rows: rows) + Double(count) * critic.forward(rows: rows)
    let step = Double(count) * (2 * critic.forward(rows: rows) + critic.backward(rows: rows))
    return UpdateCost(operations: target + step, learned: critics, following: [policy] + critics)
  }

  // MARK: state

  /// Takes the policy to be evaluated from tensors named `policy.…`.
  public func loadPolicy(
    activation: Activation?, normalization: ObservationNormalization?, from find: (String) throws -> Tensor
  ) throws {
    self.normalization = normalization
    if let activation { configuration.policyActivation = activation }
    policy = try FixedPolicy(
      observationSize: observationSize, actionSize: actionSize, activation: configuration.policyActivation,
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
    try coder.code("update_stream", &updateStream)
  }
}
