// PlainTD3.swift — an algorithm of one's own: TD3 (Fujimoto 2018, arXiv:1802.09477) as plain as it can be written.
//
// One thread but for the steps, one learning rate, and the paper's constants: the same bits as `td3` with these settings.

import OffPolicy

final class PlainTD3: Algorithm {
  struct Configuration: CollectingConfiguration {
    var discount: Float = 0.99
    var learningRate: Float = 3e-4
    var batchSize = 256
    var hiddenSizes = [256, 256]
    var bufferCapacity = 1_000_000
    var randomSteps = 10_000
    var updateEvery = 1
    var updatesPerStep = 1.0

    static let hyperparameters: [Hyperparameter] = [
      .discount("Fujimoto 2018"), .learningRate("learningRate", "Adam's rate for all networks", "sfujim/TD3"),
      .batchSize("sfujim/TD3"), .hiddenSizes("sfujim/TD3"), .bufferCapacity("Fujimoto 2018"),
      .randomSteps("Fujimoto 2018"), .updateEvery, .updatesPerStep,
    ]
  }

  static let entry = AlgorithmEntry("plain-td3", "TD3 as plain as it can be written", PlainTD3.self)

  private let configuration: Configuration
  private let workers: WorkerPool
  private let policy: DeterministicPolicy
  private let targetPolicy: DeterministicPolicy
  private let actingPolicy: DeterministicPolicy  // the policy's parameters, a row for each lane
  private let critics: Critics
  private let targetCritics: Critics
  private let actingCritics: CriticsOfOne
  private let policyOptimizer: Adam
  private let criticOptimizer: Adam
  private var updates = 0
  private var updateStream: RandomStream
  private var exploration: ExplorationNoiseProcess
  // reused by each update: nothing is allocated there
  private let noise: UpdateNoise
  private let actions: Matrix  // (B × A)
  private let actionGradient: Matrix  // (B × A)
  private let targets: Block  // (B)

  init(
    configuration: Configuration, observationSize s: Int, actionSize a: Int, lanes: Int, seed: UInt64,
    workers: WorkerPool
  ) {
    (self.configuration, self.workers) = (configuration, workers)
    let (rows, hidden) = (configuration.batchSize, configuration.hiddenSizes)
    func makePolicy(isLearned: Bool) -> DeterministicPolicy {
      DeterministicPolicy(observationSize: s, actionSize: a, hiddenSizes: hidden, batchSize: rows, isLearned: isLearned)
    }
    func makeCritics(isLearned: Bool) -> Critics {
      Critics(
        count: 2, observationSize: s, actionSize: a, hiddenSizes: hidden, batchSize: rows, isLearned: isLearned)
    }
    policy = makePolicy(isLearned: true)
    targetPolicy = makePolicy(isLearned: false)
    critics = makeCritics(isLearned: true)
    targetCritics = makeCritics(isLearned: false)
    actingPolicy = DeterministicPolicy(sharing: policy, batchSize: lanes)
    actingCritics = CriticsOfOne(critics, observationSize: s, actionSize: a)
    policyOptimizer = Adam([policy.parameters], AdamSettings(learningRate: configuration.learningRate))
    criticOptimizer = Adam(critics.networks, AdamSettings(learningRate: configuration.learningRate))
    var initialization = RandomStream(seed: seed, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
    critics.initialize(using: &initialization)
    targetPolicy.parameters.copy(policy.parameters)
    targetCritics.copy(critics)
    updateStream = RandomStream(seed: seed, purpose: "update noise")
    exploration = ExplorationNoiseProcess(
      .gaussian(standardDeviation: 0.1), lanes: lanes, actionSize: a,
      stream: RandomStream(seed: seed, purpose: "acting"))
    noise = UpdateNoise(Self.draws(configuration, actionSize: a))
    actions = Matrix(rows: rows, columns: a)
    actionGradient = Matrix(rows: rows, columns: a)
    targets = Block(count: rows)
  }

  func beginEpisode(lane: Int) { exploration.beginEpisode(lane: lane) }

  func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    actingPolicy.evaluate(observations, into: actions, rows: 0..<rows)
    if explore { exploration.add(to: actions) }
  }

  func value(_ observation: Span<Float>, _ action: Span<Float>) -> Double { actingCritics.minimum(observation, action) }

  func setLearningRate(_ rate: Float) { (policyOptimizer.learningRate, criticOptimizer.learningRate) = (rate, rate) }

  func update(_ batch: borrowing Batch) throws -> UpdateMetrics {
    updateStream.fillNormal(noise.next)
    return try update(batch, noise: noise)
  }

