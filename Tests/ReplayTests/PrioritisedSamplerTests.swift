import Foundation
import Kernels
import Platform
import Testing

@testable import Replay

@Suite struct PrioritisedSamplerTests {
  static let alpha = 0.7
  static let epsilon = 0.01

  static func sampler(
    _ buffer: borrowing ReplayBuffer, beta: Double = 0.4, betaSteps: Int = 10
  ) throws -> PrioritisedSampler {
    try PrioritisedSampler(for: buffer, alpha: alpha, beta: beta, betaSteps: betaSteps, epsilon: epsilon)
  }

  static func batch(_ count: Int) -> Batch { Batch(count: count, observationSize: 2, actionSize: 1) }

  /// p^α of an error.
  static func weight(_ error: Float) -> Double { pow(Double(error) + epsilon, alpha) }

  /// A buffer of one running episode: transition n is in slot n.
  static func oneEpisode(_ steps: Int) throws -> ReplayBuffer {
    var buffer = try ReplayBuffer(capacity: steps, observationSize: 2, actionSize: 1)
    buffer.beginEpisode([0, 0].span)
    for n in 1...steps {
      buffer.add(action: [0].span, reward: 0, terminated: false, truncated: false, next: [Float(n), 0].span)
    }
    return buffer
  }

  @Test func `transitions are drawn in proportion to (error + ε)^α, with α applied once`() throws {
    let buffer = try Self.oneEpisode(50)
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let all = Self.batch(50)
    sampler.draw(all, from: buffer, using: &stream)
    for row in 0..<50 {
      all.slots[row] = row
      all.errors[row] = row == 7 ? 0 : 0.05 * Float(row * row)
    }
    sampler.learned(from: all)
    let total = (0..<50).reduce(0) { $0 + Self.weight(all.errors[$1]) }

    // batches of one: no strata
    let one = Self.batch(1)
    var counts = [Double](repeating: 0, count: 50)
    for _ in 0..<100_000 {
      sampler.draw(one, from: buffer, using: &stream)
      counts[one.slots[0]] += 1
    }
    let expected = (0..<50).map { 100_000 * Self.weight(all.errors[$0]) / total }
    let test = chiSquare(counts, expected: expected)
    #expect(test.value < test.bound && expected.min() ?? 0 > 5)
  }

  @Test func `a batch has one row from each equal part of the sum`() throws {
    // all alike: each transition once
    let buffer = try Self.oneEpisode(64)
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let batch = Self.batch(64)
    for _ in 0..<20 {
      sampler.draw(batch, from: buffer, using: &stream)
      #expect((0..<64).map { batch.slots[$0] } == Array(0..<64))
      #expect(batch.weights.values == [Float](repeating: 1, count: 64))
    }
    // one number of the stream for each row
    #expect(stream.position == 20 * 64)
  }

  @Test func `weights are (N P)^−β, divided by the batch's largest, and β rises linearly to 1`() throws {
    let buffer = try Self.oneEpisode(40)
    let sampler = try Self.sampler(buffer, beta: 0.4, betaSteps: 10)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let all = Self.batch(40)
    sampler.draw(all, from: buffer, using: &stream)
    for row in 0..<40 { (all.slots[row], all.errors[row]) = (row, Float(row % 7) + 0.1) }
    let total = (0..<40).reduce(0) { $0 + Self.weight(all.errors[$1]) }
    let batch = Self.batch(16)
    for update in 1...15 {
      sampler.learned(from: all)
      sampler.draw(batch, from: buffer, using: &stream)
      let beta = min(1, 0.4 + 0.6 * Double(update) / 10)
      let raw = (0..<16).map { pow(40 * Self.weight(all.errors[batch.slots[$0]]) / total, -beta) }
      let largest = try #require(raw.max())
      for row in 0..<16 { #expect(abs(Double(batch.weights[row]) - raw[row] / largest) < 1e-6) }
      #expect(batch.weights.values.max() == 1 && Set(batch.weights.values).count > 2)
    }
    #expect(try Self.sampler(buffer, betaSteps: 0).currentBeta == 1)
  }

  /// The sampler's weights beside a dictionary of what they must be, by lane and frame.
  private struct Reference {
    struct Frame: Hashable { var lane: Int, number: UInt64 }
    var weights: [Frame: Double] = [:]
    var largest = 1.0

    /// Forgets what the buffer dropped and takes up what it has added.
    mutating func catchUp(_ buffer: borrowing ReplayBuffer) {
      for frame in weights.keys where !buffer.frameRange(lane: frame.lane).contains(frame.number) {
        weights[frame] = nil
      }
      for lane in 0..<buffer.laneCount {
        let range = buffer.frameRange(lane: lane)
        let values = buffer.frameValues(range, lane: lane)
        for (i, n) in range.enumerated() where weights[Frame(lane: lane, number: n)] == nil {
          let kind = values[(i + 1) * buffer.frameWidth - 1]
          weights[Frame(lane: lane, number: n)] = kind >= 0 ? largest : 0
        }
      }
    }

    /// Frame by the slot it is in.
    static func frame(_ slot: Int, _ buffer: borrowing ReplayBuffer) throws -> Frame {
      let lane = slot / buffer.laneSlots
      let range = buffer.frameRange(lane: lane)
      let number = try #require(
        range.first { buffer.slot(ofNumber: $0, lane: lane) == slot }, "slot \(slot) holds nothing")
      return Frame(lane: lane, number: number)
    }

    func check(_ state: SamplerState) throws {
      var next = 0
      let (first, end) = (try state.counts("firstFrames"), try state.counts("endFrames"))
      let saved = try state.array("weights")
      for lane in first.indices {
        for n in first[lane]..<end[lane] {
          #expect(weights[Frame(lane: lane, number: n)] == saved[next], "lane \(lane), frame \(n)")
          next += 1
        }
      }
      #expect(next == weights.count && next == saved.count)
    }
  }

