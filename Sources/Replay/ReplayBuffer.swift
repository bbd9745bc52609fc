// ReplayBuffer.swift — a replay buffer: the last N transitions of one or several environments, each observation stored once.
//
// Each environment has a ring of its own, a lane, with frames in the order of time:
//
//   frame = observation (S) · action (A) · reward · kind
//
// A transition is a frame with an action, together with the next frame. An episode of L steps takes L + 1 frames. Its last
// frame, the true final observation, begins no transition. So nothing is stored twice, and the next observation is always in
// the next frame of the lane. A lane has room for its share of the N transitions and for an eighth more final frames. If
// episodes are shorter than 8 steps on average, a lane holds fewer transitions than its share.

import Kernels
import Platform

/// The last transitions of a run, in one ring for each environment. Each observation is stored once.
public struct ReplayBuffer: ~Copyable {
  /// The largest number of transitions, over all lanes.
  public let capacity: Int
  /// S
  public let observationSize: Int
  /// A; 1 for discrete actions.
  public let actionSize: Int
  /// The number of transitions in the buffer, over all lanes.
  public private(set) var count = 0
  /// How often everything was removed: frames of another generation have nothing to do with those of before.
  package private(set) var generation = 0

  let frames: FrameStore
  /// The number of frames that a lane has room for.
  let laneSlots: Int
  private let laneCapacity: Int
  private(set) var lanes: [Lane]

  /// The ring of one environment.
  struct Lane: Sendable {
    /// The slot of the observation that waits for its action, counted from the first slot of the lane.
    var head = 0
    /// Number of frames before the head.
    var length = 0
    /// Number of transitions.
    var count = 0
    var isOpen = false
    /// Number of frames ever completed; frame n is the n-th of them.
    var frameTotal: UInt64 = 0

    /// The frame at the head is complete: the next slot of the lane is the head.
    mutating func closeFrame(slots: Int) {
      head = head + 1 == slots ? 0 : head + 1
      length += 1
      frameTotal += 1
    }

    /// The oldest frame is no longer in the buffer.
    mutating func dropFrame(isTransition: Bool) {
      if isTransition { count -= 1 }
      length -= 1
    }
  }

  /// The kind of a frame, its last value. Kinds below 0 are not transitions.
  package enum Kind {
    /// The last observation before a gap in the data: the next frame need not begin an episode.
    package static let broken: Float = -2
    package static let final: Float = -1
    static let goesOn: Float = 0
    static let terminated: Float = 1
    static let truncated: Float = 2

    static func isTerminated(_ kind: Float) -> Bool { kind == terminated || kind == terminated + truncated }
  }

  /// Reserves and touches all memory at once.
  ///
  /// - Parameters:
  ///   - capacity: transitions over all lanes; the share of a lane is rounded up.
  ///   - lanes: number of environments that add to the buffer.
  /// - Throws: `InsufficientMemory` when the machine or the process's limit has no room for it.
  public init(capacity: Int, observationSize: Int, actionSize: Int, lanes: Int = 1) throws {
    precondition(capacity > 0 && lanes > 0, "a buffer of \(capacity) transitions in \(lanes) lanes")
    let bytes = Self.byteCount(
      capacity: capacity, observationSize: observationSize, actionSize: actionSize, lanes: lanes)
    try Memory.check(
      bytes, for: "a replay buffer of \(capacity) transitions", hint: "a lower bufferCapacity",
      remedies: [.hyperparameter("bufferCapacity", value: "N")])
    let share = Self.laneCapacity(capacity, lanes)
    self.init(
      capacity: max(capacity, share), laneCapacity: share, slots: Self.slotCount(share),
      observationSize: observationSize, actionSize: actionSize, lanes: lanes)
  }

