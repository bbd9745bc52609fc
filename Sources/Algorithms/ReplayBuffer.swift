// ReplayBuffer.swift — the last N transitions, each frame stored once, sampled uniformly.
//
// Frames lie in a ring in the order they were seen:
//
//   frame = observation (S) · action (A) · reward · kind
//
// A transition is a frame that an action was taken in, together with the frame after it. An episode of L steps takes L + 1
// frames; its last one, the true final observation, is no transition of its own. So nothing is stored twice, and the next
// observation is always the next frame. The ring has room for N transitions and N / 8 final frames; where episodes are
// shorter than 8 steps on average, it holds fewer than N.

import Kernels
import Platform

public struct ReplayBuffer: ~Copyable {
  /// Most transitions kept.
  public let capacity: Int
  public let observationSize: Int
  public let actionSize: Int
  /// Transitions held.
  public private(set) var count = 0

  private let frames: FrameStore
  private let slots: Int
  /// The frame of the observation that waits for its action.
  private var head = 0
  /// Frames held before the head.
  private var length = 0
  private var isOpen = false

  /// What a frame is, as its last value; below 0 it is no transition.
  package enum Kind {
    /// The last observation before a gap in the data: what follows need not be an episode's start.
    package static let broken: Float = -2
    static let final: Float = -1
    static let goesOn: Float = 0
    static let terminated: Float = 1
    static let truncated: Float = 2
  }

  /// Reserves and touches all memory at once.
  ///
  /// - Throws: `InsufficientMemory` when the machine or the process's limit has no room for it.
  public init(capacity: Int, observationSize: Int, actionSize: Int) throws {
    precondition(capacity > 0, "a buffer of \(capacity) transitions")
    let bytes = Self.byteCount(capacity: capacity, observationSize: observationSize, actionSize: actionSize)
    try Memory.check(bytes, for: "a replay buffer of \(capacity) transitions", hint: "--set bufferCapacity=N")
    self.init(
      capacity: capacity, slots: Self.slotCount(capacity), observationSize: observationSize, actionSize: actionSize)
  }

  /// A buffer for a known number of frames, of which nothing is ever dropped.
  package init(frames: Int, observationSize: Int, actionSize: Int) throws {
    let (bytes, overflow) = frames.multipliedReportingOverflow(
      by: 4 * Self.frameWidth(observationSize: observationSize, actionSize: actionSize))
    try Memory.check(overflow ? .max : bytes, for: "a data set of \(frames) observations", hint: "fewer transitions")
    self.init(
      capacity: max(1, frames), slots: frames + 16, observationSize: observationSize, actionSize: actionSize)
  }

  private init(capacity: Int, slots: Int, observationSize: Int, actionSize: Int) {
    self.capacity = capacity
    self.observationSize = observationSize
    self.actionSize = actionSize
    self.slots = slots
    frames = FrameStore(
      count: slots, width: Self.frameWidth(observationSize: observationSize, actionSize: actionSize))
  }

  /// Frames for `capacity` transitions: an eighth more for final ones, and the one that waits for its action.
  private static func slotCount(_ capacity: Int) -> Int {
    let (count, overflow) = capacity.addingReportingOverflow(capacity / 8 + 16)
    return overflow ? .max : count
  }

  /// Bytes that a buffer takes.
  public static func byteCount(capacity: Int, observationSize: Int, actionSize: Int) -> Int {
    let (bytes, overflow) = slotCount(capacity).multipliedReportingOverflow(
      by: 4 * frameWidth(observationSize: observationSize, actionSize: actionSize))
    return overflow ? .max : bytes
  }

  // MARK: adding

  /// Starts an episode with its first observation (S).
  public mutating func beginEpisode(_ observation: Span<Float>) {
    precondition(!isOpen, "the last episode has not ended")
    frames.write(observation, at: head, offset: 0)
    isOpen = true
  }

  /// Adds the transition from the waiting observation. `action` (A) is in [−1, 1]; `next` (S) is the true next one.
  public mutating func add(action: Span<Float>, reward: Float, terminated: Bool, truncated: Bool, next: Span<Float>) {
    precondition(isOpen, "no episode has begun")
    frames.write(action, at: head, offset: observationSize)
    let kind = (terminated ? Kind.terminated : Kind.goesOn) + (truncated ? Kind.truncated : Kind.goesOn)
    close(reward: reward, kind: kind)
    count += 1
    frames.write(next, at: head, offset: 0)
    if terminated || truncated { endEpisode() }
    while count > capacity { dropOldest() }
  }

  /// Ends an episode that the simulator broke off: what was added stays, and nothing follows.
  public mutating func abandonEpisode() {
    if isOpen { endEpisode() }
  }

  /// Ends what was added where the data have a gap: the next observation need not be an episode's start.
  package mutating func breakOff() {
    if isOpen { endEpisode(Kind.broken) }
  }

  private mutating func endEpisode(_ kind: Float = Kind.final) {
    close(reward: 0, kind: kind)
    isOpen = false
  }

  private mutating func close(reward: Float, kind: Float) {
    frames[head, observationSize + actionSize] = reward
    frames[head, observationSize + actionSize + 1] = kind
    head = (head + 1) % slots
    length += 1
    frameTotal += 1
    // the head itself must be free
    while length >= slots { dropOldest() }
  }

  private mutating func dropOldest() {
    if frames[slot(0), observationSize + actionSize + 1] >= 0 { count -= 1 }
    length -= 1
  }

  /// The slot of the n-th oldest frame.
  private func slot(_ n: Int) -> Int {
    let slot = head - length + n
    return slot < 0 ? slot + slots : slot
  }

