// Normalization.swift — layer normalisation over matrices and blocks: forward, back, and the gradients of its scale and shift.
//
//   n = (x − mean x) / √(var x + ε),   y = g ⊙ n + b,   over a row's columns; var is the biased one     (Ba 2016, eq. 3 and 4)

import Vector
import Vector512

/// Values of g and b: 16 of each for every panel.
package func layerNormParameterCount(_ columns: Int) -> Int { 2 * panelCount(columns) * panelWidth }

/// ε, PyTorch's default.
package var layerNormEpsilon: Float { 1e-5 }

/// What a pass forward leaves for the way back.
package struct LayerNormRecord: ~Copyable {
  /// n
  package let normalized: Matrix  // (B × H)
  /// 1 / √(var x + ε)
  let inverses: Block  // (B)

  package init(rows: Int, columns: Int) {
    normalized = Matrix(rows: rows, columns: columns)
    inverses = Block(count: rows)
  }
}

/// x ← g ⊙ n + b in place for some rows. g and b start at `offset` in `parameters`.
package func layerNormForward(
  _ x: borrowing Matrix, _ parameters: borrowing Block, at offset: Int, _ record: borrowing LayerNormRecord,
  rows: Range<Int>
) {
  checkShapes(x, parameters, offset, record)
  check(rows, min(x.rows, record.normalized.rows))
  let first = rows.lowerBound
  let n = record.normalized.at(first)
  if wide {
    Vector512.layerNormForward(
      rows: rows.count, x.at(first), x.stride, columns: x.columns, parameters.pointer + offset,
      epsilon: layerNormEpsilon, n, record.normalized.stride, record.inverses.pointer + first)
  } else {
    Vector.layerNormForward(
      rows: rows.count, x.at(first), x.stride, columns: x.columns, parameters.pointer + offset,
      epsilon: layerNormEpsilon, n, record.normalized.stride, record.inverses.pointer + first)
  }
}

/// ∂L/∂x from ∂L/∂y for some rows.
package func layerNormInputGradient(
  _ dy: borrowing Matrix, _ parameters: borrowing Block, at offset: Int, _ record: borrowing LayerNormRecord,
  into dx: borrowing Matrix, rows: Range<Int>
) {
  let first = rows.lowerBound
  check(rows, record.normalized.rows)
  layerNormInputGradient(
    dy, parameters, offset, record, record.normalized.at(first), record.inverses.pointer + first, nil, dx, rows)
}

/// The same where row r of the gradients belongs to row `owners[r]` of x.
package func layerNormInputGradient(
  _ dy: borrowing Matrix, _ parameters: borrowing Block, at offset: Int, _ record: borrowing LayerNormRecord,
  owners: borrowing RowIndices, into dx: borrowing Matrix, rows: Range<Int>
) {
  check(rows, owners.count)
  owners.check(rows, below: record.normalized.rows)
  layerNormInputGradient(
    dy, parameters, offset, record, record.normalized.pointer, record.inverses.pointer,
    owners.pointer + rows.lowerBound, dx, rows)
}

private func layerNormInputGradient(
  _ dy: borrowing Matrix, _ parameters: borrowing Block, _ offset: Int, _ record: borrowing LayerNormRecord,
  _ n: UnsafeMutablePointer<Float>, _ inverses: UnsafeMutablePointer<Float>, _ owners: UnsafeMutablePointer<Int32>?,
  _ dx: borrowing Matrix, _ rows: Range<Int>
) {
  checkShapes(dy, parameters, offset, record)
  precondition(dx.columns == dy.columns, "a gradient of \(dx.columns) columns from \(dy.columns)")
  check(rows, min(dy.rows, dx.rows))
  let first = rows.lowerBound
  let owners = owners.map { UnsafePointer($0) }
  if wide {
    Vector512.layerNormInputGradient(
      rows: rows.count, dy.at(first), dy.stride, columns: dy.columns, parameters.pointer + offset, n,
      record.normalized.stride, inverses, factorRows: owners, dx.at(first), dx.stride)
  } else {
    Vector.layerNormInputGradient(
      rows: rows.count, dy.at(first), dy.stride, columns: dy.columns, parameters.pointer + offset, n,
      record.normalized.stride, inverses, factorRows: owners, dx.at(first), dx.stride)
  }
}

/// ∂L/∂g and ∂L/∂b over the first `rows` rows, for some panels, at `offset` in `gradients`.
package func layerNormAffineGradient(
  _ dy: borrowing Matrix, _ record: borrowing LayerNormRecord, rows: Int, into gradients: borrowing Block,
  at offset: Int, panels: Range<Int>
) {
  checkShapes(dy, gradients, offset, record)
  check(0..<rows, min(dy.rows, record.normalized.rows))
  precondition(panels.lowerBound >= 0 && panels.upperBound <= dy.panels, "panels \(panels) of \(dy.panels)")
  guard !panels.isEmpty else { return }
  let (d, n) = (dy.at(0, panel: panels.lowerBound), record.normalized.at(0, panel: panels.lowerBound))
  let target = gradients.pointer + (offset + 2 * panels.lowerBound * panelWidth)
  if wide {
    Vector512.layerNormAffineGradient(
      rows: rows, d, dy.stride, n, record.normalized.stride, panels: panels.count, target)
  } else {
    Vector.layerNormAffineGradient(rows: rows, d, dy.stride, n, record.normalized.stride, panels: panels.count, target)
  }
}

private func checkShapes(
  _ x: borrowing Matrix, _ parameters: borrowing Block, _ offset: Int, _ record: borrowing LayerNormRecord
) {
  precondition(x.columns == record.normalized.columns, "\(x.columns) columns, a record of \(record.normalized.columns)")
  precondition(
    x.columns > 0 && offset >= 0 && offset + layerNormParameterCount(x.columns) <= parameters.count,
    "scale and shift at \(offset) of \(parameters.count)")
}
