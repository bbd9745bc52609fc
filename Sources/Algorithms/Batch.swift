// Batch.swift — B transitions (s, a, r, s′, d) as the update reads them.

import Kernels

public struct Batch: ~Copyable {
  public let count: Int
  public let observations: Matrix  // (B × S)
  public let actions: Matrix  // (B × A), in [−1, 1]
  public let rewards: Block  // (B)
  /// The true next observation, the final one where an episode ended; never a reset one.
  public let nextObservations: Matrix  // (B × S)
  /// d: 1 where the task ended, 0 where it went on or was only cut off.
  public let terminated: Block  // (B)

  /// Where the rows came from, while a replay buffer fills them.
  let frames: RowIndices  // (B)
  let kinds: Block  // (B)

  public init(count: Int, observationSize: Int, actionSize: Int) {
    self.count = count
    observations = Matrix(rows: count, columns: observationSize)
    actions = Matrix(rows: count, columns: actionSize)
    rewards = Block(count: count)
    nextObservations = Matrix(rows: count, columns: observationSize)
    terminated = Block(count: count)
    frames = RowIndices(count: count)
    kinds = Block(count: count)
  }
}
