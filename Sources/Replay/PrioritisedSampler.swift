// PrioritisedSampler.swift — prioritised replay: draws transitions with a large |TD error| more often.
// Schaul et al. 2016, "Prioritized Experience Replay", arXiv:1511.05952: proportional prioritisation, algorithm 1.
//
//   paper      here                         paper   here
//   p_i        |error| + ε, α not applied   α       alpha
//   p_i^α      weights[slot]                β       beta, which rises to 1
//   w_i        batch.weights                N       transitions in the buffer

import Kernels
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package final class PrioritisedSampler: Sampler {
  private let alpha: Double
  private let beta: Double
  private let betaSteps: Int
  private let epsilon: Double
  private let laneSlots: Int

  /// p^α of the transition in each slot; 0 for a slot without a transition.
  private var weights: SumTree
  /// The largest p^α so far; 1 before the first update.
  private var largestWeight = 1.0
  private var updates = 0
  /// For each lane the numbers of the frames with a weight: the frames in the buffer at the last draw.
  private var seen: [Range<UInt64>]
  /// The buffer's generation that the weights belong to; nil: the one that the next draw finds.
  private var generation: Int?

  /// - Throws: `InsufficientMemory` if there is no room for the tree: two numbers for each slot of the buffer.
  package init(
    for buffer: borrowing ReplayBuffer, alpha: Double, beta: Double, betaSteps: Int, epsilon: Double
  ) throws {
    (self.alpha, self.beta, self.betaSteps, self.epsilon) = (alpha, beta, betaSteps, epsilon)
    laneSlots = buffer.laneSlots
    try Memory.check(
      SumTree.byteCount(buffer.slotCount), for: "the priorities of \(buffer.capacity) transitions",
      hint: "a lower bufferCapacity", remedies: [.hyperparameter("bufferCapacity", value: "N")])
    weights = SumTree(count: buffer.slotCount)
    seen = Self.nothing(buffer.laneCount)
  }

  package func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) {
    catchUp(with: buffer)
    precondition(weights.total > 0, "sampling from an empty buffer")

    // P(i) = p_i^α / Σ_k p_k^α, one draw from each of B equal parts of the sum                          (eq. 1, B.2.1)
    let part = weights.total / Double(batch.count)
    var smallest = Double.infinity
    for row in 0..<batch.count {
      // 53 bits: numbers of single precision could not select every one of a million transitions
      let uniform = Double(stream.next() >> 11) * 0x1p-53
      let slot = weights.item(at: (Double(row) + uniform) * part)
      batch.slots[row] = slot
      smallest = min(smallest, weights[slot])
    }

    // w_i = (N P(i))^−β / max_j w_j: the smallest P has the largest w, and N and the sum cancel             (section 3.4)
    // differs: divided by the largest weight of the batch, not by that of the buffer
    let beta = currentBeta
    for row in 0..<batch.count { batch.weights[row] = Float(pow(smallest / weights[batch.slots[row]], beta)) }
  }

  /// β of the next update: from `beta` linearly to 1.
  package var currentBeta: Double {
    updates >= betaSteps ? 1 : beta + (1 - beta) * Double(updates) / Double(betaSteps)
  }

  package func learned(from batch: borrowing Batch) {
    // p_i ← |δ_i| + ε;  for a transition that was drawn twice, the last row counts
    for row in 0..<batch.count {
      let weight = pow(Double(batch.errors[row]) + epsilon, alpha)
      weights[batch.slots[row]] = weight
      largestWeight = max(largestWeight, weight)
    }
    updates += 1
  }

  // MARK: the buffer's changes

  /// Gives new transitions the largest weight so far, and weight 0 to frames that were dropped or are not transitions.
  private func catchUp(with buffer: borrowing ReplayBuffer) {
    if let generation, generation != buffer.generation {
      weights.removeAll()
      seen = Self.nothing(seen.count)
    }
    generation = buffer.generation
    for lane in seen.indices {
      let held = buffer.frameRange(lane: lane)
      if held == seen[lane] { continue }
      let old = seen[lane]
      let dropped = old.lowerBound..<max(old.lowerBound, min(held.lowerBound, old.upperBound))
      for n in dropped { weights[slot(n, lane: lane)] = 0 }
      // p ← max_i p_i                                                                               (algorithm 1, line 6)
      for n in max(held.lowerBound, old.upperBound)..<held.upperBound {
        let slot = slot(n, lane: lane)
        weights[slot] = buffer.isTransition(slot) ? largestWeight : 0
      }
      seen[lane] = held
    }
  }

  private static func nothing(_ lanes: Int) -> [Range<UInt64>] { [Range<UInt64>](repeating: 0..<0, count: lanes) }

  private func slot(_ n: UInt64, lane: Int) -> Int { lane * laneSlots + Int(n % UInt64(laneSlots)) }

  // MARK: saving

  package var state: SamplerState {
    var saved: [Double] = []
    saved.reserveCapacity(seen.reduce(0) { $0 + $1.count })
    for lane in seen.indices { for n in seen[lane] { saved.append(weights[slot(n, lane: lane)]) } }
    return SamplerState(
      numbers: ["updates": Double(updates), "largestWeight": largestWeight],
      arrays: [
        "weights": saved, "firstFrames": seen.map { Double($0.lowerBound) },
        "endFrames": seen.map { Double($0.upperBound) },
      ])
  }

  package func restore(_ state: SamplerState) throws {
    let (first, end, saved) = (
      try state.counts("firstFrames"), try state.counts("endFrames"), try state.array("weights")
    )
    let largest = try state.number("largestWeight")
    guard let updates = Int(exactly: try state.number("updates")), updates >= 0, largest > 0 else {
      throw SamplerError.foreignState("an impossible count of updates or largest weight")
    }
    guard first.count == seen.count, end.count == seen.count, zip(first, end).allSatisfy({ $0 <= $1 }),
      zip(first, end).reduce(0, { $0 + ($1.1 - $1.0) }) == UInt64(saved.count)
    else { throw SamplerError.foreignState("\(saved.count) weights in \(first.count) lanes, not \(seen.count)") }
    guard saved.allSatisfy({ $0 >= 0 && $0 <= largest }) else {
      throw SamplerError.foreignState("a negative or too large priority")
    }

    weights.removeAll()
    generation = nil
    (self.updates, largestWeight) = (updates, largest)
    var next = saved.startIndex
    for lane in seen.indices {
      // if there are more frames than slots, the newest stay, as in the buffer itself
      let skipped = max(0, Int(end[lane] - first[lane]) - laneSlots)
      seen[lane] = (first[lane] + UInt64(skipped))..<end[lane]
      next += skipped
      for n in seen[lane] {
        weights[slot(n, lane: lane)] = saved[next]
        next += 1
      }
    }
  }
}
