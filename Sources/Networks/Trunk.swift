// Trunk.swift — the hidden blocks of a network: forward pass, backward pass, weight gradients.
//
//   u_k = h_{k−1} W_k + b_k,   h_k = f(norm(dropout(u_k))),   h_{−1} = x
//   ∂L/∂h_{k−1} = ∂L/∂u_k W_kᵀ,   ∂L/∂W_k = h_{k−1}ᵀ ∂L/∂u_k
//
// With ReLU alone h_k = relu(u_k) is one kernel, and so is ∂L/∂u_{k−1} = (∂L/∂u_k W_kᵀ) ⊙ [h_{k−1} > 0].

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

  package init(_ layout: Layout, rows: Int, forLearning: Bool) {
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
      let layer = layout.layers[k]
      let source = k == 0 ? input : Input(activations.hidden[k - 1])
      let isFused = layout.blocks[k].isFused
      denseForward(source, values, at: layer.offset, into: activations.hidden[k], rectify: isFused, rows: rows)
      if !isFused { finish(k, activations, dropout, rows: rows) }
    }
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
      if layout.blocks[k - 1].isFused {
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
      if layout.blocks[k - 1].isFused {
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

  /// ∂L/∂u_k from ∂L/∂h_k, in place, for some rows of a block that is not one kernel.
  func backwardBlock(_ k: Int, _ activations: borrowing Activations, rows: Range<Int>) {
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
    precondition(
      gradient.columns == first.inputs - first.firstGradientInput, "a gradient of \(gradient.columns) inputs")
    denseInputGradient(activations.gradients[0], transposed, at: first.transposedOffset, into: gradient, rows: rows)
  }

  /// ∂L/∂W and ∂L/∂b of a share of the hidden layers, and those of what normalises them, over the first `rows` rows.
  package func hiddenWeightGradients(
    _ input: Input, _ activations: borrowing Activations, rows: Int, _ share: Share
  ) {
    for k in 0..<activations.hidden.count {
      let layer = layout.layers[k]
      denseWeightGradient(
        k == 0 ? input : Input(activations.hidden[k - 1]), activations.gradients[k], rows: rows, into: gradients,
        at: layer.offset, panels: share.range(of: layer.panels))
      if let normalization = layout.normalization(k) {
        layerNormAffineGradient(
          activations.normGradients[k], activations.norms[k], rows: rows, into: gradients, at: normalization.offset,
          panels: share.range(of: normalization.panels))
      }
    }
  }
}

// MARK: a trunk with a linear output layer

extension Parameters {
  /// The output layer from the input, for some rows.
  func forward(
    _ input: Input, _ activations: borrowing Activations, into output: borrowing Matrix,
    dropout: NetworkDropout? = nil, rows: Range<Int>
  ) {
    forwardHidden(input, activations, dropout: dropout, rows: rows)
    denseForward(
      Input(activations.hidden[activations.last]), values, at: layout.output.offset, into: output, rectify: false,
      rows: rows)
  }

  /// Passes the gradient of the output layer back to the first hidden layer, for some rows.
  func backwardOutput(
    _ gradient: borrowing Matrix, _ activations: borrowing Activations, rows: Range<Int>
  ) {
    let last = activations.last
    let offset = layout.output.transposedOffset
    if layout.blocks[last].isFused {
      denseInputGradient(
        gradient, transposed, at: offset, mask: activations.hidden[last], into: activations.gradients[last], rows: rows)
    } else {
      denseInputGradient(gradient, transposed, at: offset, into: activations.gradients[last], rows: rows)
      backwardBlock(last, activations, rows: rows)
    }
    backwardHidden(activations, rows: rows)
  }

  /// ∂L/∂W and ∂L/∂b of a share of all layers, over the first `rows` rows.
  func weightGradients(
    _ input: Input, _ activations: borrowing Activations, output: borrowing Matrix, rows: Int, _ share: Share
  ) {
    hiddenWeightGradients(input, activations, rows: rows, share)
    let part = share.range(of: layout.output.panels)
    if layout.output.kind == .narrow {
      denseWeightGradient(
        activations.hidden[activations.last], output, rows: rows, into: gradients, at: layout.output.offset,
        inputPanels: part)
    } else {
      denseWeightGradient(
        Input(activations.hidden[activations.last]), output, rows: rows, into: gradients, at: layout.output.offset,
        panels: part)
    }
  }
}

// MARK: a trunk with one output

extension Parameters {
  /// One output for each of some rows.
  func forward(
    _ input: Input, _ activations: borrowing Activations, into values: borrowing Block,
    dropout: NetworkDropout? = nil, rows: Range<Int>
  ) {
    forwardHidden(input, activations, dropout: dropout, rows: rows)
    headForward(
      activations.hidden[activations.last], self.values, at: layout.output.offset, into: values, rows: rows)
  }

  /// Passes the gradient of the output back to the first hidden layer, for some rows.
  func backwardOutput(_ gradient: borrowing Block, _ activations: borrowing Activations, rows: Range<Int>) {
    let last = activations.last
    let offset = layout.output.offset
    if layout.blocks[last].isFused {
      headInputGradient(
        gradient, values, at: offset, mask: activations.hidden[last], into: activations.gradients[last], rows: rows)
    } else {
      headInputGradient(gradient, values, at: offset, into: activations.gradients[last], rows: rows)
      backwardBlock(last, activations, rows: rows)
    }
    backwardHidden(activations, rows: rows)
  }

  /// The same where row r of the gradients belongs to row `owners[r]` of the hidden layers.
  func backwardOutput(
    _ gradient: borrowing Block, _ activations: borrowing Activations, owners: borrowing RowIndices, rows: Range<Int>
  ) {
    let last = activations.last
    let offset = layout.output.offset
    if layout.blocks[last].isFused {
      headInputGradient(
        gradient, values, at: offset, mask: activations.hidden[last], maskRows: owners,
        into: activations.gradients[last], rows: rows)
    } else {
      headInputGradient(gradient, values, at: offset, into: activations.gradients[last], rows: rows)
      backwardBlock(last, activations, owners: owners, rows: rows)
    }
    backwardHidden(activations, owners: owners, rows: rows)
  }

  /// ∂L/∂W and ∂L/∂b of a share of all layers, over the first `rows` rows.
  func weightGradients(
    _ input: Input, _ activations: borrowing Activations, output: borrowing Block, rows: Int, _ share: Share
  ) {
    hiddenWeightGradients(input, activations, rows: rows, share)
    headWeightGradient(
      output, activations.hidden[activations.last], rows: rows, into: gradients, at: layout.output.offset,
      panels: share.range(of: layout.output.panels))
  }
}
