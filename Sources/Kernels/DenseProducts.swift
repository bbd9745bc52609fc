// DenseProducts.swift — the products of a dense layer over matrices and blocks.

import Vector
import Vector512

/// One matrix, or two side by side, as the input of a layer. Valid while the matrices live.
@safe
package struct Input {
  let x: UnsafeMutablePointer<Float>
  let xStride: Int
  let xColumns: Int
  let z: UnsafeMutablePointer<Float>
  let zStride: Int
  let zColumns: Int
  let rows: Int

  package init(_ x: borrowing Matrix) {
    (self.x, xStride, xColumns, rows) = (x.pointer, x.stride, x.columns, x.rows)
    (z, zStride, zColumns) = (x.pointer, x.stride, 0)
  }

  package init(_ x: borrowing Matrix, _ z: borrowing Matrix) {
    precondition(x.rows == z.rows, "\(x.rows) rows beside \(z.rows)")
    (self.x, xStride, xColumns, rows) = (x.pointer, x.stride, x.columns, x.rows)
    (self.z, zStride, zColumns) = (z.pointer, z.stride, z.columns)
  }

  package var columns: Int { xColumns + zColumns }
}

/// Values of a dense layer's weights and biases: a block of (I + 1) × 16 for each panel of outputs.
package func denseParameterCount(inputs: Int, outputs: Int) -> Int {
  panelCount(outputs) * (inputs + 1) * panelWidth
}

/// Values of Wᵀ for the last `inputs` inputs of a layer.
package func denseTransposedCount(inputs: Int, outputs: Int) -> Int {
  panelCount(inputs) * outputs * panelWidth
}

/// y = x W + b, rectified or not, for some rows. W starts at `offset` in `parameters`.
package func denseForward(
  _ input: Input, _ parameters: borrowing Block, at offset: Int, into y: borrowing Matrix, rectify: Bool,
  rows: Range<Int>
) {
  check(rows, y.rows)
  check(rows, input.rows)
  precondition(
    offset >= 0 && offset + denseParameterCount(inputs: input.columns, outputs: y.columns) <= parameters.count,
    "\(input.columns) × \(y.columns) weights at \(offset) of \(parameters.count)")
  let start = rows.lowerBound * panelWidth
  if let blocks = matrixUnitBlocks(
    MatrixUnit.blocks(xColumns: input.xColumns, zColumns: input.zColumns), rows: y.rows, steps: input.columns,
    columns: y.columns)
  {
    MatrixUnit.denseForward(
      rows: rows.count, input.x + start, input.xStride, input.xColumns, input.z + start, input.zStride, input.zColumns,
      parameters.pointer + offset, panels: y.panels, y.pointer + start, y.stride, rectify: rectify,
      scratch(rows: rows.count, blocks: blocks))
  } else if wide {
    Vector512.denseForward(
      rows: rows.count, input.x + start, input.xStride, input.xColumns, input.z + start, input.zStride, input.zColumns,
      parameters.pointer + offset, panels: y.panels, y.pointer + start, y.stride, rectify: rectify,
      nonzeros(rows: rows.count, steps: input.columns))
  } else {
    Vector.denseForward(
      rows: rows.count, input.x + start, input.xStride, input.xColumns, input.z + start, input.zStride, input.zColumns,
      parameters.pointer + offset, panels: y.panels, y.pointer + start, y.stride, rectify: rectify,
      nonzeros(rows: rows.count, steps: input.columns))
  }
}

/// dx = dy Wᵀ for some rows, zero where `mask` is not positive. Wᵀ starts at `offset` in `transposed`.
package func denseInputGradient(
  _ dy: borrowing Matrix, _ transposed: borrowing Block, at offset: Int, mask: borrowing Matrix,
  into dx: borrowing Matrix, rows: Range<Int>
) {
  precondition(mask.columns == dx.columns && mask.rows == dx.rows, "mask and gradient differ in shape")
  check(rows, mask.rows)
  inputGradient(dy, transposed, offset, mask: mask.at(rows.lowerBound), mask.stride, nil, dx, rows)
}

/// dx = dy Wᵀ for some rows, row r zero where row `maskRows[r]` of `mask` is not positive.
package func denseInputGradient(
  _ dy: borrowing Matrix, _ transposed: borrowing Block, at offset: Int, mask: borrowing Matrix,
  maskRows: borrowing RowIndices, into dx: borrowing Matrix, rows: Range<Int>
) {
  precondition(mask.columns == dx.columns, "mask and gradient differ in shape")
  check(rows, maskRows.count)
  maskRows.check(rows, below: mask.rows)
  inputGradient(
    dy, transposed, offset, mask: mask.pointer, mask.stride, maskRows.pointer + rows.lowerBound, dx, rows)
}