  func update(_ batch: borrowing Batch, noise: borrowing UpdateNoise) throws -> UpdateMetrics {
    updates += 1
    let (rows, scale) = (0..<batch.count, 1 / Float(batch.count))
    // a′ = clip(π′(s′) + clip(0.2 ε, −0.5, 0.5), −1, 1)
    targetPolicy.evaluate(batch.nextObservations, into: actions, rows: rows)
    for row in rows {
      for i in 0..<actions.columns {
        let smoothing = (0.2 * noise.next[row * actions.columns + i]).clipped(to: -0.5, 0.5)
        actions[row, i] = (actions[row, i] + smoothing).clipped(to: -1, 1)
      }
    }
    // y = r + γ (1 − d) min_j Q′_j(s′, a′); the batch has γ (1 − d)
    targetCritics.evaluate(batch.nextObservations, actions, rows: rows)
    critics.evaluate(batch.observations, batch.actions, rows: rows)
    var gap = 0.0
    for i in rows {
      targets[i] = batch.rewards[i] + batch.discounts[i] * targetCritics.minimum(at: i)
      gap += Double(abs(critics.value(0, at: i) - critics.value(1, at: i)))
    }
    // J_Q = Σ_j E[(Q_j(s, a) − y)²]
    var metrics = UpdateMetrics(
      criticLoss: critics.mean(.squared, to: targets, weights: batch.weights, rows: batch.count))
    metrics.further[0] = gap / Double(batch.count)
    try checkFinite(metrics.criticLoss, "critic loss", update: updates)
    for j in 0..<critics.count {
      critics.backward(j, .squared, to: targets, weights: batch.weights, scale: scale, rows: rows)
    }
    criticOptimizer.step(atUpdate: updates, by: workers) { j, share in
      critics.weightGradients(j, batch.observations, batch.actions, rows: batch.count, share)
    }
    try checkFinite(criticOptimizer, "critics", update: updates)
    guard updates % 2 == 0 else { return metrics }

    // at every other update J_π = −E[Q_1(s, π(s))], then θ′ ← 0.005 θ + 0.995 θ′
    policy.evaluate(batch.observations, into: actions, rows: rows)
    critics.evaluate(0, batch.observations, actions, rows: rows)
    critics.firstActionGradient(scale: -scale, into: actionGradient, rows: rows)
    policy.backward(actions: actions, actionGradient: actionGradient, rows: rows)
    metrics.policyLoss = -critics.meanMinimum(rows: batch.count, members: 1)
    policyOptimizer.step(atUpdate: updates, by: workers) { _, share in
      policy.weightGradients(batch.observations, rows: batch.count, share)
    }
    try checkFinite(policyOptimizer, "policy", update: updates)
    for j in 0..<critics.count { targetCritics.track(j, critics, rate: 0.005, .whole) }
    targetPolicy.parameters.track(policy.parameters, rate: 0.005, .whole)
    return metrics
  }

  var parameters: [Tensor] {
    policy.parameters.tensors("policy") + critics.tensors("critic")
      + targetPolicy.parameters.tensors("target_policy") + targetCritics.tensors("target_critic")
  }

  func loadParameters(from find: (String) throws -> Tensor) throws {
    try policy.parameters.load("policy", from: find)
    try critics.load("critic", from: find)
    try targetPolicy.parameters.load("target_policy", from: find)
    try targetCritics.load("target_critic", from: find)
  }

  var state: AlgorithmState {
    var state = AlgorithmState()
    state.tensors =
      parameters + policyOptimizer.tensors("policy_optimizer") + criticOptimizer.tensors("critic_optimizer")
    state.tensors.append(exploration.tensor)
    state.counts = [
      "updates": UInt64(updates), "policy_optimizer.steps": UInt64(policyOptimizer.steps),
      "critic_optimizer.steps": UInt64(criticOptimizer.steps), "update_stream": updateStream.position,
      "acting_stream": exploration.stream.position,
    ]
    return state
  }

  func restore(_ state: AlgorithmState) throws {
    let find = state.finder()
    try loadParameters(from: find)
    try policyOptimizer.load("policy_optimizer", steps: state.count("policy_optimizer.steps"), from: find)
    try criticOptimizer.load("critic_optimizer", steps: state.count("critic_optimizer.steps"), from: find)
    updates = try state.count("updates")
    updateStream.position = try state.position("update_stream")
    try exploration.restore(position: state.position("acting_stream"), from: find)
  }
}