  // MARK: saving

  /// Frames ever closed; frame n is the n-th of them.
  public private(set) var frameTotal: UInt64 = 0

  /// The frames held, by number.
  public var frameRange: Range<UInt64> { (frameTotal - UInt64(length))..<frameTotal }

  /// Values in one frame.
  public var frameWidth: Int { Self.frameWidth(observationSize: observationSize, actionSize: actionSize) }

  package static func frameWidth(observationSize: Int, actionSize: Int) -> Int { observationSize + actionSize + 2 }

  /// The values of some frames held, frame after frame.
  public func frameValues(_ range: Range<UInt64>) -> [Float] {
    precondition(
      range.isEmpty || (range.lowerBound >= frameRange.lowerBound && range.upperBound <= frameTotal), "frames \(range)")
    var values: [Float] = []
    values.reserveCapacity(range.count * frameWidth)
    // in at most two pieces: the ring goes round
    var n = range.lowerBound
    while n < range.upperBound {
      let first = Int(n % UInt64(slots))
      let count = min(range.upperBound - n, UInt64(slots - first))
      values += frames.values(of: first..<first + Int(count))
      n += count
    }
    return values
  }

  /// Puts frame n back, when a buffer is restored frame by frame, oldest first.
  ///
  /// - Precondition: `values` is one frame, and follows the frame restored before.
  public mutating func restoreFrame(_ n: UInt64, _ values: Span<Float>) {
    precondition(values.count == frameWidth, "a frame of \(values.count) values, not \(frameWidth)")
    precondition(length == 0 || n == frameTotal, "frame \(n) after \(frameTotal) frames")
    let slot = Int(n % UInt64(slots))
    frames.write(values, at: slot, offset: 0)
    if values[frameWidth - 1] >= 0 { count += 1 }
    frameTotal = n + 1
    length += 1
    head = (slot + 1) % slots
    // more than fit: the newest stay, as if they had been added
    while length >= slots || count > capacity { dropOldest() }
  }

  /// Forgets everything, as a new buffer.
  public mutating func removeAll() {
    (count, head, length, frameTotal, isOpen) = (0, 0, 0, 0, false)
  }

  /// Goes on with an episode that was running when the buffer was saved.
  public mutating func resumeEpisode(_ observation: Span<Float>) { beginEpisode(observation) }

  /// Shows every frame held, oldest first: observation, action, reward, kind.
  package func forEachFrame(_ body: (ArraySlice<Float>) throws -> Void) rethrows {
    var next = frameRange.lowerBound
    while next < frameTotal {
      let end = min(frameTotal, next + 4096)
      let values = frameValues(next..<end)
      for i in 0..<Int(end - next) { try body(values[(i * frameWidth)..<((i + 1) * frameWidth)]) }
      next = end
    }
  }

  /// s ← (s − shift) / scale for every observation held.
  package func transformObservations(shift: [Float], scale: [Float]) {
    precondition(shift.count == observationSize && scale.count == observationSize, "\(shift.count) shifts")
    for n in 0..<length {
      for i in 0..<observationSize { frames[slot(n), i] = (frames[slot(n), i] - shift[i]) / scale[i] }
    }
  }

  /// A copy with room for more frames, counted from 0 on. An episode that is running is to be resumed.
  package func copy(frames: Int) throws -> ReplayBuffer {
    var copy = try ReplayBuffer(frames: frames, observationSize: observationSize, actionSize: actionSize)
    var number: UInt64 = 0
    forEachFrame { values in
      copy.restoreFrame(number, Array(values).span)
      number += 1
    }
    return copy
  }

  // MARK: sampling

  /// Fills a batch with transitions drawn uniformly, with replacement.
  ///
  /// - Precondition: the buffer is not empty.
  public func sample(into batch: borrowing Batch, using stream: inout RandomStream, workers: WorkerPool) {
    precondition(count > 0, "sampling from an empty buffer")
    let kindColumn = observationSize + actionSize + 1
    stream.fillIndices(batch.frames, below: length)
    for row in 0..<batch.count { batch.frames[row] = slot(batch.frames[row]) }
    frames.read(column: kindColumn, rows: batch.frames, into: batch.kinds)
    // final frames are no transitions: drawn again
    for row in 0..<batch.count where batch.kinds[row] < 0 {
      while batch.kinds[row] < 0 {
        batch.frames[row] = slot(stream.index(below: length))
        batch.kinds[row] = frames[batch.frames[row], kindColumn]
      }
    }
    workers.forEachChunk(ofRows: batch.count) { rows in
      for row in rows {
        if row + Self.lookahead < rows.upperBound { frames.prefetch(batch.frames[row + Self.lookahead]) }
        gather(batch.frames[row], kind: batch.kinds[row], into: batch, row: row)
      }
    }
  }

  /// Rows between asking for a frame and reading it: their misses overlap.
  private static let lookahead = 8

  private func gather(_ slot: Int, kind: Float, into batch: borrowing Batch, row: Int) {
    frames.read(at: slot, offset: 0, into: batch.observations, row: row)
    frames.read(at: slot, offset: observationSize, into: batch.actions, row: row)
    frames.read(at: slot + 1 == slots ? 0 : slot + 1, offset: 0, into: batch.nextObservations, row: row)
    batch.rewards[row] = frames[slot, observationSize + actionSize]
    // truncated alone goes on: d is 1 only where the task itself ended
    // differs: also on the episode's last allowed step, where Spinning Up and sfujim/TD3 take every end for a cut
    batch.terminated[row] = kind == Kind.terminated || kind == Kind.terminated + Kind.truncated ? 1 : 0
  }
}
