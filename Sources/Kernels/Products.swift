// Products.swift — the kernels over matrices and blocks: shapes are checked here once, then pointers go to the vectors.
//
// Every function works on a range of rows or of panels, so that workers share it without touching the same value.

import Vector
import Vector512

private var wide: Bool { Processor.instructionSet == .wide }

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

@inline(__always)
private func check(_ rows: Range<Int>, _ total: Int) {
  precondition(rows.lowerBound >= 0 && rows.upperBound <= total, "rows \(rows) of \(total)")
}

@inline(__always)
private func panelCount(_ columns: Int) -> Int { (columns + panelWidth - 1) / panelWidth }

/// Values of a dense layer's weights and biases: a block of (I + 1) × 16 for each panel of outputs.
package func denseParameterCount(inputs: Int, outputs: Int) -> Int {
  panelCount(outputs) * (inputs + 1) * panelWidth
}

/// Values of Wᵀ for the last `inputs` inputs of a layer.
package func denseTransposedCount(inputs: Int, outputs: Int) -> Int {
  panelCount(inputs) * outputs * panelWidth
}

/// Values of a critic's last layer: I in panels, then the bias.
package func headParameterCount(inputs: Int) -> Int { (panelCount(inputs) + 1) * panelWidth }

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
  if wide {
    Vector512.denseForward(
      rows: rows.count, input.x + start, input.xStride, input.xColumns, input.z + start, input.zStride, input.zColumns,
      parameters.pointer + offset, panels: y.panels, y.pointer + start, y.stride, rectify: rectify)
  } else {
    Vector.denseForward(
      rows: rows.count, input.x + start, input.xStride, input.xColumns, input.z + start, input.zStride, input.zColumns,
      parameters.pointer + offset, panels: y.panels, y.pointer + start, y.stride, rectify: rectify)
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
  if wide {
    Vector512.denseInputGradient(
      rows: rows.count, dy.pointer + start, dy.stride, dy.columns, transposed.pointer + offset, panels: dx.panels,
      mask: mask.map { UnsafePointer($0) }, maskStride, maskRows: maskRows.map { UnsafePointer($0) },
      dx.pointer + start, dx.stride)
  } else {
    Vector.denseInputGradient(
      rows: rows.count, dy.pointer + start, dy.stride, dy.columns, transposed.pointer + offset, panels: dx.panels,
      mask: mask.map { UnsafePointer($0) }, maskStride, maskRows: maskRows.map { UnsafePointer($0) },
      dx.pointer + start, dx.stride)
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
  let target = gradients.pointer + (offset + panels.lowerBound * (input.columns + 1) * panelWidth)
  let source = dy.at(0, panel: panels.lowerBound)
  if wide {
    Vector512.denseWeightGradient(
      rows: rows, input.x, input.xStride, input.xColumns, input.z, input.zStride, input.zColumns, source, dy.stride,
      panels: panels.count, target, biases: true)
  } else {
    Vector.denseWeightGradient(
      rows: rows, input.x, input.xStride, input.xColumns, input.z, input.zStride, input.zColumns, source, dy.stride,
      panels: panels.count, target, biases: true)
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

/// q = h · w + b for some rows.
package func headForward(
  _ h: borrowing Matrix, _ parameters: borrowing Block, at offset: Int, into q: borrowing Block, rows: Range<Int>
) {
  check(rows, h.rows)
  check(rows, q.count)
  precondition(offset >= 0 && offset + headParameterCount(inputs: h.columns) <= parameters.count, "head at \(offset)")
  let first = rows.lowerBound
  if wide {
    Vector512.headForward(
      rows: rows.count, h.at(first), h.stride, panels: h.panels, parameters.pointer + offset, q.pointer + first)
  } else {
    Vector.headForward(
      rows: rows.count, h.at(first), h.stride, panels: h.panels, parameters.pointer + offset, q.pointer + first)
  }
}

/// dh = dq w ⊙ [h > 0] for some rows.
package func headInputGradient(
  _ dq: borrowing Block, _ parameters: borrowing Block, at offset: Int, mask h: borrowing Matrix,
  into dh: borrowing Matrix, rows: Range<Int>
) {
  check(rows, h.rows)
  headInputGradient(dq, parameters, offset, h, h.at(rows.lowerBound), nil, dh, rows)
}

/// dh = dq w for some rows, row r zero where row `maskRows[r]` of h is not positive.
package func headInputGradient(
  _ dq: borrowing Block, _ parameters: borrowing Block, at offset: Int, mask h: borrowing Matrix,
  maskRows: borrowing RowIndices, into dh: borrowing Matrix, rows: Range<Int>
) {
  check(rows, maskRows.count)
  maskRows.check(rows, below: h.rows)
  headInputGradient(dq, parameters, offset, h, h.pointer, maskRows.pointer + rows.lowerBound, dh, rows)
}

private func headInputGradient(
  _ dq: borrowing Block, _ parameters: borrowing Block, _ offset: Int, _ h: borrowing Matrix,
  _ mask: UnsafeMutablePointer<Float>, _ maskRows: UnsafeMutablePointer<Int32>?, _ dh: borrowing Matrix,
  _ rows: Range<Int>
) {
  check(rows, dh.rows)
  check(rows, dq.count)
  precondition(h.columns == dh.columns, "mask and gradient differ in shape")
  precondition(offset >= 0 && offset + headParameterCount(inputs: h.columns) <= parameters.count, "head at \(offset)")
  let first = rows.lowerBound
  let maskRows = maskRows.map { UnsafePointer($0) }
  if wide {
    Vector512.headInputGradient(
      rows: rows.count, dq.pointer + first, parameters.pointer + offset, panels: h.panels, mask: mask, h.stride,
      maskRows: maskRows, dh.at(first), dh.stride)
  } else {
    Vector.headInputGradient(
      rows: rows.count, dq.pointer + first, parameters.pointer + offset, panels: h.panels, mask: mask, h.stride,
      maskRows: maskRows, dh.at(first), dh.stride)
  }
}

/// dw = Σ dq h over the first `rows` rows for some panels of h; the share that ends with the last panel adds db = Σ dq.
package func headWeightGradient(
  _ dq: borrowing Block, _ h: borrowing Matrix, rows: Int, into gradients: borrowing Block, at offset: Int,
  panels: Range<Int>
) {
  check(0..<rows, h.rows)
  check(0..<rows, dq.count)
  precondition(panels.lowerBound >= 0 && panels.upperBound <= h.panels, "panels \(panels) of \(h.panels)")
  precondition(offset >= 0 && offset + headParameterCount(inputs: h.columns) <= gradients.count, "head at \(offset)")
  let target = gradients.pointer + (offset + panels.lowerBound * panelWidth)
  if wide {
    Vector512.headWeightGradient(
      rows: rows, dq.pointer, h.at(0, panel: panels.lowerBound), h.stride, panels: panels.count, target)
  } else {
    Vector.headWeightGradient(
      rows: rows, dq.pointer, h.at(0, panel: panels.lowerBound), h.stride, panels: panels.count, target)
  }
  if !panels.isEmpty && panels.upperBound == h.panels {
    var sum: Float = 0
    for row in 0..<rows { sum += dq.pointer[row] }
    gradients.pointer[offset + h.panels * panelWidth] = sum
  }
}

// MARK: elementwise

/// Adam's numbers for one step t.
package struct AdamStep: Sendable {
  /// 1 − β₁
  package let gain1: Float
  package let beta2: Float
  /// 1 − β₂, rounded once: the difference of the rounded numbers would be 5e-5 off
  package let gain2: Float
  /// η / (1 − β₁ᵗ)
  package let rate: Float
  /// 1 / √(1 − β₂ᵗ)
  package let correction: Float
  package let epsilon: Float

  package init(gain1: Float, beta2: Float, gain2: Float, rate: Float, correction: Float, epsilon: Float) {
    (self.gain1, self.beta2, self.gain2) = (gain1, beta2, gain2)
    (self.rate, self.correction, self.epsilon) = (rate, correction, epsilon)
  }
}

/// One Adam step over a range of parameters, whose bounds are multiples of 16. Returns 0, or NaN as soon as one of the new
/// parameters is not finite.
@discardableResult
package func adamStep(
  _ parameters: borrowing Block, _ gradients: borrowing Block, _ firstMoments: borrowing Block,
  _ secondMoments: borrowing Block, _ step: AdamStep, range: Range<Int>
) -> Float {
  checkVectors(range, parameters.count)
  checkVectors(range, min(gradients.count, firstMoments.count, secondMoments.count))
  let start = range.lowerBound
  if wide {
    return Vector512.adamStep(
      count: range.count, parameters.pointer + start, gradients.pointer + start, firstMoments.pointer + start,
      secondMoments.pointer + start, gain1: step.gain1, beta2: step.beta2, gain2: step.gain2, rate: step.rate,
      correction: step.correction, epsilon: step.epsilon)
  } else {
    return Vector.adamStep(
      count: range.count, parameters.pointer + start, gradients.pointer + start, firstMoments.pointer + start,
      secondMoments.pointer + start, gain1: step.gain1, beta2: step.beta2, gain2: step.gain2, rate: step.rate,
      correction: step.correction, epsilon: step.epsilon)
  }
}

/// θ̄ ← rate θ + (1 − rate) θ̄ over a range of parameters, whose bounds are multiples of 16.
package func track(_ targets: borrowing Block, _ parameters: borrowing Block, rate: Float, range: Range<Int>) {
  checkVectors(range, min(targets.count, parameters.count))
  let start = range.lowerBound
  if rate == 1 {
    // exactly θ, which adding the difference need not give
    (targets.pointer + start).update(from: parameters.pointer + start, count: range.count)
  } else if wide {
    Vector512.track(count: range.count, targets.pointer + start, parameters.pointer + start, rate: rate)
  } else {
    Vector.track(count: range.count, targets.pointer + start, parameters.pointer + start, rate: rate)
  }
}

/// Σ x² over a range, whose bounds are multiples of 16.
package func squaredNorm(_ values: borrowing Block, range: Range<Int>) -> Float {
  checkVectors(range, values.count)
  return wide
    ? Vector512.squaredNorm(count: range.count, values.pointer + range.lowerBound)
    : Vector.squaredNorm(count: range.count, values.pointer + range.lowerBound)
}

/// The mean of the first `count` values.
package func mean(_ values: borrowing Block, count: Int) -> Double {
  var sum = 0.0
  for i in 0..<count { sum += Double(values[i]) }
  return sum / Double(max(1, count))
}

@inline(__always)
private func checkVectors(_ range: Range<Int>, _ total: Int) {
  precondition(
    range.lowerBound >= 0 && range.upperBound <= total && range.lowerBound % panelWidth == 0
      && range.upperBound % panelWidth == 0, "values \(range) of \(total), in whole vectors")
}
