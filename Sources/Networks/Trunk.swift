// Trunk.swift — the hidden blocks of a network: forward pass, backward pass, weight gradients.
//
//   u_k = h_{k−1} W_k + b_k,   h_k = f(norm(dropout(u_k))),   h_{−1} = x
//   ∂L/∂h_{k−1} = ∂L/∂u_k W_kᵀ,   ∂L/∂W_k = h_{k−1}ᵀ ∂L/∂u_k
//
// With ReLU alone h_k = relu(u_k) is one kernel, and so is ∂L/∂u_{k−1} = (∂L/∂u_k W_kᵀ) ⊙ [h_{k−1} > 0]. Where batches are
// normalised, layer k reads z_k in place of h_{k−1}; here by the running statistics, in BatchTrunk.swift by those of a batch.

import Kernels
import Platform

/// The activations of a forward pass, and what the backward pass needs besides.
package struct Activations: ~Copyable {
  /// h_k
  package let hidden: FixedArray<Matrix>  // (B × H_k)
  /// ∂L/∂u_k; empty where nothing is learned.
  package let gradients: FixedArray<Matrix>  // (B × H_k)
  /// f′ of block k; empty if the block is one kernel.
  let slopes: FixedArray<Matrix>  // (B × H_k)
  /// The factors of block k's dropout; empty if it has none.
  let dropped: FixedArray<Matrix>  // (B × H_k)
  /// Normalised values and inverse deviations of block k; empty if it has no normalisation.
  let norms: FixedArray<LayerNormRecord>  // (B × H_k)
  /// ∂L/∂ of what block k's normalisation gave; empty where it has none, or nothing is learned.
  let normGradients: FixedArray<Matrix>  // (B × H_k)
  /// The blocks' own activations, for those who ask about dead units.
  let blocks: [NetworkBlock]
  /// x, in one matrix; empty, as the next three are, where batches are not normalised.
  let input: Matrix  // (B × I)
  /// Whether z_k has ReLU behind its normalisation; hidden layers are the products before both then.
  let normalizesFirst: Bool
  /// What layer k reads: z_k, or max(0, z_k).
  let normalized: FixedArray<Matrix>  // (B × I_k)
  /// What the last batch's statistics made of z_k's columns.
  let batchRecords: FixedArray<BatchNormRecord>
  /// ∂L/∂z_0; empty where nothing is learned.
  let inputGradient: Matrix  // (B × I)

  /// - Parameter forBatches: whether batches are normalised by their own statistics, as where something is learned.
  package init(_ layout: Layout, rows: Int, forLearning: Bool, forBatches: Bool? = nil) {
    let blocks = layout.blocks
    self.blocks = blocks
    func matrices(when isNeeded: (NetworkBlock) -> Bool) -> FixedArray<Matrix> {
      FixedArray(count: blocks.count) {
        isNeeded(blocks[$0]) ? Matrix(rows: rows, columns: blocks[$0].units) : Matrix(rows: 0, columns: 0)
      }
    }
    hidden = matrices { _ in true }
    gradients = forLearning ? matrices { _ in true } : FixedArray(count: 0) { _ in Matrix(rows: 0, columns: 0) }
    slopes = matrices { !$0.isFused }
    dropped = matrices { $0.dropout > 0 }
    norms = FixedArray(count: blocks.count) {
      let isNeeded = blocks[$0].normalization == .layer
      return LayerNormRecord(rows: isNeeded ? rows : 0, columns: isNeeded ? blocks[$0].units : 0)
    }
    normGradients = matrices { forLearning && $0.normalization == .layer }
    let sizes = layout.sites.map(\.affine.inputs)
    let inputs = sizes.first ?? 0
    normalizesFirst = layout.normalizesFirst
    input = Matrix(rows: inputs > 0 ? rows : 0, columns: inputs)
    normalized = FixedArray(count: sizes.count) { Matrix(rows: rows, columns: sizes[$0]) }
    batchRecords = FixedArray(count: forBatches ?? forLearning ? sizes.count : 0) {
      BatchNormRecord(columns: sizes[$0])
    }
    inputGradient = Matrix(rows: forLearning && inputs > 0 ? rows : 0, columns: forLearning ? inputs : 0)
  }

  /// The last hidden layer: the input of the output layer.
  package var last: Int { hidden.count - 1 }
}

/// A draw of dropout, and the index where the numbers of a network begin in it.
package struct NetworkDropout: Sendable {
  let draw: DropoutDraw
  let first: Int

  /// The dropout of network j of several with the same layout, whose batches have `rows` rows.
  package init(_ draw: DropoutDraw, network j: Int, _ layout: Layout, rows: Int) {
    self.draw = draw
    first = j * layout.blocks.reduce(0) { $0 + dropoutIndexCount(columns: $1.units, rows: rows) }
  }
}

// MARK: forward

