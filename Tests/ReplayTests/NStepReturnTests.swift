import Foundation
import Kernels
import Platform
import Replay
import Testing

@Suite struct NStepReturnTests {
  static let discount: Float = 0.9

  /// What a row must be, by the sums as they are written in the paper. Which end its window meets.
  static func check(_ batch: borrowing Batch, row: Int, steps: Int, _ episodes: LaneEpisodes) -> String {
    let observation = batch.observations.row(row)
    guard let place = episodes.places[observation[0]] else { return "a row that was never added" }
    let episode = episodes.episode(place)
    let taken = min(steps, episode.steps - place.step)
    let end = place.step + taken
    var sum = 0.0
    for k in 0..<taken { sum += pow(Double(discount), Double(k)) * Double(episode.rewards[place.step + k]) }
    let isTerminated = episode.isTerminated(after: end)
    let power = isTerminated ? 0 : pow(Double(discount), Double(taken))
    #expect(observation == episode.observations[place.step] && batch.actions.row(row) == episode.actions[place.step])
    #expect(abs(Double(batch.rewards[row]) - sum) < 1e-6 * Double(taken), "\(place), \(steps) steps")
    #expect(batch.nextObservations.row(row) == episode.observations[end], "\(place), \(steps) steps")
    #expect(batch.terminated[row] == (isTerminated ? 1 : 0), "\(place), \(steps) steps")
    #expect(abs(Double(batch.discounts[row]) - power) < 1e-6, "\(place), \(steps) steps")
    return end < episode.steps ? "full" : episode.ending.map { "\($0)" } ?? "running"
  }

  @Test(arguments: [1, 2, 3, 5, 8, 32], [1, 3])
  func `a return stops at the first end of its episode, with the observation and the power of γ of the steps it has`(
    steps: Int, lanes: Int
  ) throws {
    // small rings: they go round many times
    var buffer = try ReplayBuffer(capacity: 40 * lanes, observationSize: 2, actionSize: 1, lanes: lanes)
    var episodes = LaneEpisodes(lanes: lanes, seed: UInt64(steps + 100 * lanes))
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let batch = Batch(count: 64, observationSize: 2, actionSize: 1)
    let workers = WorkerPool(count: 1)
    var ends: Set<String> = []
    for round in 0..<150 {
      episodes.steps(7 * lanes, &buffer, longest: round % 2 == 0 ? 12 : 50)
      if buffer.count == 0 { continue }
      buffer.sample(
        into: batch, returns: NStepReturn(discount: Self.discount, steps: steps), using: &stream, workers: workers)
      for row in 0..<batch.count { ends.insert(Self.check(batch, row: row, steps: steps, episodes)) }
    }
    #expect(ends == ["full", "running", "terminated", "truncated", "both", "abandoned", "broken"])
  }

  @Test func `a return of one step has the bits of the plain transition`() throws {
    var buffer = try ReplayBuffer(capacity: 50, observationSize: 2, actionSize: 1, lanes: 2)
    var episodes = LaneEpisodes(lanes: 2, seed: 4)
    episodes.steps(200, &buffer)
    let batch = Batch(count: 64, observationSize: 2, actionSize: 1)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    buffer.sample(into: batch, returns: NStepReturn(discount: 0.97), using: &stream, workers: WorkerPool(count: 1))
    for row in 0..<batch.count {
      let place = try #require(episodes.places[batch.observations[row, 0]])
      #expect(batch.rewards[row] == episodes.episode(place).rewards[place.step])
      #expect(batch.discounts[row] == 0.97 * (1 - batch.terminated[row]))
    }
  }

  @Test func `the reward of the terminal step is part of the return`() throws {
    var buffer = try ReplayBuffer(capacity: 10, observationSize: 1, actionSize: 1)
    buffer.beginEpisode([0].span)
    buffer.add(action: [0].span, reward: 1, terminated: false, truncated: false, next: [1].span)
    buffer.add(action: [0].span, reward: 100, terminated: true, truncated: false, next: [2].span)
    let batch = Batch(count: 32, observationSize: 1, actionSize: 1)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    buffer.sample(
      into: batch, returns: NStepReturn(discount: 0.5, steps: 4), using: &stream, workers: WorkerPool(count: 1))
    let rows = Set(
      (0..<32).map {
        [batch.observations[$0, 0], batch.rewards[$0], batch.nextObservations[$0, 0], batch.discounts[$0]]
      })
    #expect(rows == [[0, 51, 2, 0], [1, 100, 2, 0]])
  }

  @Test func `any number of workers gathers the same returns`() throws {
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 2, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, seed: 4)
    episodes.steps(900, &buffer)
    func gathered(_ workers: Int) -> [Float] {
      let batch = Batch(count: 512, observationSize: 2, actionSize: 1)
      var stream = RandomStream(seed: 1, purpose: "sampling")
      buffer.sample(
        into: batch, returns: NStepReturn(discount: 0.9, steps: 5), using: &stream, workers: WorkerPool(count: workers))
      return batch.rewards.values + batch.discounts.values + batch.terminated.values
    }
    #expect((2...4).allSatisfy { gathered($0) == gathered(1) })
  }
}
