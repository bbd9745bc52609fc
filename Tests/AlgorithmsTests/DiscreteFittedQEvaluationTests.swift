import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@testable import Algorithms

@Suite struct DiscreteFittedQEvaluationTests {
  static let (states, choices, discount) = (4, 3, 0.8)

  /// A random table: probabilities of next states, rewards, and a policy's probabilities.
  struct Table {
    var next: [[[Double]]] = []  // (S × A × S)
    var rewards: [[Double]] = []  // (S × A)
    var policy: [[Double]] = []  // (S × A)
    /// The logits that the policy is the softmax of.
    var logits: [[Float]] = []  // (S × A)

    init(seed: UInt64) {
      var stream = RandomStream(seed: seed, purpose: "table")
      let (states, choices) = (DiscreteFittedQEvaluationTests.states, DiscreteFittedQEvaluationTests.choices)
      for _ in 0..<states {
        let rows = (0..<choices).map { _ in (0..<states).map { _ in Double(stream.uniform()) + 0.05 } }
        next.append(rows.map { row in row.map { $0 / row.reduce(0, +) } })
        rewards.append((0..<choices).map { _ in 2 * Double(stream.uniform()) - 1 })
        let weights = (0..<choices).map { _ in [1, 2, 4, 8][Int(4 * stream.uniform())] as Double }
        policy.append(weights.map { $0 / weights.reduce(0, +) })
        // powers of two: k ln 2
        logits.append(weights.map { Float($0.exponent) * 0.693_147_2 })
      }
    }

    /// Q^π by iterating Q ← r + γ P (π Q − α π log π), of the policy drawn or greedy.
    func values(drawn: Bool, temperature: Double = 0) -> [[Double]] {
      var q = rewards
      for _ in 0..<400 {
        let v = (0..<q.count).map { s -> Double in
          if !drawn { return q[s][greedy(s)] }
          return (0..<q[s].count).reduce(0) { sum, a in
            sum + policy[s][a] * (q[s][a] - temperature * log(policy[s][a]))
          }
        }
        for s in q.indices {
          for a in q[s].indices {
            q[s][a] = rewards[s][a] + discount * zip(next[s][a], v).reduce(0) { $0 + $1.0 * $1.1 }
          }
        }
      }
      return q
    }

    func greedy(_ s: Int) -> Int { policy[s].indices.max { policy[s][$0] < policy[s][$1] } ?? 0 }
  }

  /// A learner of the table's policy: four inputs, one for each state.
  static func learner(_ table: Table, drawn: Bool, temperature: Float = 0) throws -> DiscreteFittedQEvaluation {
    var configuration = try FittedQEvaluation.Configuration().setting([
      "discount=\(discount)", "hiddenSizes=32", "batchSize=128", "criticLearningRate=0.003", "critics=2",
      "targetTracking.soft.rate=0.02", "learningRateSchedule.linear.final=0.02",
      "learningRateSchedule.linear.updates=3000",
    ])
    configuration.temperature = temperature
    let learner = DiscreteFittedQEvaluation(
      configuration: configuration, observationSize: states, actionSize: choices, seed: 2,
      workers: WorkerPool(count: 1))
    learner.drawsActions = drawn
    let identity = (0..<states).flatMap { row in (0..<states).map { $0 == row ? 1 : 0 as Float } }
    let transposed = (0..<choices).flatMap { a in (0..<states).map { table.logits[$0][a] } }
    let tensors = [
      Tensor(name: "policy.layer.0.weight", shape: [states, states], values: identity),
      Tensor(name: "policy.layer.0.bias", shape: [states], values: [Float](repeating: 0, count: states)),
      Tensor(name: "policy.layer.1.weight", shape: [choices, states], values: transposed),
      Tensor(name: "policy.layer.1.bias", shape: [choices], values: [Float](repeating: 0, count: choices)),
    ]
    try learner.loadPolicy(normalization: nil) { name in
      guard let tensor = tensors.first(where: { $0.name == name }) else { throw MissingState(name: name) }
      return tensor
    }
    return learner
  }

  static func oneHot(_ state: Int) -> [Float] { (0..<states).map { $0 == state ? 1 : 0 } }

  @Test(arguments: [(true, 0), (false, 0), (true, 0.5)] as [(Bool, Double)])
  func `values of a policy come near those of its table, from data of uniform actions`(
    drawn: Bool, temperature: Double
  ) throws {
    let table = Table(seed: 5)
    let learner = try Self.learner(table, drawn: drawn, temperature: Float(temperature))
    let batch = Batch(count: 128, observationSize: Self.states, actionSize: 1)
    var stream = RandomStream(seed: 7, purpose: "data")
    for _ in 0..<3000 {
      for row in 0..<128 {
        let (s, a) = (stream.index(below: Self.states), stream.index(below: Self.choices))
        var draw = Double(stream.uniform())
        let next = table.next[s][a].firstIndex { probability in
          draw -= probability
          return draw < 0
        }
        batch.observations.setRow(row, to: Self.oneHot(s).span)
        batch.nextObservations.setRow(row, to: Self.oneHot(next ?? Self.states - 1).span)
        (batch.actions[row, 0], batch.rewards[row]) = (Float(a), Float(table.rewards[s][a]))
        batch.terminated[row] = 0
      }
      batch.setDiscounts(Float(Self.discount))
      _ = try learner.update(batch)
    }
    let expected = table.values(drawn: drawn, temperature: temperature)
    let pairs = (0..<Self.states).flatMap { s in (0..<Self.choices).map { (s, $0) } }
    let q = learner.actionValues(pairs.flatMap { Self.oneHot($0.0) }, pairs.map { Float($0.1) })
    for j in 0..<2 {
      for (i, (s, a)) in pairs.enumerated() {
        #expect(abs(q[j][i] - expected[s][a]) < 0.06, "Q_\(j)(\(s), \(a)) is \(q[j][i]), not \(expected[s][a])")
      }
    }
    // a state's value is the sum over actions, to rounding
    let v = learner.stateValues((0..<Self.states).flatMap(Self.oneHot), draws: 1, using: &stream)
    for s in 0..<Self.states {
      let own = (0..<Self.choices).map { q[0][s * Self.choices + $0] }
      let sum =
        drawn
        ? (0..<Self.choices).reduce(0.0) { sum, a in
          sum + table.policy[s][a] * (own[a] - temperature * log(table.policy[s][a]))
        } : own[table.greedy(s)]
      #expect(abs(v[0][s] - sum) < 1e-5)
    }
  }

  @Test func `the policy is never changed, the critics are`() throws {
    let learner = try Self.learner(Table(seed: 1), drawn: true)
    let before = learner.parameters
    let batch = exampleBatch(128, observationSize: Self.states, choices: Self.choices)
    for _ in 0..<3 { _ = try learner.update(batch) }
    let after = Dictionary(uniqueKeysWithValues: learner.parameters.map { ($0.name, $0) })
    for tensor in before {
      #expect((after[tensor.name] == tensor) == tensor.name.hasPrefix("policy."), "\(tensor.name)")
    }
  }
}
