// ReplaySampling.swift — fills a batch from a replay buffer: uniform draws, and n-step returns.
//
//   R = Σ_{k<m} γᵏ r_{t+k},   next observation s_{t+m},   weight of its value γᵐ (1 − d)
//
// m is n, or less if the episode terminates, is truncated or has no further steps yet. The window then ends there, with the true
// observation and the power of γ of its m steps.

import Kernels
import Platform

extension ReplayBuffer {
  /// Fills a batch with transitions drawn uniformly, with replacement.
  ///
  /// - Precondition: the buffer is not empty.
  public func sample(
    into batch: borrowing Batch, returns: NStepReturn = NStepReturn(discount: 1), using stream: inout RandomStream,
    workers: WorkerPool
  ) {
    drawUniformly(batch, using: &stream)
    gather(batch, returns: returns, workers: workers)
  }

  /// Chooses the slots of a batch: transitions, uniformly, with replacement.
  func drawUniformly(_ batch: borrowing Batch, using stream: inout RandomStream) {
    precondition(count > 0, "sampling from an empty buffer")
    let total = lanes.reduce(0) { $0 + $1.length }
    stream.fillIndices(batch.slots, below: total)
    for row in 0..<batch.count { batch.slots[row] = slot(ofFrame: batch.slots[row]) }
    frames.read(column: kindColumn, rows: batch.slots, into: batch.kinds)
    // a final frame is not a transition: draw again
    for row in 0..<batch.count where batch.kinds[row] < 0 {
      while batch.kinds[row] < 0 {
        batch.slots[row] = slot(ofFrame: stream.index(below: total))
        batch.kinds[row] = frames[batch.slots[row], kindColumn]
      }
    }
  }

  /// The slot of the n-th frame, counted over all lanes.
  private func slot(ofFrame n: Int) -> Int {
    if lanes.count == 1 { return slot(n, lane: 0) }
    var (n, lane) = (n, 0)
    while n >= lanes[lane].length {
      n -= lanes[lane].length
      lane += 1
    }
    return slot(n, lane: lane)
  }

  /// Fills the rows of a batch from the transitions in its slots.
  package func gather(_ batch: borrowing Batch, returns: NStepReturn, workers: WorkerPool) {
    workers.forEachChunk(ofRows: batch.count) { rows in
      for row in rows {
        if row + Self.lookahead < rows.upperBound { frames.prefetch(batch.slots[row + Self.lookahead]) }
        let slot = batch.slots[row]
        frames.read(at: slot, offset: 0, into: batch.observations, row: row)
        frames.read(at: slot, offset: observationSize, into: batch.actions, row: row)
        if returns.steps == 1 {
          gatherStep(slot, discount: returns.discount, into: batch, row: row)
        } else {
          gatherWindow(slot, returns, into: batch, row: row)
        }
      }
    }
  }

  /// Number of rows between prefetching a frame and reading it, so that cache misses overlap.
  private static let lookahead = 8

  private func gatherStep(_ slot: Int, discount: Float, into batch: borrowing Batch, row: Int) {
    frames.read(at: self.slot(after: slot), offset: 0, into: batch.nextObservations, row: row)
    batch.rewards[row] = frames[slot, rewardColumn]
    // d is 1 only for a termination, 0 for a truncation
    // differs: also on the episode's last allowed step, where Spinning Up and sfujim/TD3 take every end for a cut
    let terminated: Float = Kind.isTerminated(frames[slot, kindColumn]) ? 1 : 0
    batch.terminated[row] = terminated
    batch.discounts[row] = discount * (1 - terminated)
  }

  private func gatherWindow(_ first: Int, _ returns: NStepReturn, into batch: borrowing Batch, row: Int) {
    let waiting = headSlot(first / laneSlots)
    var slot = first
    var (sum, power, steps) = (0.0, 1.0, 0)
    var kind = Kind.goesOn
    repeat {
      kind = frames[slot, kindColumn]
      sum += power * Double(frames[slot, rewardColumn])
      power *= Double(returns.discount)
      steps += 1
      slot = self.slot(after: slot)
      // the window ends at an episode's end, and at a frame without an action: the newest, or the last before a gap
    } while steps < returns.steps && kind == Kind.goesOn && slot != waiting && frames[slot, kindColumn] >= 0
    frames.read(at: slot, offset: 0, into: batch.nextObservations, row: row)
    let terminated = Kind.isTerminated(kind)
    batch.rewards[row] = Float(sum)
    batch.terminated[row] = terminated ? 1 : 0
    batch.discounts[row] = terminated ? 0 : Float(power)
  }
}