/// dx = dy Wᵀ for some rows.
package func denseInputGradient(
  _ dy: borrowing Matrix, _ transposed: borrowing Block, at offset: Int, into dx: borrowing Matrix, rows: Range<Int>
) {
  inputGradient(dy, transposed, offset, mask: nil, 0, nil, dx, rows)
}

private func inputGradient(
  _ dy: borrowing Matrix, _ transposed: borrowing Block, _ offset: Int, mask: UnsafeMutablePointer<Float>?,
  _ maskStride: Int, _ maskRows: UnsafeMutablePointer<Int32>?, _ dx: borrowing Matrix, _ rows: Range<Int>
) {
  check(rows, dx.rows)
  check(rows, dy.rows)
  precondition(
    offset >= 0 && offset + denseTransposedCount(inputs: dx.columns, outputs: dy.columns) <= transposed.count,
    "transposed \(dx.columns) × \(dy.columns) weights at \(offset) of \(transposed.count)")
  let start = rows.lowerBound * panelWidth
  if let blocks = matrixUnitBlocks(
    MatrixUnit.blocks(xColumns: dy.columns, zColumns: 0), rows: dx.rows, steps: dy.columns, columns: dx.columns)
  {
    MatrixUnit.denseInputGradient(
      rows: rows.count, dy.pointer + start, dy.stride, dy.columns, transposed.pointer + offset, panels: dx.panels,
      mask: mask.map { UnsafePointer($0) }, maskStride, maskRows: maskRows.map { UnsafePointer($0) },
      dx.pointer + start, dx.stride, scratch(rows: rows.count, blocks: blocks))
  } else if wide {
    Vector512.denseInputGradient(
      rows: rows.count, dy.pointer + start, dy.stride, dy.columns, transposed.pointer + offset, panels: dx.panels,
      mask: mask.map { UnsafePointer($0) }, maskStride, maskRows: maskRows.map { UnsafePointer($0) },
      dx.pointer + start, dx.stride, nonzeros(rows: rows.count, steps: dy.columns))
  } else {
    Vector.denseInputGradient(
      rows: rows.count, dy.pointer + start, dy.stride, dy.columns, transposed.pointer + offset, panels: dx.panels,
      mask: mask.map { UnsafePointer($0) }, maskStride, maskRows: maskRows.map { UnsafePointer($0) },
      dx.pointer + start, dx.stride, nonzeros(rows: rows.count, steps: dy.columns))
  }
}

/// dW = xᵀ dy and db = Σ dy over the first `rows` rows, for some panels of outputs, at `offset` in `gradients`.
package func denseWeightGradient(
  _ input: Input, _ dy: borrowing Matrix, rows: Int, into gradients: borrowing Block, at offset: Int,
  panels: Range<Int>
) {
  check(0..<rows, dy.rows)
  check(0..<rows, input.rows)
  precondition(panels.lowerBound >= 0 && panels.upperBound <= dy.panels, "panels \(panels) of \(dy.panels)")
  precondition(
    offset >= 0 && offset + denseParameterCount(inputs: input.columns, outputs: dy.columns) <= gradients.count,
    "\(input.columns) × \(dy.columns) gradients at \(offset) of \(gradients.count)")
  guard !panels.isEmpty else { return }
  let target = gradients.pointer + (offset + panels.lowerBound * (input.columns + 1) * panelWidth)
  let source = dy.at(0, panel: panels.lowerBound)
  // the input is transposed as well, which pays from 96 columns on
  if input.columns >= 6 * panelWidth,
    let blocks = matrixUnitBlocks(
      MatrixUnit.blocks(rows: rows), rows: input.columns, steps: rows, columns: dy.columns)
  {
    MatrixUnit.denseWeightGradient(
      rows: rows, input.x, input.xStride, input.xColumns, input.z, input.zStride, input.zColumns, source, dy.stride,
      panels: panels.count, target, scratch(rows: input.columns + panelWidth, blocks: blocks))
  } else if wide {
    Vector512.denseWeightGradient(
      rows: rows, input.x, input.xStride, input.xColumns, input.z, input.zStride, input.zColumns, source, dy.stride,
      panels: panels.count, target, biases: true, nonzeros(rows: input.columns, steps: rows))
  } else {
    Vector.denseWeightGradient(
      rows: rows, input.x, input.xStride, input.xColumns, input.z, input.zStride, input.zColumns, source, dy.stride,
      panels: panels.count, target, biases: true, nonzeros(rows: input.columns, steps: rows))
  }
}