  @Test(arguments: [1, 3])
  func `new rows have the largest priority so far, overwritten ones and final frames none`(lanes: Int) throws {
    var buffer = try ReplayBuffer(capacity: 40 * lanes, observationSize: 2, actionSize: 1, lanes: lanes)
    var episodes = LaneEpisodes(lanes: lanes, seed: 5)
    let sampler = try Self.sampler(buffer)
    var reference = Reference()
    var stream = RandomStream(seed: 1, purpose: "sampling")
    var errors = RandomStream(seed: 2, purpose: "errors")
    let batch = Self.batch(16)
    for round in 0..<300 {
      // at times so much that a whole ring is overwritten between two draws
      episodes.steps(round % 50 == 49 ? 120 * lanes : 5, &buffer)
      if buffer.count == 0 { continue }
      sampler.draw(batch, from: buffer, using: &stream)
      buffer.gather(batch, returns: NStepReturn(discount: 0.9, steps: 3), workers: WorkerPool(count: 1))
      reference.catchUp(buffer)
      for row in 0..<batch.count {
        // a transition that is held, and no final frame
        _ = NStepReturnTests.check(batch, row: row, steps: 3, episodes)
        batch.errors[row] = errors.uniform() * (round % 20 == 0 ? 30 : 3)
      }
      sampler.learned(from: batch)
      for row in 0..<batch.count {
        // of a row drawn twice the last counts
        let weight = Self.weight(batch.errors[row])
        reference.weights[try Reference.frame(batch.slots[row], buffer)] = weight
        reference.largest = max(reference.largest, weight)
      }
      if round % 10 == 0 { try reference.check(sampler.state) }
    }
    #expect(reference.largest > Self.weight(20) && reference.weights.values.contains(0))
  }

  @Test func `of a transition that was drawn twice the last row counts`() throws {
    let buffer = try Self.oneEpisode(4)
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let batch = Self.batch(3)
    sampler.draw(batch, from: buffer, using: &stream)
    for (row, error) in ([5, 9, 2] as [Float]).enumerated() { (batch.slots[row], batch.errors[row]) = (1, error) }
    sampler.learned(from: batch)
    #expect(sampler.state.arrays["weights"] == [1, Self.weight(2), 1, 1])
    // the largest so far is that of 9 all the same
    #expect(sampler.state.numbers["largestWeight"] == Self.weight(9))
  }

  @Test(arguments: [false, true])
  func `restored it draws on to the bit, priorities included, also with steps that it had not seen`(unseen: Bool) throws
  {
    var buffer = try ReplayBuffer(capacity: 90, observationSize: 2, actionSize: 1, lanes: 3)
    var episodes = LaneEpisodes(lanes: 3, seed: 6)
    let sampler = try Self.sampler(buffer, betaSteps: 100)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    var errors = RandomStream(seed: 2, purpose: "errors")
    let batch = Self.batch(16)
    func update(
      _ sampler: PrioritisedSampler, _ buffer: borrowing ReplayBuffer, _ stream: inout RandomStream,
      _ errors: inout RandomStream
    ) -> [Float] {
      sampler.draw(batch, from: buffer, using: &stream)
      for row in 0..<batch.count { batch.errors[row] = 5 * errors.uniform() }
      sampler.learned(from: batch)
      return (0..<batch.count).map { Float(batch.slots[$0]) } + batch.weights.values
    }
    for _ in 0..<80 {
      episodes.steps(6, &buffer)
      _ = update(sampler, buffer, &stream, &errors)
    }
    if unseen { episodes.steps(25, &buffer) }

    var restored = try buffer.restored(capacity: 90) { episodes.waiting($0) }
    let other = try Self.sampler(restored, betaSteps: 100)
    try other.restore(sampler.state)
    #expect(other.state == sampler.state)
    var (copy, copyStream, copyErrors) = (episodes, stream, errors)
    for _ in 0..<80 {
      #expect(update(sampler, buffer, &stream, &errors) == update(other, restored, &copyStream, &copyErrors))
      episodes.steps(6, &buffer)
      copy.steps(6, &restored)
    }
    #expect(other.state == sampler.state && stream == copyStream)
  }

