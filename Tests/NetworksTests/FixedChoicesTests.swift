import Foundation
import Kernels
import Testing

@testable import Networks

@Suite struct FixedChoicesTests {
  /// Three choices with the logits log p for every state.
  static func policy(_ probabilities: [Float], normalizer: RowNormalizer? = nil) throws -> FixedChoices {
    let tensors = [
      Tensor(name: "policy.layer.0.weight", shape: [2, 1], values: [1, -1]),
      Tensor(name: "policy.layer.0.bias", shape: [2], values: [0, 0]),
      Tensor(name: "policy.layer.1.weight", shape: [3, 2], values: [1, 0, 0, 0, 0, 0]),
      Tensor(name: "policy.layer.1.bias", shape: [3], values: probabilities.map { Float(log(Double($0))) }),
    ]
    return try FixedChoices(observationSize: 1, choices: 3, batchSize: 4, normalizer: normalizer) { name in
      guard let tensor = tensors.first(where: { $0.name == name }) else { throw TensorMismatch("there is no \(name)") }
      return tensor
    }
  }

  @Test func `drawn, the outputs are logits; else the greatest is taken`() throws {
    let policy = try Self.policy([0.2, 0.5, 0.3])
    let observations = Matrix(rows: 4, columns: 1)
    policy.evaluate(observations, rows: 0..<4)
    for (choice, expected) in ([0.2, 0.5, 0.3] as [Float]).enumerated() {
      #expect(abs(policy.probability(of: choice, at: 2, drawn: true) - expected) < 1e-6)
      #expect(policy.probability(of: choice, at: 2, drawn: false) == (choice == 1 ? 1 : 0))
    }
    #expect(abs(Double(policy.logProbability(of: 0, at: 1, drawn: true)) - log(0.2)) < 1e-6)
    #expect(policy.logProbability(of: 1, at: 1, drawn: false) == 0)
  }

  @Test func `normal numbers draw choices as often as their probabilities say, and 0 gives the likeliest`() throws {
    let policy = try Self.policy([0.2, 0.5, 0.3])
    let observations = Matrix(rows: 4, columns: 1)
    policy.evaluate(observations, rows: 0..<4)
    #expect(policy.choice(at: 0, noise: 0) == 1)
    // Φ(−0.8416) = 0.2 and Φ(0.5244) = 0.7
    let drawn = ([-9, -0.85, -0.83, 0, 0.52, 0.53, 9] as [Float]).map { policy.choice(at: 0, noise: $0) }
    #expect(drawn == [0, 0, 1, 1, 1, 2, 2])
    var counts = [0, 0, 0]
    var stream = RandomStream(seed: 3, purpose: "test")
    let noise = Block(count: 30_000)
    stream.fillNormal(noise)
    for i in 0..<noise.count { counts[policy.choice(at: 0, noise: noise[i])] += 1 }
    // three standard deviations of 30,000 draws are below 0.009
    for (count, expected) in zip(counts, [0.2, 0.5, 0.3]) { #expect(abs(Double(count) / 30_000 - expected) < 0.01) }
  }

  @Test func `observations are normalised before the network sees them, and left alone`() throws {
    let normalizer = RowNormalizer(size: 1, bound: 5, rows: 4)
    normalizer.set(0, mean: 10, scale: 2)
    let plain = try Self.policy([0.2, 0.5, 0.3])
    let normalizing = try Self.policy([0.2, 0.5, 0.3], normalizer: normalizer)
    let raw = Matrix(rows: 4, columns: 1)
    let normalized = Matrix(rows: 4, columns: 1)
    for row in 0..<4 {
      raw[row, 0] = Float(10 + 2 * row)
      normalized[row, 0] = Float(row)
    }
    normalizing.evaluate(raw, rows: 0..<4)
    plain.evaluate(normalized, rows: 0..<4)
    for row in 0..<4 {
      #expect(
        normalizing.probability(of: 0, at: row, drawn: true) == plain.probability(of: 0, at: row, drawn: true))
    }
    let last = raw[3, 0]
    #expect(plain.probability(of: 0, at: 3, drawn: true) > 0.8 && last == 16)
  }

  @Test func `one tensor of several is missing and named`() {
    let error = #expect(throws: TensorMismatch.self) {
      try FixedChoices(observationSize: 1, choices: 3, batchSize: 4) { name in
        guard name == "policy.layer.0.weight" else { throw TensorMismatch("there is no \(name)") }
        return Tensor(name: name, shape: [2, 1], values: [1, -1])
      }
    }
    #expect(error?.description.contains("policy.layer.") == true)
  }
}
