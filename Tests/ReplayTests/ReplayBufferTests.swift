import Foundation
import Kernels
import Platform
import Replay
import Testing

/// One transition as it was added.
private struct Transition: Hashable {
  var observation: [Float]
  var action: [Float]
  var reward: Float
  var next: [Float]
  var terminated: Float
}

/// A replay buffer as a list: everything ever added, of which the last N count.
private struct ReplayReference {
  let capacity: Int
  private(set) var transitions: [Transition] = []
  var latest: Set<Transition> { Set(transitions.suffix(capacity)) }

  init(capacity: Int) { self.capacity = capacity }

  mutating func add(_ transition: Transition) { transitions.append(transition) }
}

/// Random episodes into a buffer and its reference. Every observation is of its own: transitions can be told apart.
private struct Episodes {
  let observationSize: Int
  let actionSize: Int
  private(set) var reference: ReplayReference
  private var stream: RandomStream
  private var counter: Float = 0
  private var observation: [Float] = []
  private var left = 0

  init(capacity: Int, observationSize: Int, actionSize: Int, seed: UInt64) {
    (self.observationSize, self.actionSize) = (observationSize, actionSize)
    reference = ReplayReference(capacity: capacity)
    stream = RandomStream(seed: seed, purpose: "episodes")
  }

  private mutating func values(_ count: Int) -> [Float] {
    counter += 1
    return (0..<count).map { counter + Float($0) / 64 }
  }

  /// One step of an episode of 1 to `longest` steps that ends in one of three ways, or is broken off.
  mutating func step(_ buffer: inout ReplayBuffer, longest: Int = 30, mayAbandon: Bool = true) {
    if left == 0 {
      left = 1 + stream.index(below: longest)
      observation = values(observationSize)
      buffer.beginEpisode(observation.span)
    }
    if mayAbandon && stream.index(below: 40) == 0 {
      buffer.abandonEpisode()
      left = 0
      return
    }
    left -= 1
    let ending = left == 0 ? 1 + stream.index(below: 3) : 0
    let (action, next) = (values(actionSize), values(observationSize))
    buffer.add(
      action: action.span, reward: counter, terminated: ending & 1 != 0, truncated: ending & 2 != 0, next: next.span)
    reference.add(
      Transition(
        observation: observation, action: action, reward: counter, next: next, terminated: ending & 1 != 0 ? 1 : 0))
    observation = next
  }

  /// The observation that waits for its action, in mid-episode.
  var waiting: [Float]? { left > 0 ? observation : nil }
}

extension ReplayBuffer {
  /// `rows` sampled transitions.
  fileprivate func sampled(_ rows: Int, _ stream: inout RandomStream) -> [Transition] {
    let batch = Batch(count: rows, observationSize: observationSize, actionSize: actionSize)
    sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    func row(_ matrix: borrowing Matrix, _ row: Int) -> [Float] { (0..<matrix.columns).map { matrix[row, $0] } }
    return (0..<rows).map {
      Transition(
        observation: row(batch.observations, $0), action: row(batch.actions, $0), reward: batch.rewards[$0],
        next: row(batch.nextObservations, $0), terminated: batch.terminated[$0])
    }
  }
}

