// ReplayFrames.swift — reads and copies the frames of a replay buffer by number, for checkpoints and data sets.

import Kernels

extension ReplayBuffer {
  /// The numbers of the frames that a lane holds. Frame n is the n-th frame that the lane ever completed.
  public func frameRange(lane: Int) -> Range<UInt64> {
    (lanes[lane].frameTotal - UInt64(lanes[lane].length))..<lanes[lane].frameTotal
  }

  /// The numbers of the frames of the first lane, the only lane for data and for one environment.
  public var frameRange: Range<UInt64> { frameRange(lane: 0) }

  /// Whether a lane has dropped frames. The buffer is then as full as it will ever be; with short episodes that may be below
  /// its capacity.
  package var hasDropped: Bool { (0..<laneCount).contains { frameRange(lane: $0).lowerBound > 0 } }

  /// The number of frames that the first lane ever completed.
  public var frameTotal: UInt64 { lanes[0].frameTotal }

  /// The values of some frames of a lane, frame after frame.
  public func frameValues(_ range: Range<UInt64>, lane: Int = 0) -> [Float] {
    let held = frameRange(lane: lane)
    precondition(
      range.isEmpty || (range.lowerBound >= held.lowerBound && range.upperBound <= held.upperBound), "frames \(range)")
    var values: [Float] = []
    values.reserveCapacity(range.count * frameWidth)
    // in at most two pieces, since the ring wraps around
    var n = range.lowerBound
    while n < range.upperBound {
      let first = Int(n % UInt64(laneSlots))
      let count = min(range.upperBound - n, UInt64(laneSlots - first))
      values += frames.values(of: (lane * laneSlots + first)..<(lane * laneSlots + first + Int(count)))
      n += count
    }
    return values
  }

  /// Calls a function for every frame, lane after lane, oldest first: observation, action, reward, kind.
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

  /// s ← (s − shift) / scale for every observation.
  package func transformObservations(shift: [Float], scale: [Float]) {
    precondition(shift.count == observationSize && scale.count == observationSize, "\(shift.count) shifts")
    for lane in 0..<laneCount {
      for n in 0..<lanes[lane].length {
        let slot = slot(n, lane: lane)
        for i in 0..<observationSize { frames[slot, i] = (frames[slot, i] - shift[i]) / scale[i] }
      }
    }
  }

  /// A copy with room for more frames, whose numbers begin with 0. A running episode must be resumed by the caller.
  ///
  /// - Precondition: there is one lane.
  package func copy(frames: Int) throws -> ReplayBuffer {
    var copy = try ReplayBuffer(frames: frames, observationSize: observationSize, actionSize: actionSize)
    _ = copy.append(self, from: 0)
    return copy
  }

  /// Appends the frames of another buffer, as frames `first`, `first + 1`, …; both buffers have one lane.
  ///
  /// - Parameter endsInGap: whether a gap follows, so that the next frame need not begin an episode.
  /// - Returns: the number of the next frame.
  package mutating func append(
    _ other: borrowing ReplayBuffer, from first: UInt64, endsInGap: Bool = false
  ) -> UInt64 {
    precondition(laneCount == 1 && other.laneCount == 1, "data are in one lane")
    var number = first
    let last = first + UInt64(other.frameRange.count)
    let kind = kindColumn
    other.forEachFrame { frame in
      var values = Array(frame)
      if endsInGap && number + 1 == last && values[kind] < 0 { values[kind] = Kind.broken }
      restoreFrame(number, values.span)
      number += 1
    }
    return number
  }
}
