// TrunkHeads.swift — the linear layer behind the hidden blocks: several outputs as a matrix, or one as a dot product.

import Kernels
import Platform

// MARK: a trunk with a linear output layer

extension Parameters {
  /// The output layer from the input, for some rows.
  func forward(
    _ input: Input, _ activations: borrowing Activations, into output: borrowing Matrix,
    dropout: NetworkDropout? = nil, rows: Range<Int>
  ) {
    forwardHidden(input, activations, dropout: dropout, rows: rows)
    denseForward(
      outputInput(input, activations, rows: rows), values, at: layout.output.offset, into: output, rectify: false,
      rows: rows)
  }

  /// Passes the gradient of the output layer back to the first hidden layer, for some rows.
  func backwardOutput(
    _ gradient: borrowing Matrix, _ activations: borrowing Activations, rows: Range<Int>
  ) {
    let last = activations.last
    let offset = layout.output.transposedOffset
    if isFused(behind: last) {
      denseInputGradient(
        gradient, transposed, at: offset, mask: activations.hidden[last], into: activations.gradients[last], rows: rows)
    } else {
      denseInputGradient(gradient, transposed, at: offset, into: activations.gradients[last], rows: rows)
      backwardBlock(last, activations, rows: rows)
    }
    backwardHidden(activations, rows: rows)
  }

  /// The same where row r of the gradients belongs to row `owners[r]` of the hidden layers, which are normalised by running statistics.
  func backwardOutput(
    _ gradient: borrowing Matrix, _ activations: borrowing Activations, owners: borrowing RowIndices, rows: Range<Int>
  ) {
    let last = activations.last
    precondition(!isFused(behind: last), "rows of a fused output layer have no owners")
    denseInputGradient(
      gradient, transposed, at: layout.output.transposedOffset, into: activations.gradients[last], rows: rows)
    backwardBlock(last, activations, owners: owners, rows: rows)
    backwardHidden(activations, owners: owners, rows: rows)
  }

  /// Passes the gradient of the output layer back to what normalises the last hidden layer over a batch, for some rows.
  func backwardBatchOutput(_ gradient: borrowing Matrix, _ activations: borrowing Activations, rows: Range<Int>) {
    let (last, offset) = (activations.last, layout.output.transposedOffset)
    if layout.normalizesFirst {
      denseInputGradient(
        gradient, transposed, at: offset, mask: activations.normalized[last + 1], into: activations.gradients[last],
        rows: rows)
    } else {
      denseInputGradient(gradient, transposed, at: offset, into: activations.gradients[last], rows: rows)
    }
  }

  /// ∂L/∂W and ∂L/∂b of a share of all layers, over the first `rows` rows.
  func weightGradients(
    _ input: Input, _ activations: borrowing Activations, output: borrowing Matrix, rows: Int, _ share: Share
  ) {
    hiddenWeightGradients(input, activations, rows: rows, share)
    let part = share.range(of: layout.output.panels)
    if layout.output.kind == .narrow {
      if layout.sites.isEmpty {
        denseWeightGradient(
          activations.hidden[activations.last], output, rows: rows, into: gradients, at: layout.output.offset,
          inputPanels: part)
      } else {
        denseWeightGradient(
          activations.normalized[activations.hidden.count], output, rows: rows, into: gradients,
          at: layout.output.offset, inputPanels: part)
      }
    } else {
      denseWeightGradient(
        layerInput(activations.hidden.count, input, activations), output, rows: rows, into: gradients,
        at: layout.output.offset, panels: part)
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
    if layout.sites.isEmpty {
      headForward(
        activations.hidden[activations.last], self.values, at: layout.output.offset, into: values, rows: rows)
    } else {
      normalize(activations.hidden.count, input, activations, rows: rows)
      headForward(
        activations.normalized[activations.hidden.count], self.values, at: layout.output.offset, into: values,
        rows: rows)
    }
  }

  /// Passes the gradient of the output back to the first hidden layer, for some rows.
  func backwardOutput(_ gradient: borrowing Block, _ activations: borrowing Activations, rows: Range<Int>) {
    let last = activations.last
    let offset = layout.output.offset
    if isFused(behind: last) {
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
    if isFused(behind: last) {
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
    let part = share.range(of: layout.output.panels)
    if layout.sites.isEmpty {
      headWeightGradient(
        output, activations.hidden[activations.last], rows: rows, into: gradients, at: layout.output.offset,
        panels: part)
    } else {
      headWeightGradient(
        output, activations.normalized[activations.hidden.count], rows: rows, into: gradients,
        at: layout.output.offset, panels: part)
    }
  }
}