  /// A buffer for a known number of frames, none of which is ever dropped.
  package init(frames: Int, observationSize: Int, actionSize: Int) throws {
    let (bytes, overflow) = frames.multipliedReportingOverflow(
      by: 4 * Self.frameWidth(observationSize: observationSize, actionSize: actionSize))
    try Memory.check(overflow ? .max : bytes, for: "a data set of \(frames) observations", hint: "fewer transitions")
    self.init(
      capacity: max(1, frames), laneCapacity: max(1, frames), slots: frames.clampedSum(16),
      observationSize: observationSize,
      actionSize: actionSize, lanes: 1)
  }

  private init(
    capacity: Int, laneCapacity: Int, slots: Int, observationSize: Int, actionSize: Int, lanes: Int
  ) {
    (self.capacity, self.laneCapacity, laneSlots) = (capacity, laneCapacity, slots)
    (self.observationSize, self.actionSize) = (observationSize, actionSize)
    self.lanes = [Lane](repeating: Lane(), count: lanes)
    frames = FrameStore(
      count: lanes * slots, width: Self.frameWidth(observationSize: observationSize, actionSize: actionSize))
  }

  private static func laneCapacity(_ capacity: Int, _ lanes: Int) -> Int { (capacity - 1) / lanes + 1 }

  /// The number of frames for `capacity` transitions: an eighth more for final frames, and one that waits for its action.
  private static func slotCount(_ capacity: Int) -> Int {
    let (count, overflow) = capacity.addingReportingOverflow(capacity / 8 + 16)
    return overflow ? .max : count
  }

  /// The size of a buffer in bytes.
  public static func byteCount(capacity: Int, observationSize: Int, actionSize: Int, lanes: Int = 1) -> Int {
    let (slots, tooMany) = slotCount(laneCapacity(capacity, lanes)).multipliedReportingOverflow(by: lanes)
    let (bytes, overflow) = slots.multipliedReportingOverflow(
      by: 4 * frameWidth(observationSize: observationSize, actionSize: actionSize))
    return tooMany || overflow ? .max : bytes
  }

  /// The number of environments that add to the buffer.
  public var laneCount: Int { lanes.count }

  /// The number of values in one frame.
  public var frameWidth: Int { Self.frameWidth(observationSize: observationSize, actionSize: actionSize) }

  package static func frameWidth(observationSize: Int, actionSize: Int) -> Int { observationSize + actionSize + 2 }

  var rewardColumn: Int { observationSize + actionSize }
  var kindColumn: Int { observationSize + actionSize + 1 }

  /// The number of slots over all lanes: the length of an array with an entry for each slot.
  package var slotCount: Int { lanes.count * laneSlots }

  // MARK: adding

  /// Begins an episode of a lane with its first observation (S).
  public mutating func beginEpisode(_ observation: Span<Float>, lane: Int = 0) {
    precondition(!lanes[lane].isOpen, "the last episode has not ended")
    frames.write(observation, at: headSlot(lane), offset: 0)
    lanes[lane].isOpen = true
  }

  /// Adds the transition from a lane's waiting observation. `action` (A) is in [−1, 1]; `next` (S) is the true next observation.
  public mutating func add(
    lane: Int = 0, action: Span<Float>, reward: Float, terminated: Bool, truncated: Bool, next: Span<Float>
  ) {
    precondition(lanes[lane].isOpen, "no episode has begun")
    frames.write(action, at: headSlot(lane), offset: observationSize)
    let kind = (terminated ? Kind.terminated : Kind.goesOn) + (truncated ? Kind.truncated : Kind.goesOn)
    close(lane, reward: reward, kind: kind)
    count += 1
    lanes[lane].count += 1
    frames.write(next, at: headSlot(lane), offset: 0)
    if terminated || truncated { endEpisode(lane) }
    while lanes[lane].count > laneCapacity { dropOldest(lane) }
  }

  /// Ends an episode that the simulator broke off. Its transitions so far stay.
  public mutating func abandonEpisode(lane: Int = 0) {
    if lanes[lane].isOpen { endEpisode(lane) }
  }

  /// Ends a piece of an episode before a gap in the data: the next observation need not begin an episode.
  package mutating func breakOff(lane: Int = 0) {
    if lanes[lane].isOpen { endEpisode(lane, Kind.broken) }
  }

