import Environments
import Kernels
import Platform
import Testing

@testable import Replay

@Suite struct SamplerTests {
  @Test func `the uniform sampler draws what the buffer itself draws, from as many numbers of the stream`() throws {
    for lanes in [1, 3] {
      var buffer = try ReplayBuffer(capacity: 90, observationSize: 2, actionSize: 1, lanes: lanes)
      var episodes = LaneEpisodes(lanes: lanes, seed: 6)
      let sampler = try SamplerConfiguration.uniform.makeSampler(for: buffer, goals: nil, discount: 0.9, batchSize: 32)
      let first = Batch(count: 32, observationSize: 2, actionSize: 1)
      let second = Batch(count: 32, observationSize: 2, actionSize: 1)
      var (stream, other) = (RandomStream(seed: 1, purpose: "sampling"), RandomStream(seed: 1, purpose: "sampling"))
      let workers = WorkerPool(count: 1)
      for _ in 0..<50 {
        episodes.steps(9, &buffer)
        sampler.draw(first, from: buffer, using: &stream)
        buffer.gather(first, returns: NStepReturn(discount: 0.9), workers: workers)
        try sampler.relabel(first, from: buffer, using: &stream)
        sampler.learned(from: first)
        buffer.sample(into: second, returns: NStepReturn(discount: 0.9), using: &other, workers: workers)
        #expect((0..<32).allSatisfy { first.slots[$0] == second.slots[$0] })
        #expect(
          first.rewards.values == second.rewards.values && first.weights.values == [Float](repeating: 1, count: 32))
        #expect(stream == other)
      }
      #expect(sampler.state.isEmpty)
      try sampler.restore(SamplerState())
      #expect(throws: SamplerError.self) { try sampler.restore(SamplerState(arrays: ["weights": [1]])) }
    }
  }

  @Test func `a configuration makes its sampler`() throws {
    let layout = PointReach().goalLayout
    let buffer = try ReplayBuffer(capacity: 9, observationSize: layout.count, actionSize: 4)
    func make(_ configuration: SamplerConfiguration) throws -> any Sampler {
      try configuration.makeSampler(for: buffer, goals: PointReach(), discount: 0.9, batchSize: 4)
    }
    #expect(try make(.uniform) is UniformSampler)
    #expect(try make(.hindsight(goals: 4)) is HindsightSampler)
    #expect(
      try make(.prioritised(alpha: 0.6, beta: 0.4, betaSteps: 9, epsilon: 1e-6)) is PrioritisedSampler)
    #expect(throws: SamplerError.self) {
      try SamplerConfiguration.hindsight(goals: 4).makeSampler(for: buffer, goals: nil, discount: 0.9, batchSize: 4)
    }
  }

  static let prioritised = SamplerConfiguration.prioritised(alpha: 0.6, beta: 0.4, betaSteps: 9, epsilon: 1e-6)

  @Test func `what cannot work is refused in one line that says why`() {
    func refusal(
      _ sampler: SamplerConfiguration, goals: GoalLayout? = nil, nSteps: Int = 1, capacity: Int = 1000, lanes: Int = 1
    ) -> String? {
      do {
        try sampler.check(
          environment: "Pendulum-v1", goals: goals, nSteps: nSteps, batchSize: 64, bufferCapacity: capacity,
          lanes: lanes)
        return nil
      } catch { return error.description }
    }
    let goals = GoalLayout(observationSize: 1, goalSize: 1)
    #expect(refusal(.uniform, nSteps: 32) == nil && refusal(Self.prioritised, nSteps: 5) == nil)
    #expect(refusal(.hindsight(goals: 4), goals: goals) == nil)
    // drawn with replacement, as ever
    #expect(refusal(.uniform, capacity: 10) == nil)
    #expect(
      refusal(.hindsight(goals: 4))
        == "Pendulum-v1 has no goals; hindsight needs an environment with achieved and desired goals, such as PointReach-v0"
    )
    #expect(
      refusal(.hindsight(goals: 4), goals: goals, nSteps: 3)
        == "hindsight cannot use returns of 3 steps: their rewards are those of the old goal; use nSteps = 1")
    for sampler in [SamplerConfiguration.hindsightFinal(goals: 4), .hindsightEpisode(goals: 4)] {
      #expect(refusal(sampler, goals: goals) == nil && refusal(sampler) == refusal(.hindsight(goals: 4)))
    }
    #expect(
      refusal(Self.prioritised, capacity: 63)
        == "a replay buffer of 63 transitions is smaller than a batch of 64; "
        + "use a larger bufferCapacity or a smaller batchSize")
    // rows are drawn with replacement
    #expect(refusal(.hindsight(goals: 4), goals: goals, capacity: 63) == nil)
    #expect(
      refusal(.uniform, nSteps: 5, capacity: 4)
        == "a replay buffer of 4 transitions cannot hold a return of 5 steps; "
        + "use a larger bufferCapacity or a smaller nSteps"
    )
    #expect(
      refusal(.uniform, nSteps: 5, capacity: 64, lanes: 16)
        == "a replay buffer of 64 transitions for 16 environments cannot hold a return of 5 steps; "
        + "use a larger bufferCapacity or a smaller nSteps")
  }

  @Test func `fixed data are drawn uniformly only`() throws {
    try SamplerConfiguration.uniform.checkFixedData()
    #expect(throws: SamplerError.prioritisedFixedData) { try Self.prioritised.checkFixedData() }
    #expect(throws: SamplerError.hindsightFixedData) { try SamplerConfiguration.hindsight(goals: 1).checkFixedData() }
    for error in [SamplerError.prioritisedFixedData, .hindsightFixedData, .foreignState("x"), .recomputedReward(.nan)] {
      #expect(!error.description.contains("--") && !error.description.contains("\n"))
    }
  }
}
