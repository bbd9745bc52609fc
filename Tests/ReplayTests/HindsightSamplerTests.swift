import Environments
import Kernels
import Platform
import Testing

@testable import Replay

/// Goals that tell everything: one number each. The reward is a function of both, and a goal that is met ends the task.
private final class NumberedGoals: GoalEnvironment {
  let goalLayout = GoalLayout(observationSize: 1, goalSize: 1)
  let observationSpace = Box(low: -.infinity, high: .infinity, count: 3)
  let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))
  var calls: [String] = []
  var reward: (Float, Float) -> Float = { 3 * $0 - $1 }

  func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) {
    calls.append("\(achieved.count) \(desired.count) \(rewards.count) \(terminated.count)")
    for row in 0..<rewards.count {
      rewards[row] = reward(achieved[row], desired[row])
      terminated[row] = achieved[row] == desired[row]
    }
  }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) {}
  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome { StepOutcome(reward: 0) }
  func saveState() -> EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
  func restore(_ state: EnvironmentState) {}
}

@Suite struct HindsightSamplerTests {
  static let discount: Float = 0.95
  static let goals = 4

  /// What a batch of hindsight rows was drawn from, and what each row was given.
  private struct Relabelled {
    var place: LaneEpisodes.Place
    /// The step whose achieved goal the row was given; nil where it kept its own.
    var step: Int?
  }