@Suite struct ReplayBufferTests {
  @Test(arguments: [1, 2, 7, 50, 333])
  func `every sample is one of the last N transitions, with its true next observation and d`(capacity: Int) throws {
    var buffer = try ReplayBuffer(capacity: capacity, observationSize: 3, actionSize: 2)
    var episodes = Episodes(capacity: capacity, observationSize: 3, actionSize: 2, seed: UInt64(capacity))
    var stream = RandomStream(seed: 1, purpose: "sampling")
    for step in 0..<2000 {
      episodes.step(&buffer)
      guard step % 20 == 0 && buffer.count > 0 else { continue }
      let latest = episodes.reference.latest
      #expect(buffer.count <= capacity && buffer.count <= latest.count)
      // room for an eighth more frames and 16: full where episodes are long enough
      if capacity <= 50 { #expect(buffer.count > latest.count - 10) }
      let strays = buffer.sampled(64, &stream).filter { !latest.contains($0) }
      #expect(strays.isEmpty, "step \(step): \(strays.first.map(String.init(describing:)) ?? "")")
    }
  }

  @Test func `before it is full every transition is held, and each can be drawn`() throws {
    var buffer = try ReplayBuffer(capacity: 500, observationSize: 1, actionSize: 1)
    var episodes = Episodes(capacity: 500, observationSize: 1, actionSize: 1, seed: 5)
    while episodes.reference.transitions.count < 200 { episodes.step(&buffer) }
    #expect(buffer.count == 200)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    #expect(Set(buffer.sampled(10_000, &stream)) == episodes.reference.latest)
  }

  @Test func `d is 1 only where the task ended, also when the clock ended with it`() throws {
    for (terminated, truncated, d) in [(false, false, 0), (true, false, 1), (false, true, 0), (true, true, 1)]
      as [(Bool, Bool, Float)]
    {
      var buffer = try ReplayBuffer(capacity: 5, observationSize: 1, actionSize: 1)
      buffer.beginEpisode([1].span)
      buffer.add(action: [0.5].span, reward: 2, terminated: terminated, truncated: truncated, next: [7].span)
      var stream = RandomStream(seed: 1, purpose: "sampling")
      #expect(
        buffer.sampled(1, &stream) == [Transition(observation: [1], action: [0.5], reward: 2, next: [7], terminated: d)]
      )
    }
  }

  @Test func `the next observation is the final one, never the next episode's first`() throws {
    var buffer = try ReplayBuffer(capacity: 10, observationSize: 1, actionSize: 1)
    for episode in 0..<3 as Range<Int> {
      buffer.beginEpisode([Float(10 * episode)].span)
      buffer.add(action: [0].span, reward: 0, terminated: false, truncated: true, next: [Float(10 * episode + 1)].span)
    }
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let pairs = Set(buffer.sampled(100, &stream).map { [$0.observation[0], $0.next[0]] })
    #expect(pairs == [[0, 1], [10, 11], [20, 21]])
  }

