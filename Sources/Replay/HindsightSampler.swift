// HindsightSampler.swift — hindsight replay: relabels transitions with goals that their own episode reached.
// Andrychowicz et al. 2017, "Hindsight Experience Replay", arXiv:1707.01495: strategies of section 4.5.
//
// Rows are drawn uniformly. Of k + 1 rows all but one get another goal. With `future` it is the goal reached after a step drawn
// uniformly from the row's own step to the last of its episode. Rewards and terminations are recomputed for that goal.

import Environments
import Kernels

/// The step of a row's episode whose achieved goal becomes the row's new goal.
package enum HindsightStrategy: Sendable {
  /// The row's own step or a later one.
  case future
  /// The last step.
  case final
  /// Any step; if the beginning of the episode was dropped, any of the steps that are left.
  case episode
}

package final class HindsightSampler: Sampler {
  /// k
  private let goals: Int
  /// γ
  private let discount: Float
  private let environment: any GoalEnvironment
  private let layout: GoalLayout
  private let strategy: HindsightStrategy

  /// The slot of the last frame of each slot's episode; −1 while the episode runs.
  private var ends: [Int32]
  /// The slot of the first frame of each slot's episode; empty unless the strategy is `episode`.
  private var starts: [Int32]
  private var seen: [Seen]  // one for each lane
  /// The buffer's generation that `ends` belong to.
  private var generation = 0

  /// The frames of a lane that have an entry in `ends`.
  private struct Seen {
    /// The frame after the newest one seen.
    var total: UInt64 = 0
    /// The first frame of the episode that was running at that time.
    var start: UInt64 = 0
  }

  // the rows of a batch, with their new goals
  private var isReplaced: [Bool]  // (B)
  private var achieved: [Float]  // (B × G)
  private var desired: [Float]  // (B × G)
  private var rewards: [Float]  // (B)
  private var terminated: [Bool]  // (B)

  /// - Parameters:
  ///   - environment: computes rewards and terminations; it is not stepped.
  ///   - batchSize: B
  /// - Precondition: the observations of buffer and environment have the same size.
  package init(
    for buffer: borrowing ReplayBuffer, goals: Int, strategy: HindsightStrategy = .future,
    environment: any GoalEnvironment, discount: Float, batchSize: Int
  ) {
    (self.goals, self.discount, self.environment, self.strategy) = (goals, discount, environment, strategy)
    layout = environment.goalLayout
    precondition(goals > 0, "\(goals) goals in place of an episode's own")
    precondition(
      layout.count == buffer.observationSize, "goals of \(layout.count) values, not \(buffer.observationSize)")
    ends = [Int32](repeating: -1, count: buffer.slotCount)
    starts = [Int32](repeating: 0, count: strategy == .episode ? buffer.slotCount : 0)
    seen = [Seen](repeating: Seen(), count: buffer.laneCount)
    isReplaced = [Bool](repeating: false, count: batchSize)
    achieved = [Float](repeating: 0, count: batchSize * layout.goalSize)
    desired = [Float](repeating: 0, count: batchSize * layout.goalSize)
    rewards = [Float](repeating: 0, count: batchSize)
    terminated = [Bool](repeating: false, count: batchSize)
  }

  // differs: rows of an episode that is still running are drawn too, with the goal it has; in SB3 only finished ones are
  package func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) {
    catchUp(with: buffer)
    buffer.drawUniformly(batch, using: &stream)
  }

  package func relabel(
    _ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream
  ) throws {
    precondition(batch.count == isReplaced.count, "\(batch.count) rows, not \(isReplaced.count)")
    for row in 0..<batch.count {
      chooseGoal(of: row, batch, buffer, using: &stream)
      terminated[row] = batch.terminated[row] != 0
    }
    // rows that keep their goal are computed too, so that each call has B rows, and are then left unchanged
    try recompute()
    for row in 0..<batch.count where isReplaced[row] {
      if !rewards[row].isFinite { throw SamplerError.recomputedReward(rewards[row]) }
      for i in 0..<layout.goalSize {
        let value = desired[row * layout.goalSize + i]
        batch.observations[row, layout.desired.lowerBound + i] = value
        batch.nextObservations[row, layout.desired.lowerBound + i] = value
      }
      batch.rewards[row] = rewards[row]
      // differs: d is that of the new goal, too; in SB3, rlkit and others it stays that of the old one
      let d: Float = terminated[row] ? 1 : 0
      batch.terminated[row] = d
      batch.discounts[row] = discount * (1 - d)
    }
  }

  /// Writes the goal that a row's step has achieved, and the goal that the row has from now on.
  private func chooseGoal(
    of row: Int, _ batch: borrowing Batch, _ buffer: borrowing ReplayBuffer, using stream: inout RandomStream
  ) {
    let slot = batch.slots[row]
    let next = buffer.slot(after: slot)
    var (goalSlot, goalColumn) = (next, layout.desired.lowerBound)
    // one of k + 1 rows keeps its goal, and so does each row of an episode that has not ended
    isReplaced[row] = stream.index(below: goals + 1) > 0 && ends[slot] >= 0
    if isReplaced[row] {
      // g ← g_achieved(s_{j+1}),  j ~ U{t, …, T − 1} by `future`, T − 1 by `final`, U{0, …, T − 1} by `episode`
      let end = Int(ends[slot])
      goalColumn = layout.achieved.lowerBound
      switch strategy {
      case .future:
        goalSlot = buffer.slot(slot, advancedBy: 1 + stream.index(below: buffer.distance(from: slot, to: end)))
      case .final:
        goalSlot = end
      case .episode:
        let start = firstHeld(before: slot, buffer)
        goalSlot = buffer.slot(start, advancedBy: 1 + stream.index(below: buffer.distance(from: start, to: end)))
      }
    }
    for i in 0..<layout.goalSize {
      achieved[row * layout.goalSize + i] = buffer.frames[next, layout.achieved.lowerBound + i]
      desired[row * layout.goalSize + i] = buffer.frames[goalSlot, goalColumn + i]
    }
  }

  /// The first frame of a slot's episode, or the oldest frame of the lane if the first was dropped.
  private func firstHeld(before slot: Int, _ buffer: borrowing ReplayBuffer) -> Int {
    let (start, oldest) = (Int(starts[slot]), buffer.slot(0, lane: slot / buffer.laneSlots))
    return buffer.distance(from: start, to: slot) > buffer.distance(from: oldest, to: slot) ? oldest : start
  }

  /// Rewards and terminations of all rows, in one call.
  private func recompute() throws {
    // moved out of the class and back, since a span may not outlive the access to a property; nothing is copied
    var (newRewards, newTerminated): ([Float], [Bool]) = ([], [])
    swap(&newRewards, &rewards)
    swap(&newTerminated, &terminated)
    defer {
      swap(&newRewards, &rewards)
      swap(&newTerminated, &terminated)
    }
    let (achieved, desired) = (achieved, desired)
    var rewardSpan = newRewards.mutableSpan
    var terminatedSpan = newTerminated.mutableSpan
    try environment.recompute(
      achieved: achieved.span, desired: desired.span, rewards: &rewardSpan, terminated: &terminatedSpan)
  }

  // MARK: the buffer's changes

  /// Records the ends of the episodes that have ended since the last draw. Each frame is read once and written twice.
  private func catchUp(with buffer: borrowing ReplayBuffer) {
    if buffer.generation != generation { forget() }
    generation = buffer.generation
    for lane in seen.indices {
      let held = buffer.frameRange(lane: lane)
      if held.upperBound == seen[lane].total { continue }
      // differs: of an episode whose beginning was dropped the rest stays; in SB3 one dropped step ends all of it
      var start = max(seen[lane].start, held.lowerBound)
      for n in max(seen[lane].total, held.lowerBound)..<held.upperBound {
        let slot = buffer.slot(ofNumber: n, lane: lane)
        ends[slot] = -1
        guard !buffer.isTransition(slot) else { continue }
        for m in start..<(n + 1) { ends[buffer.slot(ofNumber: m, lane: lane)] = Int32(slot) }
        if strategy == .episode {
          let first = Int32(buffer.slot(ofNumber: start, lane: lane))
          for m in start..<(n + 1) { starts[buffer.slot(ofNumber: m, lane: lane)] = first }
        }
        start = n + 1
      }
      seen[lane] = Seen(total: held.upperBound, start: start)
    }
  }

  // MARK: saving

  /// An empty state: the ends of episodes are found again in the frames of the buffer.
  package var state: SamplerState { SamplerState() }

  package func restore(_ state: SamplerState) throws {
    if !state.isEmpty { throw SamplerError.foreignState("numbers where this sampler keeps none") }
    forget()
  }

  private func forget() {
    for lane in seen.indices { seen[lane] = Seen() }
  }
}