  /// Draws, gathers and relabels a batch, and holds every row against the lists of episodes.
  private static func relabelled(
    _ sampler: HindsightSampler, _ buffer: borrowing ReplayBuffer, _ episodes: LaneEpisodes, rows: Int,
    _ stream: inout RandomStream, _ strategy: HindsightStrategy = .future
  ) throws -> [Relabelled] {
    let batch = Batch(count: rows, observationSize: 3, actionSize: 1)
    sampler.draw(batch, from: buffer, using: &stream)
    buffer.gather(batch, returns: NStepReturn(discount: discount), workers: WorkerPool(count: 1))
    try sampler.relabel(batch, from: buffer, using: &stream)
    return try (0..<rows).map { row in
      let place = try #require(episodes.places[batch.observations[row, 0]])
      let episode = episodes.episode(place)
      let (own, next) = (episode.observations[place.step], episode.observations[place.step + 1])
      let goal = batch.observations[row, 2]
      // only the goal is another
      #expect(batch.observations.row(row) == [own[0], own[1], goal])
      #expect(batch.actions.row(row) == episode.actions[place.step])
      #expect(batch.weights[row] == 1)
      if goal == own[2] {
        #expect(batch.nextObservations.row(row) == next)
        #expect(batch.rewards[row] == episode.rewards[place.step])
        let d: Float = episode.isTerminated(after: place.step + 1) ? 1 : 0
        #expect(batch.terminated[row] == d && batch.discounts[row] == discount * (1 - d))
        return Relabelled(place: place, step: nil)
      }
      #expect(batch.nextObservations.row(row) == [next[0], next[1], goal])
      #expect(episode.ending != nil, "a goal from an episode that is still running")
      let steps =
        switch strategy {
        case .future: place.step..<episode.steps
        case .final: (episode.steps - 1)..<episode.steps
        case .episode: 0..<episode.steps
        }
      let step = try #require(
        steps.first { episode.observations[$0 + 1][1] == goal }, "no goal that was reached then")
      // d is that of the new goal: 1 exactly where the row's own step reaches it, whatever it was
      #expect(batch.rewards[row] == 3 * next[1] - goal)
      let d: Float = step == place.step ? 1 : 0
      #expect(batch.terminated[row] == d && batch.discounts[row] == discount * (1 - d))
      return Relabelled(place: place, step: step)
    }
  }

  private static func sampler(
    _ buffer: borrowing ReplayBuffer, rows: Int, _ environment: NumberedGoals = NumberedGoals(),
    _ strategy: HindsightStrategy = .future
  ) -> HindsightSampler {
    HindsightSampler(
      for: buffer, goals: goals, strategy: strategy, environment: environment, discount: discount, batchSize: rows)
  }

  @Test(arguments: [1, 3])
  func `a row has its goal, or one that its own episode reached from its step on; reward and d are those of that goal`(
    lanes: Int
  ) throws {
    var buffer = try ReplayBuffer(capacity: 60 * lanes, observationSize: 3, actionSize: 1, lanes: lanes)
    var episodes = LaneEpisodes(lanes: lanes, observationSize: 3, seed: 1)
    let sampler = Self.sampler(buffer, rows: 64)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    var (own, other, stale, running) = (0, 0, 0, 0)
    for round in 0..<200 {
      episodes.steps(round % 50 == 49 ? 200 * lanes : 6, &buffer, longest: 25)
      if buffer.count == 0 { continue }
      for row in try Self.relabelled(sampler, buffer, episodes, rows: 64, &stream) {
        let episode = episodes.episode(row.place)
        if let step = row.step {
          other += 1
          // it terminated under its own goal and does not under the new one, or the other way round
          if episode.isTerminated(after: row.place.step + 1) != (step == row.place.step) { stale += 1 }
        } else if episode.ending == nil {
          running += 1
        } else {
          own += 1
        }
      }
    }
    #expect(stale > 1000 && running > 500)
    // k / (k + 1) of the rows of finished episodes, within 4 standard deviations
    let n = Double(own + other)
    #expect(abs(Double(other) - 0.8 * n) < 4 * (0.8 * 0.2 * n).squareRoot())
  }

  @Test func `goals are drawn uniformly from the row's own step to the last of its episode, both included`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3, endings: [.truncated])
    for _ in 0..<40 { episodes.step(&buffer, lane: 0, longest: 8) }
    let sampler = Self.sampler(buffer, rows: 40_000)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var counts: [LaneEpisodes.Place: [Int: Double]] = [:]
    for row in try Self.relabelled(sampler, buffer, episodes, rows: 40_000, &stream) {
      if let step = row.step { counts[row.place, default: [:]][step, default: 0] += 1 }
    }
    #expect(counts.count > 25)
    for (place, steps) in counts {
      let future = place.step..<episodes.episode(place).steps
      #expect(Set(steps.keys) == Set(future))
      let expected = steps.values.reduce(0, +) / Double(future.count)
      let test = chiSquare(future.map { steps[$0] ?? 0 }, expected: future.map { _ in expected })
      #expect(test.value < test.bound, "\(place)")
    }
  }

  @Test func `by another strategy goals are those of the last step, or of all steps alike`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3, endings: [.truncated])
    for _ in 0..<40 { episodes.step(&buffer, lane: 0, longest: 8) }
    var stream = RandomStream(seed: 2, purpose: "sampling")
    let final = Self.sampler(buffer, rows: 2000, NumberedGoals(), .final)
    let ends = try Self.relabelled(final, buffer, episodes, rows: 2000, &stream, .final)
    #expect(ends.count { $0.step != nil } > 1000)
    let episode = Self.sampler(buffer, rows: 40_000, NumberedGoals(), .episode)
    var counts: [LaneEpisodes.Place: [Int: Double]] = [:]
    for row in try Self.relabelled(episode, buffer, episodes, rows: 40_000, &stream, .episode) {
      if let step = row.step { counts[row.place, default: [:]][step, default: 0] += 1 }
    }
    #expect(counts.count > 25)
    for (place, steps) in counts {
      let all = 0..<episodes.episode(place).steps
      let expected = steps.values.reduce(0, +) / Double(all.count)
      let test = chiSquare(all.map { steps[$0] ?? 0 }, expected: all.map { _ in expected })
      #expect(test.value < test.bound, "\(place)")
    }
  }

  @Test func `goals of an episode whose beginning was overwritten are those that are left`() throws {
    var buffer = try ReplayBuffer(capacity: 20, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3, endings: [.truncated])
    let sampler = Self.sampler(buffer, rows: 500, NumberedGoals(), .episode)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var (partial, earlier) = (0, 0)
    for _ in 0..<60 {
      episodes.steps(9, &buffer, longest: 18)
      let first = episodes.places[buffer.frameValues(buffer.frameRange)[0]]
      for row in try Self.relabelled(sampler, buffer, episodes, rows: 500, &stream, .episode) {
        guard let step = row.step else { continue }
        if step < row.place.step { earlier += 1 }
        guard let first, row.place.episode == first.episode else { continue }
        partial += 1
        #expect(step >= first.step, "a goal that was overwritten")
      }
    }
    #expect(partial > 1000 && earlier > 1000)
  }

  @Test func `rewards and terminations of a batch are computed in one call each`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3)
    episodes.steps(80, &buffer)
    let environment = NumberedGoals()
    let sampler = Self.sampler(buffer, rows: 32, environment)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    _ = try Self.relabelled(sampler, buffer, episodes, rows: 32, &stream)
    _ = try Self.relabelled(sampler, buffer, episodes, rows: 32, &stream)
    #expect(environment.calls == ["32 32 32 32", "32 32 32 32"])
  }

  @Test func `an episode whose beginning was overwritten keeps the rest of its rows`() throws {
    var buffer = try ReplayBuffer(capacity: 20, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3, endings: [.truncated])
    let sampler = Self.sampler(buffer, rows: 500)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var partial = 0
    for _ in 0..<60 {
      episodes.steps(9, &buffer, longest: 18)
      let first = episodes.places[buffer.frameValues(buffer.frameRange)[0]]
      for row in try Self.relabelled(sampler, buffer, episodes, rows: 500, &stream) {
        if row.step != nil, let first, first.step > 0, row.place.episode == first.episode { partial += 1 }
      }
    }
    #expect(partial > 1000)
  }

  @Test func `restored it relabels on to the bit: the ends of episodes are found again`() throws {
    var buffer = try ReplayBuffer(capacity: 90, observationSize: 3, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, observationSize: 3, seed: 6)
    let sampler = Self.sampler(buffer, rows: 32)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    for _ in 0..<60 {
      episodes.steps(9, &buffer)
      _ = try Self.relabelled(sampler, buffer, episodes, rows: 32, &stream)
    }
    episodes.steps(25, &buffer)
    var restored = try buffer.restored(capacity: 90) { episodes.waiting($0) }
    let other = Self.sampler(restored, rows: 32)
    try other.restore(sampler.state)
    var (copy, copyStream) = (episodes, stream)
    func rows(_ sampler: HindsightSampler, _ buffer: borrowing ReplayBuffer, _ stream: inout RandomStream) throws
      -> [Float]
    {
      let batch = Batch(count: 32, observationSize: 3, actionSize: 1)
      sampler.draw(batch, from: buffer, using: &stream)
      buffer.gather(batch, returns: NStepReturn(discount: 0.9), workers: WorkerPool(count: 1))
      try sampler.relabel(batch, from: buffer, using: &stream)
      return (0..<32).flatMap { batch.observations.row($0) } + batch.rewards.values + batch.discounts.values
    }
    for _ in 0..<60 {
      #expect(try rows(sampler, buffer, &stream) == rows(other, restored, &copyStream))
      episodes.steps(7, &buffer)
      copy.steps(7, &restored)
    }
    #expect(stream == copyStream)
    // and a sampler that forgets all finds it all again
    try sampler.restore(SamplerState())
    #expect(try rows(sampler, buffer, &stream) == rows(other, buffer, &copyStream))
    #expect(throws: SamplerError.self) { try sampler.restore(SamplerState(numbers: ["updates": 3])) }
  }

  @Test(arguments: [40, 400])
  func `of a buffer that was replaced, it knows nothing of before`(steps: Int) throws {
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 3, actionSize: 1, lanes: 2)
    var (before, after) = (
      LaneEpisodes(lanes: 2, observationSize: 3, seed: 1), LaneEpisodes(lanes: 2, observationSize: 3, seed: 2)
    )
    let sampler = HindsightSampler(
      for: buffer, goals: Self.goals, environment: NumberedGoals(), discount: Self.discount, batchSize: 64)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    before.steps(100, &buffer)
    _ = try Self.relabelled(sampler, buffer, before, rows: 64, &stream)

    var other = try ReplayBuffer(capacity: 300, observationSize: 3, actionSize: 1, lanes: 2)
    after.steps(steps, &other)
    after.abandonAll(&other)
    buffer.replaceAll(by: other)
    var replaced = 0
    for _ in 0..<20 {
      replaced += try Self.relabelled(sampler, buffer, after, rows: 64, &stream).filter { $0.step != nil }.count
    }
    #expect(replaced > 300)
  }

  @Test func `a reward that is no number is told and not learned from`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 1)
    var episodes = LaneEpisodes(lanes: 1, observationSize: 3, seed: 3, endings: [.truncated])
    episodes.steps(80, &buffer)
    let environment = NumberedGoals()
    environment.reward = { _, _ in .infinity }
    let sampler = Self.sampler(buffer, rows: 32, environment)
    let batch = Batch(count: 32, observationSize: 3, actionSize: 1)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    sampler.draw(batch, from: buffer, using: &stream)
    buffer.gather(batch, returns: NStepReturn(discount: 0.9), workers: WorkerPool(count: 1))
    let error = #expect(throws: SamplerError.self) { try sampler.relabel(batch, from: buffer, using: &stream) }
    #expect(error == .recomputedReward(.infinity))
  }

  @Test(arguments: ["PointReach-v0", "PointReachOnce-v0"])
  func `with a point that reaches, a goal that is met pays 0 and ends only the task that ends there`(id: String) throws
  {
    let guarded = ContractGuard(try EnvironmentRegistry.builtIn.make(id), name: id)
    let goals = try #require(guarded.goals)
    let layout = goals.goalLayout
    var buffer = try ReplayBuffer(capacity: 2000, observationSize: layout.count, actionSize: 4)
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var (observation, action) = ([Float](repeating: 0, count: layout.count), [Float](repeating: 0, count: 4))
    for episode in 0..<30 as Range<UInt64> {
      var span = observation.mutableSpan
      try guarded.reset(seed: episode, into: &span)
      buffer.beginEpisode(observation.span)
      var ended = false
      while !ended {
        for i in 0..<4 { action[i] = 2 * stream.uniform() - 1 }
        var nextSpan = observation.mutableSpan
        let outcome = try guarded.step(action.span, into: &nextSpan)
        buffer.add(
          action: action.span, reward: Float(outcome.reward), terminated: outcome.terminated,
          truncated: outcome.truncated, next: observation.span)
        ended = outcome.endsEpisode
      }
    }
    let sampler = HindsightSampler(for: buffer, goals: 4, environment: goals, discount: 0.98, batchSize: 2000)
    let batch = Batch(count: 2000, observationSize: layout.count, actionSize: 4)
    sampler.draw(batch, from: buffer, using: &stream)
    buffer.gather(batch, returns: NStepReturn(discount: 0.98), workers: WorkerPool(count: 1))
    try sampler.relabel(batch, from: buffer, using: &stream)
    var met = 0
    for row in 0..<batch.count {
      let next = batch.nextObservations.row(row)
      let squared = zip(next[layout.achieved], next[layout.desired]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let isMet = squared <= 0.05 * 0.05
      if isMet { met += 1 }
      #expect(batch.rewards[row] == (isMet ? 0 : -1))
      let d: Float = isMet && id == "PointReachOnce-v0" ? 1 : 0
      #expect(batch.terminated[row] == d && batch.discounts[row] == 0.98 * (1 - d))
    }
    // random walks never meet their own goals, and in hindsight often
    #expect(met > 100)
  }
}