  private mutating func endEpisode(_ lane: Int, _ kind: Float = Kind.final) {
    // no action was taken here: clear the action of an older frame, so that it is not saved
    for column in observationSize..<rewardColumn { frames[headSlot(lane), column] = 0 }
    close(lane, reward: 0, kind: kind)
    lanes[lane].isOpen = false
  }

  private mutating func close(_ lane: Int, reward: Float, kind: Float) {
    let slot = headSlot(lane)
    frames[slot, rewardColumn] = reward
    frames[slot, kindColumn] = kind
    lanes[lane].closeFrame(slots: laneSlots)
    // the head itself must be free
    while lanes[lane].length >= laneSlots { dropOldest(lane) }
  }

  private mutating func dropOldest(_ lane: Int) {
    let isTransition = frames[slot(0, lane: lane), kindColumn] >= 0
    if isTransition { count -= 1 }
    lanes[lane].dropFrame(isTransition: isTransition)
  }

  // MARK: slots

  /// The slot of the observation that waits for its action.
  func headSlot(_ lane: Int) -> Int { lane &* laneSlots &+ lanes[lane].head }

  /// The slot of a lane's n-th oldest frame.
  func slot(_ n: Int, lane: Int) -> Int {
    let slot = lanes[lane].head - lanes[lane].length + n
    return lane &* laneSlots &+ (slot < 0 ? slot + laneSlots : slot)
  }

  /// The slot of the frame after that of a slot, in its lane.
  func slot(after slot: Int) -> Int {
    let next = slot + 1
    return next % laneSlots == 0 ? next - laneSlots : next
  }

  /// The slot of a lane's frame n, if the buffer holds it.
  func slot(ofNumber n: UInt64, lane: Int) -> Int { lane &* laneSlots &+ Int(n % UInt64(laneSlots)) }

  /// The number of frames from one slot to a later one of its lane: 1 for the next slot.
  func distance(from slot: Int, to later: Int) -> Int { later >= slot ? later - slot : later - slot + laneSlots }

  /// The slot that is some frames after another in its lane.
  func slot(_ slot: Int, advancedBy frames: Int) -> Int {
    let place = slot % laneSlots + frames
    return slot - slot % laneSlots + (place >= laneSlots ? place - laneSlots : place)
  }

  /// Whether the frame of a slot has an action. The last frame of an episode has none.
  func isTransition(_ slot: Int) -> Bool { frames[slot, kindColumn] >= 0 }

  // MARK: saving

  /// Removes everything: the buffer is as new.
  public mutating func removeAll() {
    count = 0
    generation += 1
    for lane in lanes.indices { lanes[lane] = Lane() }
  }

  /// Continues an episode that was running when the buffer was saved.
  public mutating func resumeEpisode(_ observation: Span<Float>, lane: Int = 0) {
    beginEpisode(observation, lane: lane)
  }

  /// Restores frame n of a lane. Frames are restored one by one, oldest first.
  ///
  /// - Precondition: `values` is one frame, the one after the frame restored before.
  public mutating func restoreFrame(_ n: UInt64, _ values: Span<Float>, lane: Int = 0) {
    precondition(values.count == frameWidth, "a frame of \(values.count) values, not \(frameWidth)")
    precondition(
      lanes[lane].length == 0 || n == lanes[lane].frameTotal, "frame \(n) after \(lanes[lane].frameTotal) frames")
    let place = Int(n % UInt64(laneSlots))
    frames.write(values, at: lane * laneSlots + place, offset: 0)
    lanes[lane].frameTotal = n + 1
    lanes[lane].length += 1
    lanes[lane].head = (place + 1) % laneSlots
    if values[kindColumn] >= 0 {
      count += 1
      lanes[lane].count += 1
    }
    // if there are more frames than fit, the newest stay, as if they had been added
    while lanes[lane].length >= laneSlots || lanes[lane].count > laneCapacity { dropOldest(lane) }
  }
}