  @Test func `an episode that was broken off keeps what was added and adds nothing`() throws {
    var buffer = try ReplayBuffer(capacity: 10, observationSize: 1, actionSize: 1)
    buffer.abandonEpisode()
    buffer.beginEpisode([1].span)
    buffer.add(action: [0].span, reward: 0, terminated: false, truncated: false, next: [2].span)
    buffer.abandonEpisode()
    buffer.abandonEpisode()
    buffer.beginEpisode([5].span)
    buffer.abandonEpisode()
    #expect(buffer.count == 1)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    #expect(
      Set(buffer.sampled(20, &stream))
        == [Transition(observation: [1], action: [0], reward: 0, next: [2], terminated: 0)])
  }

  @Test func `each transition is drawn equally often, also beside final frames and across the ring's end`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 1, actionSize: 1)
    var episodes = Episodes(capacity: 100, observationSize: 1, actionSize: 1, seed: 3)
    while episodes.reference.transitions.count < 530 { episodes.step(&buffer) }
    var stream = RandomStream(seed: 2, purpose: "sampling")
    var counts: [Transition: Double] = [:]
    for transition in buffer.sampled(100_000, &stream) { counts[transition, default: 0] += 1 }
    let n = Double(buffer.count)
    #expect(counts.count == buffer.count && n > 90)
    let expected = 100_000 / n
    let chiSquare = counts.values.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    #expect(chiSquare < n - 1 + 4 * (2 * (n - 1)).squareRoot())
  }

  @Test func `any number of workers draws the same batch`() throws {
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 3, actionSize: 2)
    var episodes = Episodes(capacity: 300, observationSize: 3, actionSize: 2, seed: 3)
    for _ in 0..<700 { episodes.step(&buffer) }
    func rewards(_ workers: Int) -> [Float] {
      var stream = RandomStream(seed: 2, purpose: "sampling")
      let batch = Batch(count: 256, observationSize: 3, actionSize: 2)
      buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: workers))
      return batch.rewards.values + [Float(stream.position)]
    }
    #expect((2...4).allSatisfy { rewards($0) == rewards(1) })
  }

  // MARK: saving

  @Test(arguments: [5, 40, 200, 777])
  func `restored frame by frame it is the same buffer, in mid-episode too`(steps: Int) throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 2)
    var episodes = Episodes(capacity: 100, observationSize: 3, actionSize: 2, seed: UInt64(steps))
    for _ in 0..<steps { episodes.step(&buffer) }

    var restored = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 2)
    let range = buffer.frameRange
    // in two parts, as files hold them
    let middle = range.lowerBound + UInt64(range.count / 2)
    let values = buffer.frameValues(range.lowerBound..<middle) + buffer.frameValues(middle..<range.upperBound)
    let width = buffer.frameWidth
    for (i, n) in range.enumerated() {
      restored.restoreFrame(n, values.span.extracting(i * width..<(i + 1) * width))
    }
    if let waiting = episodes.waiting { restored.resumeEpisode(waiting.span) }
    #expect(restored.count == buffer.count && restored.frameRange == range)
    #expect(restored.frameTotal == buffer.frameTotal && restored.frameValues(range) == values)

    // both go on alike
    var copy = episodes
    for _ in 0..<150 {
      episodes.step(&buffer)
      copy.step(&restored)
    }
    var (first, second) = (RandomStream(seed: 1, purpose: "sampling"), RandomStream(seed: 1, purpose: "sampling"))
    #expect(buffer.sampled(200, &first) == restored.sampled(200, &second))
    #expect(restored.frameRange == buffer.frameRange)
    #expect(restored.frameValues(buffer.frameRange) == buffer.frameValues(buffer.frameRange))
  }

  @Test func `restored into a smaller buffer the newest transitions stay`() throws {
    var buffer = try ReplayBuffer(capacity: 100, observationSize: 3, actionSize: 2)
    var episodes = Episodes(capacity: 100, observationSize: 3, actionSize: 2, seed: 1)
    for _ in 0..<300 { episodes.step(&buffer) }

    var smaller = try ReplayBuffer(capacity: 30, observationSize: 3, actionSize: 2)
    var n = buffer.frameRange.lowerBound
    buffer.forEachFrame { frame in
      smaller.restoreFrame(n, Array(frame).span)
      n += 1
    }
    if let waiting = episodes.waiting { smaller.resumeEpisode(waiting.span) }
    #expect(smaller.count <= 30 && smaller.count > 20)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    #expect(Set(smaller.sampled(500, &stream)).isSubset(of: episodes.reference.transitions.suffix(30)))
  }

  // MARK: memory

  @Test func `a million transitions of HalfCheetah take at most 130 MB`() {
    #expect(ReplayBuffer.byteCount(capacity: 1_000_000, observationSize: 17, actionSize: 6) <= 130_000_000)
  }

  @Test func `a size that cannot be is refused before anything is allocated`() throws {
    #if os(Linux)
      for capacity in [1 << 40, 1 << 50, 1 << 60, .max] {
        let error = #expect(throws: InsufficientMemory.self) {
          _ = try ReplayBuffer(capacity: capacity, observationSize: 348, actionSize: 17).count
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("a replay buffer of \(capacity) transitions needs "))
        #expect(text.hasSuffix("make it smaller with a lower bufferCapacity"))
      }
    #endif
  }

  @Test func `misuse traps`() async {
    await #expect(processExitsWith: .failure) {
      let buffer = try ReplayBuffer(capacity: 5, observationSize: 1, actionSize: 1)
      var stream = RandomStream(seed: 1, purpose: "sampling")
      buffer.sample(
        into: Batch(count: 1, observationSize: 1, actionSize: 1), using: &stream, workers: WorkerPool(count: 1))
    }
    await #expect(processExitsWith: .failure) {
      var buffer = try ReplayBuffer(capacity: 5, observationSize: 1, actionSize: 1)
      buffer.add(action: [0].span, reward: 0, terminated: false, truncated: false, next: [0].span)
    }
    await #expect(processExitsWith: .failure) {
      var buffer = try ReplayBuffer(capacity: 5, observationSize: 1, actionSize: 1)
      buffer.beginEpisode([0].span)
      buffer.beginEpisode([0].span)
    }
  }
}
