import Foundation
import OffPolicy
import Testing

@Suite struct PolicyTests {
  @Test(arguments: algorithmNames)
  func `a policy taken away acts as the algorithm does without exploration`(algorithm: String) throws {
    let trainer = try makeTrainer(algorithm, steps: 300) {
      Probe(observations: 3, actions: Box(low: [-3, 0], high: [7, 0.5]), observe: { [Float($0.t), -1, 0.5] }) {
        StepOutcome(reward: Double($1[0]), truncated: $0.t == 9)
      }
    }
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    var stream = RandomStream(seed: 3, purpose: "test")
    var actions: Set<[Float]> = []
    for _ in 0..<100 {
      let observation = (0..<3).map { _ in 20 * stream.uniform() - 10 }
      var expected: [Float] = [0, 0]
      var span = expected.mutableSpan
      trainer.algorithm.act(observation.span, explore: false, into: &span)
      trainer.scaling.denormalize(&span)
      var action: [Float] = [0, 0]
      var actionSpan = action.mutableSpan
      policy.act(observation.span, into: &actionSpan)
      #expect(action == expected)
      #expect((-3...7).contains(action[0]) && (0...0.5).contains(action[1]))
      actions.insert(action)
    }
    #expect(actions.count > 50)
  }

  @Test(arguments: algorithmNames)
  func `a policy's action is tanh of its network, scaled to the bounds`(algorithm: String) throws {
    let trainer = try makeTrainer(algorithm, steps: 200) { Probe.offCentre() }
    try trainer.train()
    let folder = try TemporaryFolder()
    try trainer.policyFile().write(to: folder.path("policy"))
    let policy = try PolicyFile.load(folder.path("policy"))
    let network = PlainNetwork("policy", from: trainer.algorithm.parameters)
    for value in [-1, 0, 0.25, 2] as [Float] {
      var action: [Float] = [0]
      var span = action.mutableSpan
      policy.act([value].span, into: &span)
      let expected = -3 + (tanh(network([Double(value)])[0]) + 1) / 2 * 10
      #expect(abs(Double(action[0]) - expected) < 1e-4)
    }
  }

  private func tanh(_ x: Double) -> Double { 1 - 2 / (1 + exp(2 * x)) }
}
