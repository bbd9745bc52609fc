import Kernels
import Networks
import Testing

@Suite struct FixedPolicyTests {
  /// Tensors of a small random policy, squashed Gaussian.
  private static let tensors: [String: Tensor] = {
    var stream = RandomStream(seed: 4, purpose: "policy")
    let policy = FixedPolicy(observationSize: 3, actionSize: 2, hiddenSizes: [8, 8], batchSize: 1, using: &stream)
    return Dictionary(uniqueKeysWithValues: policy.tensors("policy").map { ($0.name, $0) })
  }()

  private static func policy(_ normalizer: RowNormalizer?) throws -> FixedPolicy {
    try FixedPolicy(observationSize: 3, actionSize: 2, batchSize: 5, normalizer: normalizer) {
      // it asks which tensors there are: no issue
      guard let tensor = tensors[$0] else { throw TensorMismatch("there is no \($0)") }
      return tensor
    }
  }

  private static func draws(_ policy: FixedPolicy, _ observations: borrowing Matrix) -> [Float] {
    let noise = Block(count: 10)
    let draw = PolicyDraw(rows: 5, actionSize: 2)
    for i in 0..<10 { noise[i] = Float(i) / 5 - 1 }
    policy.draw(observations, noise: noise, into: draw, rows: 0..<2)
    policy.draw(observations, noise: noise, into: draw, rows: 2..<5)
    return (0..<5).flatMap { [draw.actions[$0, 0], draw.actions[$0, 1], draw.logProbabilities[$0]] }
  }

  @Test func `with a normaliser it draws what it would draw in the normalised states, and leaves the states alone`()
    throws
  {
    let raw = Matrix(rows: 5, columns: 3)
    let normalized = Matrix(rows: 5, columns: 3)
    for row in 0..<5 {
      for i in 0..<3 {
        raw[row, i] = 1000 + Float(row * 3 + i)
        normalized[row, i] = min(2, (raw[row, i] - 1000) / (2 + Float(i)))
      }
    }
    let normalizer = RowNormalizer(size: 3, bound: 2, rows: 5)
    for i in 0..<3 { normalizer.set(i, mean: 1000, scale: 2 + Float(i)) }
    let drawn = Self.draws(try Self.policy(normalizer), raw)
    #expect(drawn == Self.draws(try Self.policy(nil), normalized))
    #expect(drawn != Self.draws(try Self.policy(nil), raw))
    #expect(raw[4, 2] == 1014)
  }
}
