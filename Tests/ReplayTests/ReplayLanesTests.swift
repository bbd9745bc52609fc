import Kernels
import Platform
import Replay
import Testing

@Suite struct ReplayLanesTests {
  /// The transitions of sampled rows, each held against the lists.
  static func sampled(
    _ rows: Int, _ buffer: borrowing ReplayBuffer, _ episodes: LaneEpisodes, _ stream: inout RandomStream
  ) throws -> [LaneEpisodes.Place] {
    let batch = Batch(count: rows, observationSize: buffer.observationSize, actionSize: buffer.actionSize)
    buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    return try (0..<rows).map { row in
      let place = try #require(episodes.places[batch.observations[row, 0]])
      let episode = episodes.episode(place)
      #expect(batch.observations.row(row) == episode.observations[place.step])
      #expect(batch.nextObservations.row(row) == episode.observations[place.step + 1])
      #expect(batch.actions.row(row) == episode.actions[place.step])
      #expect(batch.rewards[row] == episode.rewards[place.step])
      #expect(batch.terminated[row] == (episode.isTerminated(after: place.step + 1) ? 1 : 0))
      return place
    }
  }

  @Test(arguments: [2, 3, 7])
  func `every sample is a transition of its own lane, one of its last`(lanes: Int) throws {
    let capacity = 30 * lanes
    var buffer = try ReplayBuffer(capacity: capacity, observationSize: 2, actionSize: 1, lanes: lanes)
    var episodes = LaneEpisodes(lanes: lanes, seed: UInt64(lanes))
    var stream = RandomStream(seed: 1, purpose: "sampling")
    for _ in 0..<100 {
      episodes.steps(11 * lanes, &buffer, longest: 40)
      let latest = (0..<lanes).reduce(into: Set()) { $0.formUnion(episodes.latest(30, lane: $1)) }
      let places = try Self.sampled(100, buffer, episodes, &stream)
      #expect(latest.isSuperset(of: places))
      #expect(buffer.count <= capacity)
    }
    #expect(buffer.count > capacity * 3 / 4)
  }

  @Test func `every transition of every lane is drawn equally often, also where lanes are not equally full`() throws {
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 2, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, seed: 3)
    for (lane, count) in [(0, 500), (1, 20), (2, 90)] {
      for _ in 0..<count { episodes.step(&buffer, lane: lane, longest: 30) }
    }
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var counts: [LaneEpisodes.Place: Double] = [:]
    for place in try Self.sampled(60_000, buffer, episodes, &stream) { counts[place, default: 0] += 1 }
    #expect(counts.count == buffer.count && buffer.count > 150 && Set(counts.keys.map(\.lane)).count == 3)
    let expected = [Double](repeating: 60_000 / Double(buffer.count), count: counts.count)
    let test = chiSquare(Array(counts.values), expected: expected)
    #expect(test.value < test.bound)
  }

  @Test(arguments: [10, 100, 1500])
  func `lanes are saved and restored each by its own frames, and go on alike`(steps: Int) throws {
    var buffer = try ReplayBuffer(capacity: 120, observationSize: 2, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, seed: UInt64(steps))
    episodes.steps(steps, &buffer)
    var restored = try buffer.restored(capacity: 120) { episodes.waiting($0) }
    #expect(restored.count == buffer.count)
    for lane in 0..<3 {
      let range = buffer.frameRange(lane: lane)
      #expect(restored.frameRange(lane: lane) == range)
      #expect(restored.frameValues(range, lane: lane) == buffer.frameValues(range, lane: lane))
    }
    var copy = episodes
    episodes.steps(200, &buffer)
    copy.steps(200, &restored)
    var (first, second) = (RandomStream(seed: 1, purpose: "sampling"), RandomStream(seed: 1, purpose: "sampling"))
    #expect(
      try Self.sampled(200, buffer, episodes, &first) == Self.sampled(200, restored, episodes, &second))
  }

  @Test func `joined in one lane, every transition is there and no return crosses from lane to lane`() throws {
    var buffer = try ReplayBuffer(capacity: 150, observationSize: 2, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, seed: 8)
    episodes.steps(900, &buffer)
    episodes.abandonAll(&buffer)
    let frames = (0..<3).reduce(0) { $0 + buffer.frameRange(lane: $1).count }
    var copy = try ReplayBuffer(frames: frames, observationSize: 2, actionSize: 1)
    var next: UInt64 = 0
    for lane in 0..<3 {
      let range = buffer.frameRange(lane: lane)
      var alone = try ReplayBuffer(frames: range.count, observationSize: 2, actionSize: 1)
      for (i, n) in range.enumerated() {
        alone.restoreFrame(UInt64(i), buffer.frameValues(n..<(n + 1), lane: lane).span)
      }
      next = copy.append(alone, from: next, endsInGap: lane < 2)
    }
    #expect(copy.count == buffer.count && copy.frameRange == 0..<UInt64(frames) && next == UInt64(frames))
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let held = Set(try Self.sampled(20_000, buffer, episodes, &stream))
    let copied = Set(try Self.sampled(20_000, copy, episodes, &stream))
    #expect(held.count == buffer.count && copied == held)

    let batch = Batch(count: 5000, observationSize: 2, actionSize: 1)
    copy.sample(
      into: batch, returns: NStepReturn(discount: NStepReturnTests.discount, steps: 9), using: &stream,
      workers: WorkerPool(count: 1))
    for row in 0..<batch.count { _ = NStepReturnTests.check(batch, row: row, steps: 9, episodes) }
  }

  @Test func `a million transitions of HalfCheetah take at most 130 MB, in 16 lanes at most 140 MB`() {
    func bytes(_ lanes: Int) -> Int {
      ReplayBuffer.byteCount(capacity: 1_000_000, observationSize: 17, actionSize: 6, lanes: lanes)
    }
    #expect(bytes(1) <= 130_000_000 && bytes(16) <= 140_000_000)
    // and not by forgetting what is stored: 25 values of 4 bytes
    #expect(bytes(1) >= 100_000_000 && bytes(16) >= 100_000_000)
  }
}
