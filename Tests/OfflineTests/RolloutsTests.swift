import OffPolicy
import Testing

@testable import Offline

@Suite struct RolloutsTests {
  @Test func `a return is Σ γᵗ r, and with a temperature Σ γᵗ (r − α log π)`() {
    let rollout = PolicyRollout(
      observations: [0, 0, 0], actions: [0, 0, 0], rewards: [1, 2, -3], logProbabilities: [-1, 0.5, 2])
    // 1 + 2/2 − 3/4
    #expect(abs(rollout.discountedReturn(0.5) - 1.25) < 1e-12)
    // (1 + 0.1) + (2 − 0.05) / 2 + (−3 − 0.2) / 4
    #expect(abs(rollout.discountedReturn(0.5, temperature: 0.1) - 1.275) < 1e-12)
  }

  @Test func `two policies are run from the same starts, each until γᵗ is nothing`() throws {
    let linear = LinearTask()
    let runner = PolicyRunner(
      makeEnvironment: { linear.environment() }, task: "Linear-v0", discount: LinearTask.discount, episodes: 5, seed: 3)
    let one = try runner.run(linear.policy(gain: 0), drawsActions: false, purpose: "one")
    let other = try runner.run(linear.policy(gain: 0.9), drawsActions: false, purpose: "other")
    #expect(one.map { $0.observations[0] } == other.map { $0.observations[0] })
    // 0.9⁸⁷ = 1.05e-4, 0.9⁸⁸ = 0.94e-4
    #expect(one.map(\.count) == [88, 88, 88, 88, 88])
  }
}