/// The same for a layer of at most 16 outputs and some panels of its inputs; those that end with the last one have db.
package func denseWeightGradient(
  _ x: borrowing Matrix, _ dy: borrowing Matrix, rows: Int, into gradients: borrowing Block, at offset: Int,
  inputPanels: Range<Int>
) {
  check(0..<rows, dy.rows)
  check(0..<rows, x.rows)
  precondition(dy.panels == 1, "\(dy.columns) outputs are more than one panel")
  precondition(inputPanels.lowerBound >= 0 && inputPanels.upperBound <= x.panels, "panels \(inputPanels)")
  precondition(
    offset >= 0 && offset + denseParameterCount(inputs: x.columns, outputs: dy.columns) <= gradients.count,
    "\(x.columns) × \(dy.columns) gradients at \(offset) of \(gradients.count)")
  let first = inputPanels.lowerBound * panelWidth
  let columns = min(x.columns, inputPanels.upperBound * panelWidth) - first
  guard columns > 0 else { return }
  let source = x.at(0, panel: inputPanels.lowerBound)
  let target = gradients.pointer + (offset + first * panelWidth)
  let biases = inputPanels.upperBound == x.panels
  if wide {
    Vector512.denseWeightGradient(
      rows: rows, source, x.stride, columns, source, x.stride, 0, dy.pointer, dy.stride, panels: 1, target,
      biases: biases)
  } else {
    Vector.denseWeightGradient(
      rows: rows, source, x.stride, columns, source, x.stride, 0, dy.pointer, dy.stride, panels: 1, target,
      biases: biases)
  }
}

/// Copies some inputs of some panels of W into Wᵀ, whose first panel holds the first of those inputs.
package func denseTranspose(
  _ parameters: borrowing Block, at offset: Int, inputs: Int, outputs: Int, copying copied: Range<Int>,
  into transposed: borrowing Block, at target: Int, panels: Range<Int>
) {
  precondition(panels.lowerBound >= 0 && panels.upperBound <= panelCount(outputs), "panels \(panels)")
  precondition(
    offset + denseParameterCount(inputs: inputs, outputs: outputs) <= parameters.count, "weights at \(offset)")
  precondition(
    copied.lowerBound >= 0 && copied.upperBound <= inputs && target >= 0
      && target + denseTransposedCount(inputs: copied.count, outputs: outputs) <= transposed.count,
    "transposed weights at \(target)")
  if wide {
    Vector512.denseTranspose(
      parameters.pointer + offset, inputs: inputs, firstPanel: panels.lowerBound, panels: panels.count,
      outputs: outputs, firstInput: copied.lowerBound, inputs: copied.count, transposed.pointer + target)
  } else {
    Vector.denseTranspose(
      parameters.pointer + offset, inputs: inputs, firstPanel: panels.lowerBound, panels: panels.count,
      outputs: outputs, firstInput: copied.lowerBound, inputs: copied.count, transposed.pointer + target)
  }
}

// MARK: scratch

/// Memory for the marks of some rows, at least of a whole chunk of them, so that it is not allocated anew for a larger one.
/// Vector512 marks two rows at once and needs less.
private func nonzeros(rows: Int, steps: Int) -> UnsafeMutableRawPointer {
  Scratch.bytes(Vector.nonzerosByteCount(rows: max(rows, 256), steps: steps))
}

// MARK: the matrix unit

/// The blocks of 32 steps of k of a product that goes to the matrix unit: where it fills two tiles each way, and of each block
/// 20 steps or more: 17 steps take 14.3 µs there and 12.8 on vectors, 23 take 14.8 and 17.0 (256 rows and columns). That is a matter
/// of the layer and the whole batch, never of a worker's part of them, so that any number of workers gives the same bits.
///
/// They are counted only where there is a unit: even that is code that other processors cannot run.
private func matrixUnitBlocks(_ blocks: @autoclosure () -> Int, rows: Int, steps: Int, columns: Int) -> Int? {
  guard Processor.usesMatrixUnit && rows >= 2 * panelWidth && columns >= 2 * panelWidth else { return nil }
  let blocks = blocks()
  return blocks > 0 && steps >= 20 * blocks ? blocks : nil
}

/// Scratch for some rows, at least a whole chunk of them, so that it is not allocated anew for a larger one.
private func scratch(rows: Int, blocks: Int) -> UnsafeMutableRawPointer {
  Scratch.bytes(MatrixUnit.scratchByteCount(tiles: panelCount(max(rows, 256)), blocks: blocks))
}
