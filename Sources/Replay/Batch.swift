// Batch.swift — a mini-batch: B transitions (s, a, r, s′, d) as an update reads them.

import Kernels

/// The transitions of one update, gathered from a replay buffer: one row each.
public struct Batch: ~Copyable {
  /// B
  public let count: Int
  /// s
  public let observations: Matrix  // (B × S)
  /// a
  public let actions: Matrix  // (B × A), in [−1, 1]
  /// Σ_{k<n} γᵏ r_{t+k}; the reward itself where n = 1.
  public let rewards: Block  // (B)
  /// The true observation after the n steps. Where an episode ended it is the final observation, never that of a reset.
  public let nextObservations: Matrix  // (B × S)
  /// d: 1 if the episode terminated within the n steps, 0 if it went on or was truncated.
  public let terminated: Block  // (B)
  /// γⁿ (1 − d): the factor of the value of the next observation. NaN until it is filled.
  public let discounts: Block  // (B)
  /// Importance weights of the critics' losses; 1 unless a sampler says otherwise.
  public let weights: Block  // (B)
  /// |Q(s, a) − y|, the mean over the critics: written by the update.
  public let errors: Block  // (B)

  /// The slot of the replay buffer that each row came from.
  package let slots: RowIndices  // (B)
  let kinds: Block  // (B)

  /// An empty batch; sampling fills it.
  public init(count: Int, observationSize: Int, actionSize: Int) {
    self.count = count
    observations = Matrix(rows: count, columns: observationSize)
    actions = Matrix(rows: count, columns: actionSize)
    rewards = Block(count: count)
    nextObservations = Matrix(rows: count, columns: observationSize)
    terminated = Block(count: count)
    discounts = Block(count: count)
    discounts.fill(.nan, 0..<count)
    weights = Block(count: count)
    weights.fill(1, 0..<count)
    errors = Block(count: count)
    slots = RowIndices(count: count)
    kinds = Block(count: count)
  }

  /// Fills `discounts` from `terminated`, for transitions of one step: γ (1 − d).
  public func setDiscounts(_ discount: Float) {
    for row in 0..<count { discounts[row] = discount * (1 - terminated[row]) }
  }
}

/// The n-step return (Sutton 1988): n rewards, then the critic's value.
public struct NStepReturn: Sendable, Equatable {
  /// γ
  public var discount: Float
  /// n
  public var steps: Int

  /// - Precondition: at least one step.
  public init(discount: Float, steps: Int = 1) {
    precondition(steps >= 1, "a return of \(steps) steps")
    (self.discount, self.steps) = (discount, steps)
  }
}