extension Parameters {
  /// Fills the hidden layers from the input, for some rows.
  ///
  /// - Parameter dropout: what is dropped; nil: nothing, as where nothing is learned.
  package func forwardHidden(
    _ input: Input, _ activations: borrowing Activations, dropout: NetworkDropout? = nil, rows: Range<Int>
  ) {
    for k in 0..<activations.hidden.count {
      normalize(k, input, activations, rows: rows)
      forwardBlock(k, layerInput(k, input, activations), activations, dropout, rows: rows)
    }
  }

  /// Block k from what its layer reads, for some rows.
  func forwardBlock(
    _ k: Int, _ source: Input, _ activations: borrowing Activations, _ dropout: NetworkDropout?, rows: Range<Int>
  ) {
    let layer = layout.layers[k]
    let isFused = layout.blocks[k].isFused
    denseForward(
      source, values, at: layer.offset, into: activations.hidden[k], rectify: isFused && !layout.normalizesFirst,
      rows: rows)
    if !isFused { finish(k, activations, dropout, rows: rows) }
  }

  /// z_k by the running statistics, for some rows; nothing where batches are not normalised.
  func normalize(_ k: Int, _ input: Input, _ activations: borrowing Activations, rows: Range<Int>) {
    guard !layout.sites.isEmpty else { return }
    if k == 0 {
      join(input, into: activations.input, rows: rows)
      batchNormForward(activations.input, inference[0], into: activations.normalized[0], rows: rows)
    } else {
      batchNormForward(
        activations.hidden[k - 1], inference[k], rectify: layout.normalizesFirst, into: activations.normalized[k],
        rows: rows)
    }
  }

  /// What layer k reads, once it is computed.
  func layerInput(_ k: Int, _ input: Input, _ activations: borrowing Activations) -> Input {
    if !layout.sites.isEmpty { return Input(activations.normalized[k]) }
    return k == 0 ? input : Input(activations.hidden[k - 1])
  }

  /// What the output layer reads, normalised by the running statistics where batches are, for some rows.
  func outputInput(_ input: Input, _ activations: borrowing Activations, rows: Range<Int>) -> Input {
    normalize(activations.hidden.count, input, activations, rows: rows)
    return layerInput(activations.hidden.count, input, activations)
  }

  /// What follows block k's product: dropout, normalisation, activation.
  private func finish(
    _ k: Int, _ activations: borrowing Activations, _ dropout: NetworkDropout?, rows: Range<Int>
  ) {
    let block = layout.blocks[k]
    if block.dropout > 0 {
      if let dropout {
        var first = dropout.first
        for i in 0..<k {
          first += dropoutIndexCount(columns: layout.blocks[i].units, rows: activations.hidden[i].rows)
        }
        dropoutForward(
          activations.hidden[k], rate: block.dropout, dropout.draw, first: first, factors: activations.dropped[k],
          rows: rows)
      } else {
        activations.dropped[k].fill(1, rows: rows)
      }
    }
    if let normalization = layout.normalization(k) {
      layerNormForward(activations.hidden[k], values, at: normalization.offset, activations.norms[k], rows: rows)
    }
    activate(block.activation, activations.hidden[k], slopes: activations.slopes[k], rows: rows)
  }
}

// MARK: backward

extension Parameters {
  /// Passes the gradient of the last hidden block's u back to that of the first, for some rows.
  package func backwardHidden(_ activations: borrowing Activations, rows: Range<Int>) {
    for k in stride(from: activations.last, to: 0, by: -1) {
      let offset = layout.layers[k].transposedOffset
      if isFused(behind: k - 1) {
        denseInputGradient(
          activations.gradients[k], transposed, at: offset, mask: activations.hidden[k - 1],
          into: activations.gradients[k - 1], rows: rows)
      } else {
        denseInputGradient(
          activations.gradients[k], transposed, at: offset, into: activations.gradients[k - 1], rows: rows)
        backwardBlock(k - 1, activations, rows: rows)
      }
    }
  }

  /// The same where row r of the gradients belongs to row `owners[r]` of the hidden layers.
  package func backwardHidden(
    _ activations: borrowing Activations, owners: borrowing RowIndices, rows: Range<Int>
  ) {
    for k in stride(from: activations.last, to: 0, by: -1) {
      let offset = layout.layers[k].transposedOffset
      if isFused(behind: k - 1) {
        denseInputGradient(
          activations.gradients[k], transposed, at: offset, mask: activations.hidden[k - 1], maskRows: owners,
          into: activations.gradients[k - 1], rows: rows)
      } else {
        denseInputGradient(
          activations.gradients[k], transposed, at: offset, into: activations.gradients[k - 1], rows: rows)
        backwardBlock(k - 1, activations, owners: owners, rows: rows)
      }
    }
  }

  /// Whether ∂L/∂u_k is one kernel with the product of the layer behind it.
  func isFused(behind k: Int) -> Bool { layout.sites.isEmpty && layout.blocks[k].isFused }

