// HeadProducts.swift — a critic's last layer, one output, over matrices and blocks.

import Vector
import Vector512

/// Values of a critic's last layer: I in panels, then the bias.
package func headParameterCount(inputs: Int) -> Int { (panelCount(inputs) + 1) * panelWidth }

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

/// dh = dq w for some rows.
package func headInputGradient(
  _ dq: borrowing Block, _ parameters: borrowing Block, at offset: Int, into dh: borrowing Matrix, rows: Range<Int>
) {
  check(rows, dh.rows)
  check(rows, dq.count)
  precondition(offset >= 0 && offset + headParameterCount(inputs: dh.columns) <= parameters.count, "head at \(offset)")
  let first = rows.lowerBound
  if wide {
    Vector512.headInputGradient(
      rows: rows.count, dq.pointer + first, parameters.pointer + offset, panels: dh.panels, dh.at(first), dh.stride)
  } else {
    Vector.headInputGradient(
      rows: rows.count, dq.pointer + first, parameters.pointer + offset, panels: dh.panels, dh.at(first), dh.stride)
  }
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