  @Test func `restored beside a smaller buffer, the newest priorities stay`() throws {
    let buffer = try Self.oneEpisode(100)
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let all = Self.batch(100)
    sampler.draw(all, from: buffer, using: &stream)
    for row in 0..<100 { (all.slots[row], all.errors[row]) = (row, Float(row)) }
    sampler.learned(from: all)

    var smaller = try ReplayBuffer(capacity: 20, observationSize: 2, actionSize: 1)
    let values = buffer.frameValues(buffer.frameRange)
    for (i, n) in buffer.frameRange.enumerated() {
      smaller.restoreFrame(n, values.span.extracting(i * buffer.frameWidth..<(i + 1) * buffer.frameWidth))
    }
    smaller.resumeEpisode([100, 0].span)
    let other = try Self.sampler(smaller)
    try other.restore(sampler.state)
    other.draw(Self.batch(4), from: smaller, using: &stream)
    #expect(other.state.arrays["weights"] == (80..<100).map { Self.weight(Float($0)) })
  }

  @Test(arguments: [40, 400])
  func `in a buffer that was replaced, all transitions are new and nothing else is drawn`(steps: Int) throws {
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 2, actionSize: 1, lanes: 2)
    var (before, after) = (LaneEpisodes(lanes: 2, seed: 1), LaneEpisodes(lanes: 2, seed: 2))
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    let batch = Self.batch(64)
    before.steps(100, &buffer)
    sampler.draw(batch, from: buffer, using: &stream)
    for row in 0..<64 { batch.errors[row] = Float(row) }
    sampler.learned(from: batch)

    var other = try ReplayBuffer(capacity: 300, observationSize: 2, actionSize: 1, lanes: 2)
    after.steps(steps, &other)
    after.abandonAll(&other)
    buffer.replaceAll(by: other)
    sampler.draw(batch, from: buffer, using: &stream)
    let transitions = try #require(sampler.state.arrays["weights"]).filter { $0 > 0 }
    #expect(transitions.count == buffer.count && Set(transitions).count == 1)
    for row in 0..<64 { #expect(buffer.isTransition(batch.slots[row]) && batch.weights[row] == 1) }
  }

  @Test func `the state of another sampler or buffer is refused`() throws {
    let buffer = try Self.oneEpisode(10)
    let sampler = try Self.sampler(buffer)
    var stream = RandomStream(seed: 1, purpose: "sampling")
    sampler.draw(Self.batch(4), from: buffer, using: &stream)
    let good = sampler.state
    func refused(_ change: (inout SamplerState) -> Void) -> Bool {
      var state = good
      change(&state)
      return (try? sampler.restore(state)) == nil
    }
    #expect(!refused { _ in })
    #expect(refused { $0 = SamplerState() })
    #expect(refused { $0.arrays["weights"]?.removeLast() })
    #expect(refused { $0.arrays["weights"]?[3] = -1 })
    #expect(refused { $0.arrays["weights"]?[3] = .nan })
    #expect(refused { $0.arrays["weights"]?[3] = 2 })
    #expect(refused { $0.arrays["firstFrames"] = [0, 0] })
    #expect(refused { $0.arrays["endFrames"] = [-4] })
    #expect(refused { $0.arrays["endFrames"] = [0.5] })
    #expect(refused { $0.arrays["endFrames"] = [1e19] })
    #expect(refused { $0.numbers["updates"] = 1.5 })
    #expect(refused { $0.numbers["largestWeight"] = .infinity })
    // nothing of a refused state is taken
    #expect(sampler.state == good)
    let lanes = try ReplayBuffer(capacity: 10, observationSize: 2, actionSize: 1, lanes: 2)
    #expect(throws: SamplerError.self) { try Self.sampler(lanes).restore(good) }
  }

  @Test func `misuse traps`() async {
    await #expect(processExitsWith: .failure) {
      let buffer = try ReplayBuffer(capacity: 5, observationSize: 2, actionSize: 1)
      var stream = RandomStream(seed: 1, purpose: "sampling")
      try PrioritisedSamplerTests.sampler(buffer).draw(PrioritisedSamplerTests.batch(1), from: buffer, using: &stream)
    }
    await #expect(processExitsWith: .failure) {
      let buffer = try PrioritisedSamplerTests.oneEpisode(5)
      var stream = RandomStream(seed: 1, purpose: "sampling")
      let sampler = try PrioritisedSamplerTests.sampler(buffer)
      let batch = PrioritisedSamplerTests.batch(1)
      sampler.draw(batch, from: buffer, using: &stream)
      batch.errors[0] = .nan
      sampler.learned(from: batch)
    }
  }
}
