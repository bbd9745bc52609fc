// ReplayFrames.swift — the frames of a replay buffer by number, for checkpoints and data sets.

import Kernels

extension ReplayBuffer {
  /// The frames that a lane holds, by number: the n-th frame that it ever closed is n.
  public func frameRange(lane: Int) -> Range<UInt64> {
    (lanes[lane].frameTotal - UInt64(lanes[lane].length))..<lanes[lane].frameTotal
  }

  /// The frames of the first lane, which is the only one of data and of one environment.
  public var frameRange: Range<UInt64> { frameRange(lane: 0) }

  /// Frames that the first lane ever closed.
  public var frameTotal: UInt64 { lanes[0].frameTotal }

  /// The values of some frames that a lane holds, frame after frame.
  public func frameValues(_ range: Range<UInt64>, lane: Int = 0) -> [Float] {
    let held = frameRange(lane: lane)
    precondition(
      range.isEmpty || (range.lowerBound >= held.lowerBound && range.upperBound <= held.upperBound), "frames \(range)")
    var values: [Float] = []
    values.reserveCapacity(range.count * frameWidth)
    // in at most two pieces: the ring goes round
    var n = range.lowerBound
    while n < range.upperBound {
      let first = Int(n % UInt64(laneSlots))
      let count = min(range.upperBound - n, UInt64(laneSlots - first))
      values += frames.values(of: (lane * laneSlots + first)..<(lane * laneSlots + first + Int(count)))
      n += count
    }
    return values
  }

  /// Shows every frame held, lane after lane, oldest first: observation, action, reward, kind.
  package func forEachFrame(_ body: (ArraySlice<Float>) throws -> Void) rethrows {
    for lane in 0..<laneCount {
      let range = frameRange(lane: lane)
      var next = range.lowerBound
      while next < range.upperBound {
        let end = min(range.upperBound, next + 4096)
        let values = frameValues(next..<end, lane: lane)
        for i in 0..<Int(end - next) { try body(values[(i * frameWidth)..<((i + 1) * frameWidth)]) }
        next = end
      }
    }
  }

  /// s ← (s − shift) / scale for every observation held.
  package func transformObservations(shift: [Float], scale: [Float]) {
    precondition(shift.count == observationSize && scale.count == observationSize, "\(shift.count) shifts")
    for lane in 0..<laneCount {
      for n in 0..<lanes[lane].length {
        let slot = slot(n, lane: lane)
        for i in 0..<observationSize { frames[slot, i] = (frames[slot, i] - shift[i]) / scale[i] }
      }
    }
  }

  /// A copy in one lane, lane after lane, with room for more frames, counted from 0 on. An episode that is running is to be
  /// resumed.
  ///
  /// - Precondition: of several lanes none has an episode that is running.
  package func copy(frames: Int) throws -> ReplayBuffer {
    precondition(laneCount == 1 || lanes.allSatisfy { !$0.isOpen }, "an episode is running in one of several lanes")
    var copy = try ReplayBuffer(frames: frames, observationSize: observationSize, actionSize: actionSize)
    var number: UInt64 = 0
    for lane in 0..<laneCount {
      let range = frameRange(lane: lane)
      // where the next lane has dropped frames, it does not go on at an episode's start
      let isGap = lane + 1 < laneCount && frameRange(lane: lane + 1).lowerBound > 0
      for n in range {
        var values = frameValues(n..<(n + 1), lane: lane)
        if isGap && n == range.upperBound - 1 { values[kindColumn] = Kind.broken }
        copy.restoreFrame(number, values.span)
        number += 1
      }
    }
    return copy
  }
}
