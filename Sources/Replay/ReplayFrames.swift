// ReplayFrames.swift — the frames of a replay buffer by number, for checkpoints and data sets.

import Kernels

extension ReplayBuffer {
  /// The frames that a lane holds, by number: the n-th frame that it ever closed is n.
  public func frameRange(lane: Int) -> Range<UInt64> {
    (lanes[lane].frameTotal - UInt64(lanes[lane].length))..<lanes[lane].frameTotal
  }

  /// The frames of the first lane, which is the only one of data and of one environment.
  public var frameRange: Range<UInt64> { frameRange(lane: 0) }

  /// A lane has dropped frames: the buffer is as full as it will ever be, though short episodes may leave it below its
  /// capacity.
  package var hasDropped: Bool { (0..<laneCount).contains { frameRange(lane: $0).lowerBound > 0 } }

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

  /// A copy with room for more frames, counted from 0 on. An episode that is running is to be resumed.
  ///
  /// - Precondition: there is one lane.
  package func copy(frames: Int) throws -> ReplayBuffer {
    var copy = try ReplayBuffer(frames: frames, observationSize: observationSize, actionSize: actionSize)
    _ = copy.append(self, from: 0)
    return copy
  }

  /// Puts the frames of a buffer behind those of this one, as its frames `first`, `first + 1`, …; both have one lane.
  ///
  /// - Parameter endsInGap: what follows need not be an episode's start.
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
