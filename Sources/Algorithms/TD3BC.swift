// TD3BC.swift — TD3 plus behaviour cloning: learning from fixed data.
// Fujimoto and Gu 2021, "A Minimalist Approach to Offline Reinforcement Learning", arXiv:2106.06860. Equation numbers are theirs.
//
//   paper    here            paper   here                                shapes
//   π_φ      policy          γ       configuration.discount              B batch, S observation, A action
//   π_φ′     targetPolicy    τ       configuration.targetTracking
//   Q_θ1,2   critics         d       configuration.policyDelay
//   Q_θ′1,2  targetCritics   σ̃, c    configuration.targetNoise, .targetNoiseClip
//   D        the data, as a ReplayBuffer                       α        configuration.cloningWeight
//
// The critics are TD3's; the policy step is another. States come normalised (sec. 5): the trainer does it to the data once,
// and writes policies that take states as they are.
//
// Read in order: Configuration · init · act · update · assess · state.

import Kernels
import Networks
import Platform
import Replay

/// TD3 plus behaviour cloning (Fujimoto 2021), for fixed data.
public final class TD3BC: Algorithm {
  public struct Configuration: ActorCriticConfiguration {
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
    /// α: weight of the value against the cloning of the data's actions.
    public var cloningWeight: Float = 2.5
    /// ε, added to the standard deviation that states are divided by; null leaves states as they are.
    public var normalization: Float? = 1e-3
    public var nSteps = 1

    // Adam
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    public var dataNormalization: Float? { normalization }

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("Fujimoto 2021, table 3"),
        .targetTracking("Fujimoto 2021, table 3"),
        .batchSize("Fujimoto 2021, table 3"),
        .hiddenSizes("Fujimoto 2021, table 3"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: all papers; layer: DroQ, ReBRAC, RLPD"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "Fujimoto 2021, table 3"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "Fujimoto 2021, table 3"),
        .huberThreshold("the notes (N5); all papers"),
        Hyperparameter(
          "policyDelay", "d", .whole(1, 1_000_000), "critic updates to one update of policy and targets",
          source: "Fujimoto 2021, table 3"),
        Hyperparameter(
          "targetNoise", "σ̃", .real(0, 10), "standard deviation of the noise on target actions",
          source: "Fujimoto 2021, table 3"),
        Hyperparameter(
          "targetNoiseClip", "c", .real(0, 10), "bound of the noise on target actions",
          source: "Fujimoto 2021, table 3"),
        Hyperparameter(
          "cloningWeight", "α", .real(0), "weight of the value against the cloning of the data's actions",
          source: "Fujimoto 2021, table 3"),
        Hyperparameter(
          "normalization", "ε", .real(0, 1, excludingLower: true),
          "added to the deviation that states are divided by; null: states as they are",
          source: "Fujimoto 2021, sec. 5", isOptional: true),
        .nSteps,
      ] + .adam
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

    noise = UpdateNoise(batchSize: batchSize, actionSize: actionSize)
    nextActions = Matrix(rows: batchSize, columns: actionSize)
    currentActions = Matrix(rows: batchSize, columns: actionSize)
    targets = Block(count: batchSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
    actingPolicy = DeterministicPolicy(sharing: policy, batchSize: lanes)
    actingCritics = CriticsOfOne(critics, observationSize: observationSize, actionSize: actionSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) {}

  /// a = π(s). There is no exploration: nothing is collected.
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    actingPolicy.evaluate(observations, into: actions, rows: 0..<rows)
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
    //   a′ = clip(π_φ′(s′) + clip(σ̃ ε, −c, c), −1, 1)                                                (TD3, sec. 5.3)
    policyWorkers.forEachChunk(ofRows: batch.count) { rows in
      targetPolicy.evaluate(batch.nextObservations, into: nextActions, rows: rows)
      smooth(nextActions, noise.next, rows: rows)
    }
    //   y = r + γ (1 − d) min_j Q_θ′j(s′, a′)                                                             (TD3, alg. 1)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      targetCritics.evaluate(j, batch.nextObservations, nextActions, rows: rows)
      critics.evaluate(j, batch.observations, batch.actions, rows: rows)
    }
    for i in 0..<batch.count {
      targets[i] = batch.rewards[i] + batch.discounts[i] * targetCritics.minimum(at: i)
    }

    // critics:  J_Q(θ) = Σ_j E[ ℓ(Q_θj(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q_j = ℓ′(Q_j − y) / B (TD3, alg. 1; N5)
    var metrics = UpdateMetrics(criticLoss: critics.mean(loss, to: targets, weights: batch.weights, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critics.absoluteErrors(to: targets, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    workers.forEachChunk(ofRows: batch.count, of: critics.count) { j, rows in
      critics.backward(j, loss, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }

    // targets, with the policy:  θ′ ← τ θ + (1 − τ) θ′, as soon as θ is known,   φ′ ← τ φ + (1 − τ) φ′ below  (TD3, alg. 1; N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates, delay: configuration.policyDelay)
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    } following: { j, share in
      if let targetRate { targetCritics.track(j, critics, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    try checkFinite(targetCritics, "target critics", update: updates)

    // policy, at every d-th update:  J_π(φ) = E[ −λ Q_θ1(s, π_φ(s)) + |π_φ(s) − a|² / A ],   λ = α / E|Q_θ1(s, π_φ(s))|
    // differs: the square is divided by A, as the authors' code does with mse_loss; eq. 5 has the plain one        (eq. 3, 5)
    if updates % configuration.policyDelay == 0 {
      policyWorkers.forEachChunk(ofRows: batch.count) { rows in
        policy.evaluate(batch.observations, into: currentActions, rows: rows)
        critics.evaluate(0, batch.observations, currentActions, rows: rows)
        critics.firstActionGradient(scale: -scale, into: actionGradient, rows: rows)
      }
      // λ over the whole batch, no gradient
      let valueWeight = configuration.cloningWeight / Float(critics.meanFirstMagnitude(rows: batch.count))
      let cloningScale = 2 * scale / Float(currentActions.columns)
      policyWorkers.forEachChunk(ofRows: batch.count) { rows in
        for row in rows {
          for i in 0..<currentActions.columns {
            let difference = currentActions[row, i] - batch.actions[row, i]
            actionGradient[row, i] = valueWeight * actionGradient[row, i] + cloningScale * difference
          }
        }
        policy.backward(actions: currentActions, actionGradient: actionGradient, rows: rows)
      }
      metrics.policyLoss =
        -Double(valueWeight) * critics.meanMinimum(rows: batch.count, members: 1) + cloningError(batch)
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

  /// mean |π(s) − a|² / A over the batch.
  private func cloningError(_ batch: borrowing Batch) -> Double {
    var sum = 0.0
    for row in 0..<batch.count {
      for i in 0..<currentActions.columns {
        let difference = Double(currentActions[row, i]) - Double(batch.actions[row, i])
        sum += difference * difference
      }
    }
    return sum / Double(batch.count * currentActions.columns)
  }

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
  }
}
