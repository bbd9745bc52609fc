// Trunk.swift — the rectified hidden layers that every network starts with: forward, backward, weight gradients.
//
//   h₀ = relu(x W₀ + b₀),   h_k = relu(h_{k−1} W_k + b_k)
//   ∂L/∂h_{k−1} = (∂L/∂h_k W_kᵀ) ⊙ [h_{k−1} > 0],   ∂L/∂W_k = h_{k−1}ᵀ ∂L/∂h_k

import Kernels
import Platform

/// What a pass through a network leaves behind for its backward pass.
package struct Activations: ~Copyable {
  /// h_k
  package let hidden: FixedArray<Matrix>  // (B × H_k)
  /// ∂L/∂h_k before the rectifier; empty where nothing is learned.
  package let gradients: FixedArray<Matrix>  // (B × H_k)

  package init(_ layout: Layout, rows: Int, forLearning: Bool) {
    let sizes = layout.hidden.map(\.outputs)
    hidden = FixedArray(count: sizes.count) { Matrix(rows: rows, columns: sizes[$0]) }
    gradients = FixedArray(count: forLearning ? sizes.count : 0) { Matrix(rows: rows, columns: sizes[$0]) }
  }

  /// The last hidden layer, which the output layer reads.
  package var last: Int { hidden.count - 1 }
}

extension Parameters {
  /// Fills the hidden layers from the input, for some rows.
  package func forwardHidden(_ input: Input, _ activations: borrowing Activations, rows: Range<Int>) {
    for k in 0..<activations.hidden.count {
      let layer = layout.layers[k]
      let source = k == 0 ? input : Input(activations.hidden[k - 1])
      denseForward(source, values, at: layer.offset, into: activations.hidden[k], rectify: true, rows: rows)
    }
  }

  /// Passes the gradient of the last hidden layer back to the first, for some rows.
  package func backwardHidden(_ activations: borrowing Activations, rows: Range<Int>) {
    for k in stride(from: activations.last, to: 0, by: -1) {
      denseInputGradient(
        activations.gradients[k], transposed, at: layout.layers[k].transposedOffset, mask: activations.hidden[k - 1],
        into: activations.gradients[k - 1], rows: rows)
    }
  }

  /// The same where row r of the gradients belongs to row `owners[r]` of the hidden layers.
  package func backwardHidden(
    _ activations: borrowing Activations, owners: borrowing RowIndices, rows: Range<Int>
  ) {
    for k in stride(from: activations.last, to: 0, by: -1) {
      denseInputGradient(
        activations.gradients[k], transposed, at: layout.layers[k].transposedOffset, mask: activations.hidden[k - 1],
        maskRows: owners, into: activations.gradients[k - 1], rows: rows)
    }
  }

  /// Passes the gradient of the first hidden layer back to the network's last inputs, for some rows.
  package func backwardInput(_ activations: borrowing Activations, into gradient: borrowing Matrix, rows: Range<Int>) {
    let first = layout.layers[0]
    precondition(
      gradient.columns == first.inputs - first.firstGradientInput, "a gradient of \(gradient.columns) inputs")
    denseInputGradient(activations.gradients[0], transposed, at: first.transposedOffset, into: gradient, rows: rows)
  }

  /// ∂L/∂W and ∂L/∂b of a share of the hidden layers, over the first `rows` rows.
  package func hiddenWeightGradients(
    _ input: Input, _ activations: borrowing Activations, rows: Int, _ share: Share
  ) {
    for k in 0..<activations.hidden.count {
      let layer = layout.layers[k]
      denseWeightGradient(
        k == 0 ? input : Input(activations.hidden[k - 1]), activations.gradients[k], rows: rows, into: gradients,
        at: layer.offset, panels: share.range(of: layer.panels))
    }
  }
}

// MARK: a trunk with a linear output layer

extension Parameters {
  /// The output layer from the input, for some rows.
  func forward(
    _ input: Input, _ activations: borrowing Activations, into output: borrowing Matrix, rows: Range<Int>
  ) {
    forwardHidden(input, activations, rows: rows)
    denseForward(
      Input(activations.hidden[activations.last]), values, at: layout.output.offset, into: output, rectify: false,
      rows: rows)
  }

  /// Passes the gradient of the output layer back to the first hidden layer, for some rows.
  func backwardOutput(
    _ gradient: borrowing Matrix, _ activations: borrowing Activations, rows: Range<Int>
  ) {
    denseInputGradient(
      gradient, transposed, at: layout.output.transposedOffset, mask: activations.hidden[activations.last],
      into: activations.gradients[activations.last], rows: rows)
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