  /// ∂L/∂u_k from ∂L/∂h_k, or from ∂L/∂z_{k+1} where batches are normalised, in place, for some rows.
  func backwardBlock(_ k: Int, _ activations: borrowing Activations, rows: Range<Int>) {
    if layout.normalizesFirst {
      return batchNormScale(
        activations.gradients[k], inference[k + 1], mask: activations.normalized[k + 1], rows: rows)
    }
    if !layout.sites.isEmpty {
      guard !layout.blocks[k].isFused else {
        return batchNormScale(activations.gradients[k], inference[k + 1], mask: activations.hidden[k], rows: rows)
      }
      batchNormScale(activations.gradients[k], inference[k + 1], rows: rows)
    }
    backwardActivation(k, activations, rows: rows)
  }

  /// ∂L/∂u_k from ∂L/∂h_k, in place, for some rows of a block that is not one kernel.
  func backwardActivation(_ k: Int, _ activations: borrowing Activations, rows: Range<Int>) {
    multiply(activations.gradients[k], by: activations.slopes[k], rows: rows)
    if let normalization = layout.normalization(k) {
      activations.gradients[k].copy(rows, to: activations.normGradients[k])
      layerNormInputGradient(
        activations.normGradients[k], values, at: normalization.offset, activations.norms[k],
        into: activations.gradients[k], rows: rows)
    }
    if layout.blocks[k].dropout > 0 { multiply(activations.gradients[k], by: activations.dropped[k], rows: rows) }
  }

  /// The same where row r of the gradients belongs to row `owners[r]` of the hidden layers.
  func backwardBlock(
    _ k: Int, _ activations: borrowing Activations, owners: borrowing RowIndices, rows: Range<Int>
  ) {
    if layout.normalizesFirst {
      return batchNormScale(
        activations.gradients[k], inference[k + 1], mask: activations.normalized[k + 1], maskRows: owners, rows: rows)
    }
    if !layout.sites.isEmpty {
      guard !layout.blocks[k].isFused else {
        return batchNormScale(
          activations.gradients[k], inference[k + 1], mask: activations.hidden[k], maskRows: owners, rows: rows)
      }
      batchNormScale(activations.gradients[k], inference[k + 1], rows: rows)
    }
    multiply(activations.gradients[k], by: activations.slopes[k], factorRows: owners, rows: rows)
    if let normalization = layout.normalization(k) {
      activations.gradients[k].copy(rows, to: activations.normGradients[k])
      layerNormInputGradient(
        activations.normGradients[k], values, at: normalization.offset, activations.norms[k], owners: owners,
        into: activations.gradients[k], rows: rows)
    }
    if layout.blocks[k].dropout > 0 {
      multiply(activations.gradients[k], by: activations.dropped[k], factorRows: owners, rows: rows)
    }
  }

  /// Passes the gradient of the first hidden block's u back to the network's last inputs, for some rows.
  package func backwardInput(_ activations: borrowing Activations, into gradient: borrowing Matrix, rows: Range<Int>) {
    let first = layout.layers[0]
    guard layout.sites.isEmpty else {
      denseInputGradient(
        activations.gradients[0], transposed, at: first.transposedOffset, into: activations.inputGradient, rows: rows)
      return batchNormScaleLast(activations.inputGradient, inference[0], into: gradient, rows: rows)
    }
    precondition(
      gradient.columns == first.inputs - first.firstGradientInput, "a gradient of \(gradient.columns) inputs")
    denseInputGradient(activations.gradients[0], transposed, at: first.transposedOffset, into: gradient, rows: rows)
  }

  /// ∂L/∂W and ∂L/∂b of a share of the hidden layers, and those of what normalises them, over the first `rows` rows. Where batches
  /// are normalised, the last pass back was `backwardBatch`.
  package func hiddenWeightGradients(
    _ input: Input, _ activations: borrowing Activations, rows: Int, _ share: Share
  ) {
    for k in 0..<activations.hidden.count {
      let layer = layout.layers[k]
      denseWeightGradient(
        layerInput(k, input, activations), activations.gradients[k], rows: rows, into: gradients, at: layer.offset,
        panels: share.range(of: layer.panels))
      if layout.normalizesFirst { clearBiasGradients(layer, share) }
      if let normalization = layout.normalization(k) {
        layerNormAffineGradient(
          activations.normGradients[k], activations.norms[k], rows: rows, into: gradients, at: normalization.offset,
          panels: share.range(of: normalization.panels))
      }
    }
    if !layout.sites.isEmpty { firstSiteGradients(activations, rows: rows, share) }
  }

  /// Keeps biases at 0 where a normalisation that follows would subtract them.
  private func clearBiasGradients(_ layer: Layer, _ share: Share) {
    for panel in share.range(of: layer.panels) {
      let bias = layer.biasIndex(output: panel * panelWidth)
      gradients.fill(0, bias..<(bias + panelWidth))
    }
  }
}
