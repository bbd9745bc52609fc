// BatchLearning.swift — updates of critics and policies with batch normalisation: the critics' joint pass, the policy's pass.
//
// The joint pass (Bhatt 2024, eq. 3) has (s, a) and (s′, a′) as the two halves of one batch, so that both are normalised by the
// statistics of their mixture:
//
//   [ Q_j(s, a) ; Q_j(s′, a′) ] = Q_j([ s ; s′ ], [ a ; a′ ])
//
// Only Q_j(s, a) has a gradient, but the statistics are of all 2B rows, so it reaches the rows of both halves.

import Kernels
import Platform

extension WorkerPool {
  /// B pairs into rows 0 ..< B of some networks' inputs, and the next ones into rows B ..< 2B.
  func join(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, next nextObservations: borrowing Matrix,
    _ nextActions: borrowing Matrix, into activations: borrowing FixedArray<Activations>
  ) {
    forEachChunk(ofRows: observations.rows, of: activations.count) { j, rows in
      Kernels.join(Input(observations, actions), into: activations[j].input, rows: rows)
      Kernels.join(
        Input(nextObservations, nextActions), into: activations[j].input, at: observations.rows, rows: rows)
    }
  }
}

extension Critics {
  /// Evaluates Q_j(s, a) in rows 0 ..< B and Q_j(s′, a′) in rows B ..< 2B, normalised together, and updates the running statistics.
  ///
  /// - Precondition: the critics have batch normalisation and room for 2B rows.
  package func evaluateJointly(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, next nextObservations: borrowing Matrix,
    _ nextActions: borrowing Matrix, by workers: WorkerPool
  ) {
    let rows = observations.rows
    workers.join(observations, actions, next: nextObservations, nextActions, into: activations)
    workers.forwardBatch(networks, activations, rows: 2 * rows) { j, rows in
      let network = networks[j]
      headForward(
        activations[j].normalized[network.layout.blocks.count], network.values, at: network.layout.output.offset,
        into: values[j], rows: rows)
    }
  }

  /// The smallest Q_j(s′, a′) of the last joint pass over B rows; NaN if one of them is.
  package func nextMinimum(at row: Int, of rows: Int) -> Float { minimum(at: rows + row) }

  /// The backward pass of Σ_j mean w ℓ(Q_j − y) over the first B rows of a joint pass, through all 2B rows: ∂/∂Q_j =
  /// w ℓ′(Q_j − y) · scale in the first half and 0 in the second.
  package func backwardJointly(
    _ loss: ValueLoss, to targets: borrowing Block, weights: borrowing Block, scale: Float, rows: Int,
    by workers: WorkerPool
  ) {
    for j in 0..<count {
      Self.errorGradient(loss, values[j], targets, weights, scale: scale, into: valueGradients[j], rows: 0..<rows)
      valueGradients[j].fill(0, rows..<2 * rows)
    }
    workers.backwardBatch(networks, activations, rows: 2 * rows) { j, rows in
      let network = networks[j]
      headInputGradient(
        valueGradients[j], network.values, at: network.layout.output.offset,
        into: activations[j].gradients[network.layout.blocks.count - 1], rows: rows)
    }
  }

  /// ∂J_Q/∂θ_j of a share of critic j's parameters after `backwardJointly` over B rows.
  package func jointWeightGradients(_ j: Int, rows: Int, _ share: Share) {
    networks[j].weightGradients(
      Input(activations[j].input), activations[j], output: valueGradients[j], rows: 2 * rows, share)
  }

  /// The distance of the last batch's means from the running means, in running deviations; the mean over the critics.
  package var statisticsLag: Double { activations.statisticsLag(networks) }
}

extension SquashedGaussian {
  /// Draws an action for each row of a batch, normalised by the batch's statistics, and updates the running statistics.
  ///
  /// - Precondition: the policy has batch normalisation.
  package func sampleBatch(
    _ observations: borrowing Matrix, noise: borrowing Block, into draw: borrowing PolicyDraw, by workers: WorkerPool
  ) {
    let rows = observations.rows
    workers.forEachChunk(ofRows: rows) { rows in join(Input(observations), into: activations[0].input, rows: rows) }
    workers.forwardBatch(networks, activations, rows: rows) { _, rows in
      denseForward(
        Input(activations[0].normalized[parameters.layout.blocks.count]), parameters.values,
        at: parameters.layout.output.offset, into: heads, rectify: false, rows: rows)
      sampleAgain(0, noise: noise, into: draw, rows: rows)
    }
  }

  /// The backward pass of ∂L/∂a (B × A) and ∂L/∂log π of the last `sampleBatch`.
  package func backwardBatch(actionGradient: borrowing Matrix, logProbabilityGradient: Float, by workers: WorkerPool) {
    workers.backwardBatch(networks, activations, rows: actionGradient.rows) { _, rows in
      gaussianGradient(
        record, actionGradient: actionGradient, logProbabilityGradient: logProbabilityGradient, into: headGradients,
        rows: rows)
      parameters.backwardBatchOutput(headGradients, activations[0], rows: rows)
    }
  }

  /// Lets the running statistics see a batch from which nothing is learned.
  ///
  /// - Precondition: the policy has batch normalisation.
  package func observeBatch(_ observations: borrowing Matrix, by workers: WorkerPool) {
    let rows = observations.rows
    workers.forEachChunk(ofRows: rows) { rows in join(Input(observations), into: activations[0].input, rows: rows) }
    workers.forwardBatch(networks, activations, rows: rows) { _, _ in }
    parameters.refreshInference(.whole)
  }

  /// The distance of the last batch's means from the running means, in running deviations.
  package var statisticsLag: Double { parameters.statisticsLag(activations[0]) }
}
