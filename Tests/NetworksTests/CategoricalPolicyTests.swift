import Foundation
import Kernels
import Networks
import Testing

@Suite struct CategoricalPolicyTests {
  private static func make(choices: Int = 3, hidden: [Int] = [16, 33], rows: Int = 8) -> CategoricalPolicy {
    let policy = CategoricalPolicy(observationSize: 4, choices: choices, hiddenSizes: hidden, batchSize: rows)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    return policy
  }

  private static func softmax(_ logits: [Double]) -> [Double] {
    let greatest = logits.max()!
    let weights = logits.map { exp($0 - greatest) }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  /// A policy of one hidden unit that gives the same logits everywhere.
  private static func constant(_ logits: [Float]) throws -> CategoricalPolicy {
    let policy = CategoricalPolicy(observationSize: 1, choices: logits.count, hiddenSizes: [1], batchSize: 1)
    let output = policy.parameters.layout.output
    for (choice, logit) in logits.enumerated() { policy.parameters.values[output.biasIndex(output: choice)] = logit }
    policy.evaluate(Matrix([0], rows: 1, columns: 1), rows: 0..<1)
    return policy
  }

  @Test(arguments: [2, 3, 18])
  func `probabilities are the softmax of the network's outputs`(choices: Int) {
    let policy = Self.make(choices: choices)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    let inputs = numbers(8 * 4, seed: 3)
    policy.evaluate(Matrix(inputs, rows: 8, columns: 4), rows: 0..<8)
    for row in 0..<8 {
      let expected = Self.softmax(reference.forward(inputs.row(row, of: 4)).outputs)
      for choice in 0..<choices {
        #expect(abs(Double(policy.probability(of: choice, at: row)) - expected[choice]) < 1e-6)
        #expect(abs(Double(policy.logProbability(of: choice, at: row)) - log(expected[choice])) < 1e-5)
      }
      #expect(expected[policy.best(at: row)] == expected.max())
    }
  }

  @Test func `logits far apart and far from zero neither overflow nor lose the logarithm`() throws {
    let policy = try Self.constant([10_000, 9_000, -10_000])
    #expect(policy.probability(of: 0, at: 0) == 1 && policy.logProbability(of: 0, at: 0) == 0)
    #expect(policy.probability(of: 1, at: 0) == 0 && policy.logProbability(of: 1, at: 0) == -1000)
    #expect(policy.probability(of: 2, at: 0) == 0 && policy.logProbability(of: 2, at: 0) == -20_000)
    var stream = RandomStream(seed: 1, purpose: "test")
    for _ in 0..<100 { #expect(policy.sample(at: 0, using: &stream) == 0) }
  }

  @Test func `draws have the policy's probabilities`() throws {
    let policy = try Self.constant([0, 0.693_147_18, 1.609_437_9, -40])
    var stream = RandomStream(seed: 4, purpose: "test")
    var counts = [0, 0, 0, 0]
    for _ in 0..<8000 { counts[policy.sample(at: 0, using: &stream)] += 1 }
    for (count, probability) in zip(counts, [0.125, 0.25, 0.625, 0]) {
      #expect(abs(Double(count) - 8000 * probability) <= 4.5 * (8000 * probability * (1 - probability)).squareRoot())
    }
  }

  @Test(arguments: [[5], [16, 33]], [0.0, 0.7])
  func `the gradient of the exact expectation is that of finite differences`(hidden: [Int], temperature: Double) {
    let (rows, choices) = (8, 3)
    let policy = Self.make(hidden: hidden, rows: rows)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    let inputs = inputsOffKinks([reference], rows: rows, size: 4, seed: 5)
    let values = numbers(rows * choices, seed: 6)
    let observations = Matrix(inputs, rows: rows, columns: 4)
    policy.evaluate(observations, rows: 0..<rows)
    let objective = Matrix(rows: rows, columns: choices)
    let expectations = Block(count: rows)
    for row in 0..<rows {
      for choice in 0..<choices {
        objective[row, choice] =
          Float(temperature) * policy.logProbability(of: choice, at: row) - values[row * choices + choice]
        expectations[row] += policy.probability(of: choice, at: row) * objective[row, choice]
      }
    }
    policy.backward(objective: objective, expectations: expectations, scale: 1 / Float(rows), rows: 0..<rows)
    policy.weightGradients(observations, rows: rows, .whole)

    // mean Σ_a π_a (α log π_a − q_a), with α log π_a differentiated too
    let expected = reference.gradient { network in
      var sum = 0.0
      for row in 0..<rows {
        let probabilities = Self.softmax(network.forward(inputs.row(row, of: 4)).outputs)
        for choice in 0..<choices {
          let p = probabilities[choice]
          sum += p * (temperature * log(p) - Double(values[row * choices + choice]))
        }
      }
      return sum / Double(rows)
    }
    let gradients = policy.parameters.tensors("policy", of: policy.parameters.gradients)
    #expect(firstDifference(gradients, expected) == nil)
  }
}
