import OffPolicy
import Testing

@testable import Export

@Suite struct ExportedPolicyTests {
  @Test func `layers are named by what they do, whatever kind the policy is`() throws {
    #expect(
      try ExportedPolicy(makePolicy(.squashedGaussian), isStochastic: true).layers.map(\.name)
        == ["hidden_0", "hidden_1", "output", "log_deviation"])
    for kind in [PolicyForm.Kind.squashedGaussian, .deterministic, .choosing] {
      let policy = try ExportedPolicy(makePolicy(kind), isStochastic: false)
      #expect(policy.layers.map(\.name) == ["hidden_0", "hidden_1", "output"])
      #expect(policy.layers.map(\.inputs) == [3, 5, 4])
      #expect(policy.layers.map(\.bias.count) == policy.layers.map(\.outputs))
    }
  }

  @Test func `a transposed weight has a row for each input`() throws {
    let layer = try ExportedPolicy(makePolicy(.deterministic), isStochastic: false).hidden[0]
    for i in 0..<3 { for j in 0..<5 { #expect(layer.transposed[i * 5 + j] == layer.weight[j * 3 + i]) } }
  }

  @Test func `a policy that cannot draw is refused, in one line`() throws {
    for (kind, algorithm) in [(PolicyForm.Kind.deterministic, "td3"), (.choosing, "dqn")] {
      let error = #expect(throws: ExportError.self) { try ExportedPolicy(makePolicy(kind), isStochastic: true) }
      #expect(
        error?.description == "the policy of \(algorithm) is deterministic: there is nothing that it could draw")
    }
    #expect(try ExportedPolicy(makePolicy(.choosing, algorithm: "sac-discrete"), isStochastic: true).noiseSize == 3)
  }
}
