// PlainTD3.swift — an algorithm of one's own: the equations of TD3 (Fujimoto 2018, arXiv:1802.09477), as plain as can be.
//
// One thread but for the steps, one learning rate, and the paper's constants: the same bits as `td3` with these settings.

import OffPolicy

final class PlainTD3: Algorithm {
  let configuration: Configuration
  let workers: WorkerPool
  let policy: DeterministicPolicy
  let targetPolicy: DeterministicPolicy
  let actingPolicy: DeterministicPolicy  // the policy's parameters, a row for each lane
  let critics: Critics
  let targetCritics: Critics
  let actingCritics: CriticsOfOne
  let policyOptimizer: Adam
  let criticOptimizer: Adam
  var updates = 0
  var updateStream: RandomStream
  var exploration: ExplorationNoiseProcess
  // reused by each update: nothing is allocated there
  let noise: UpdateNoise
  let actions: Matrix  // (B × A)
  let actionGradient: Matrix  // (B × A)
  let targets: Block  // (B)

  init(
    configuration: Configuration, observationSize s: Int, actionSize a: Int, lanes: Int, seed: UInt64,
    workers: WorkerPool
  ) {
    (self.configuration, self.workers) = (configuration, workers)
    let (rows, hidden) = (configuration.batchSize, configuration.hiddenSizes)
    policy = DeterministicPolicy(observationSize: s, actionSize: a, hiddenSizes: hidden, batchSize: rows)
    targetPolicy = DeterministicPolicy(following: policy)
    critics = Critics(count: 2, observationSize: s, actionSize: a, hiddenSizes: hidden, batchSize: rows)
    targetCritics = Critics(following: critics)
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
}
