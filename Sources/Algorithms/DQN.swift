// DQN.swift — Deep Q-Network: value-based learning with the max target (N4, N5), for discrete actions.
// Mnih et al. 2015, "Human-level control through deep reinforcement learning", doi:10.1038/nature14236, alg. 1.
// Double DQN: van Hasselt et al. 2016, "Deep Reinforcement Learning with Double Q-learning", arXiv:1509.06461, eq. 4.
//
//   paper    here            paper   here                              shapes
//   Q(·;θ)   critic          γ       configuration.discount            B batch, S observation, A choices
//   Q̂(·;θ⁻)  targetCritic    C       configuration.targetTracking
//   D        the trainer's ReplayBuffer      ε   configuration.initialEpsilon, .finalEpsilon, .epsilonSteps
//
// Read in order: Configuration · init · act · update · state.

import Kernels
import Networks
import Platform
import Replay

/// Deep Q-network (Mnih 2015) with Double DQN (van Hasselt 2016), for discrete actions.
public final class DQN: Algorithm {
  public static let actions = ActionKind.discrete

  public struct Configuration: OptimizerConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    // differs: soft by default; the paper copies, every 10,000 steps. See Guides/DQN.md
    /// How the target critic follows the critic.
    public var targetTracking = TargetTracking.soft(rate: 0.01)
    public var batchSize = 256
    /// Units in each hidden layer.
    public var hiddenSizes = [120, 84]
    /// f of the network's hidden layers.
    public var criticActivation = Activation.relu
    /// Adam's rate η for the critic.
    public var criticLearningRate: Float = 1e-3
    /// The action of the target is the critic's best (Double DQN), not the target critic's.
    public var doubleQ = true
    // differs: squared error by default (N5); the paper clips the error to ±1, which is Huber's loss with δ = 1
    /// δ of Huber's loss; null means the squared error.
    public var huberThreshold: Float? = nil
    /// ε of the first action that is not of the random first steps.
    public var initialEpsilon: Float = 1
    /// ε from the end of its schedule on.
    public var finalEpsilon: Float = 0.05
    /// Actions over which ε falls linearly.
    public var epsilonSteps = 10_000
    public var bufferCapacity = 100_000
    public var randomSteps = 1_000
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
        .discount("Mnih 2015, extended data table 1"),
        .targetTracking("Guides/DQN.md; Mnih 2015 copied every 10,000 steps"),
        .batchSize("as SAC; Mnih 2015 had 32"),
        .hiddenSizes("CleanRL's dqn.py; Mnih 2015 had convolutions and 512"),
        .criticActivation(),
        .learningRate("criticLearningRate", "Adam's rate for the critic", "Guides/DQN.md; CleanRL's dqn.py has 2.5e-4"),
        Hyperparameter(
          "doubleQ", "", .boolean, "the critic chooses the target's action (Double DQN), not the target critic",
          source: "van Hasselt 2016"),
        .huberThreshold("the notes (N5) and CleanRL's dqn.py; Mnih 2015 had 1"),
        Hyperparameter(
          "initialEpsilon", "ε₀", .real(0, 1), "share of random actions at the start", source: "Mnih 2015"),
        Hyperparameter(
          "finalEpsilon", "ε₁", .real(0, 1), "share of random actions at the schedule's end",
          source: "CleanRL's dqn.py; Mnih 2015 had 0.1"),
        Hyperparameter(
          "epsilonSteps", "", .whole(0), "actions over which ε falls linearly, after the random first steps",
          source: "Guides/DQN.md; Mnih 2015 had 1,000,000 frames"),
        .bufferCapacity("RL Baselines3 Zoo, CartPole-v1; Mnih 2015 had 1,000,000"),
        .randomSteps("RL Baselines3 Zoo, MountainCar-v0; Mnih 2015 had 50,000"),
      ] + .collecting + .adam
  }

  private let configuration: Configuration
  private let loss: ValueLoss
  private let workers: WorkerPool

  private let critic: ActionValues
  private let targetCritic: ActionValues
  private let criticOptimizer: Adam
  private var updates = 0
  private var exploration: EpsilonGreedy

  // reused by each update
  private let noise: UpdateNoise  // empty: nothing is drawn
  private let targets: Block  // (B)

  // the lanes' observations
  private let actingCritic: ActionValues  // the same parameters
  private let criticOfOne: ChoicesOfOne

  /// - Parameter actionSize: A, the number of choices.
  public init(
    configuration: Configuration, observationSize: Int, actionSize: Int, lanes: Int, seed: UInt64, workers: WorkerPool
  ) {
    self.configuration = configuration
    loss = configuration.valueLoss
    let (batchSize, hiddenSizes) = (configuration.batchSize, configuration.hiddenSizes)

    critic = ActionValues(
      count: 1, observationSize: observationSize, choices: actionSize, hiddenSizes: hiddenSizes,
      activation: configuration.criticActivation, batchSize: batchSize)
    targetCritic = ActionValues(following: critic)
    self.workers = workers.forPhases(rows: batchSize, weights: critic.networks[0].values.count)
    // differs: Adam, as everybody since; the paper has RMSProp. No gradient is clipped unless it is set, where SB3 keeps its norm within 10
    criticOptimizer = Adam(critic.networks, configuration.adam(learningRate: configuration.criticLearningRate))

    var initialization = RandomStream(seed: seed, purpose: "initialization")
    critic.initialize(using: &initialization)
    targetCritic.copy(critic)
    // differs: ε's steps are counted from the end of the random first steps; elsewhere from the run's first step
    exploration = EpsilonGreedy(
      start: configuration.initialEpsilon, end: configuration.finalEpsilon, length: configuration.epsilonSteps,
      choices: actionSize, stream: RandomStream(seed: seed, purpose: "acting"))

    noise = UpdateNoise(batchSize: 0, actionSize: 0)
    targets = Block(count: batchSize)
    actingCritic = ActionValues(sharing: critic, batchSize: lanes)
    criticOfOne = ChoicesOfOne(critic, observationSize: observationSize)
  }

  // MARK: act

  public func beginEpisode(lane: Int) {}

  /// a = argmax_a Q(s, a); with exploration a random action in its place with probability ε.
  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    // −1 until the critic has been asked
    var isAsked = false
    for row in 0..<rows {
      let drawn = explore ? exploration.draw() : nil
      actions[row, 0] = Float(drawn ?? -1)
      if drawn == nil { isAsked = true }
    }
    guard isAsked else { return }
    actingCritic.evaluate(0, observations, rows: 0..<rows)
    for row in 0..<rows where actions[row, 0] < 0 { actions[row, 0] = Float(actingCritic.best(at: row)) }
  }

  public func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix
  ) {
    act(observations, rows: rows, explore: false, into: actions)
    for row in 0..<rows where stream.uniform() < exploration.epsilon {
      actions[row, 0] = Float(stream.index(below: exploration.choices))
    }
  }

  public var randomShare: Float? {
    get { exploration.epsilon }
    set { exploration.fixed = newValue }
  }

  public func setLearningRate(_ rate: Float) { criticOptimizer.learningRate = rate }

  // MARK: update

  public func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    try update(batch, noise: noise)
  }

  /// One gradient step from a batch (s, a, r, s′, d) of B transitions.
  public func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let scale = 1 / Float(batch.count)

    workers.forEachChunk(ofRows: batch.count) { rows in
      // target, no gradient
      //   y = r + γ (1 − d) max_a′ Q̂(s′, a′)                                                                (alg. 1, N5)
      //   y = r + γ (1 − d) Q̂(s′, argmax_a′ Q(s′, a′))                                       (Double DQN: its eq. 4)
      targetCritic.evaluate(0, batch.nextObservations, rows: rows)
      if configuration.doubleQ { critic.evaluate(0, batch.nextObservations, rows: rows) }
      for i in rows {
        let best = configuration.doubleQ ? critic.best(at: i) : targetCritic.best(at: i)
        let nextValue = targetCritic.value(0, of: best, at: i)
        targets[i] = batch.rewards[i] + batch.discounts[i] * nextValue
      }

      // critic:  J_Q(θ) = E[ ℓ(Q(s, a) − y) ],  ℓ(e) = e² or Huber's   ⇒   ∂J_Q/∂Q(s, a) = ℓ′(Q(s, a) − y) / B     (N5)
      critic.evaluate(0, batch.observations, rows: rows)
      critic.backward(0, loss, to: targets, weights: batch.weights, actions: batch.actions, scale: scale, rows: rows)
    }
    var metrics = UpdateMetrics(
      criticLoss: critic.mean(loss, to: targets, weights: batch.weights, actions: batch.actions, rows: batch.count))
    metrics.targetMean = mean(targets, count: batch.count)
    critic.absoluteErrors(to: targets, actions: batch.actions, into: batch.errors, rows: batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)

    // target critic:  θ⁻ ← τ θ + (1 − τ) θ⁻, or θ⁻ ← θ at every n-th update                                    (N4)
    let targetRate = configuration.targetTracking.rate(atUpdate: updates)
    criticOptimizer.step(atUpdate: updates, by: workers) { _, share in
      critic.weightGradients(0, batch.observations, rows: batch.count, share)
    } following: { _, share in
      if let targetRate { targetCritic.track(0, critic, rate: targetRate, share) }
    }
    try checkFinite(criticOptimizer, "critic", update: updates)
    try checkFinite(targetCritic, "target critic", update: updates)
    return metrics
  }

  // MARK: assess

  public func assess(_ batch: borrowing Batch) -> Assessment {
    critic.evaluate(0, batch.observations, rows: 0..<batch.count)
    var assessment = Assessment()
    assessment.add(critic, rows: batch.count) { critic.best(at: $0) }
    return assessment
  }

  public func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double {
    criticOfOne.minimum(observation, of: Int(action[0]))
  }

  // MARK: what it declares

  public static func policy(_ configuration: Configuration) -> PolicyForm {
    PolicyForm(.choosing, hiddenSizes: configuration.hiddenSizes, activation: configuration.criticActivation)
  }

  /// One output for each choice.
  public static func choicesTensor(_ configuration: Configuration) -> String? {
    "critic.0.layer.\(configuration.hiddenSizes.count).bias"
  }

  public static let metrics: [Metric] = [.criticLoss, .targetMean]

  /// F is the critic's pass forward to all choices; an error goes back through one of them, F₁ and G₁: target F, with Double DQN
  /// 2 F; critic F + F₁ + G₁.
  public static func cost(_ configuration: Configuration, observationSize: Int, actionSize: Int) -> UpdateCost {
    let rows = configuration.batchSize
    let critic = NetworkSize(
      inputs: observationSize, hidden: configuration.hiddenSizes, activation: configuration.criticActivation,
      outputs: actionSize)
    let chosen = critic.with(outputs: 1)
    let forward = critic.forward(rows: rows)
    let step = forward + chosen.forward(rows: rows) + chosen.backward(rows: rows)
    return UpdateCost(
      operations: (configuration.doubleQ ? 2 : 1) * forward + step, learned: [critic], following: [critic])
  }

  // MARK: state

  /// The critic: its greatest output is the action.
  public var policyTensors: [Tensor] { critic.networks[0].tensors("policy") }

  public func codeParameters(_ coder: inout StateCoder) throws {
    try coder.code("critic", critic)
    try coder.code("target_critic", targetCritic)
  }

  public func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("critic_optimizer", criticOptimizer)
    try coder.code("updates", &updates)
    try exploration.codeProgress(&coder)
  }
}
