// BatchNormKernels.swift — batch normalisation over matrices and blocks: statistics of panels, forward and back of rows.
//
// The statistics of a batch are those of whole columns, so they are shared by panels; everything else is shared by rows. The
// formulas are in BatchNorm.swift of the vectors.

import Vector
import Vector512

/// Values of g and b, or of the running mean and variance: 16 of each for every panel.
package func batchNormParameterCount(_ columns: Int) -> Int { 2 * panelCount(columns) * panelWidth }

/// How a batch is normalised.
package struct BatchNormSettings: Sendable, Equatable {
  /// ε, added to the variance.
  package var epsilon: Float
  /// m, the share of the running statistics that stays.
  package var momentum: Float
  /// r_max, at least 1; 1 with `distanceBound` 0: no renormalisation.
  package var ratioBound: Float
  /// d_max, at least 0.
  package var distanceBound: Float

  package init(epsilon: Float, momentum: Float, ratioBound: Float = 1, distanceBound: Float = 0) {
    (self.epsilon, self.momentum) = (epsilon, momentum)
    (self.ratioBound, self.distanceBound) = (ratioBound, distanceBound)
  }
}

private typealias Slot = Vector.BatchNormVector

/// What statistics make of columns: z = scale (x − center) + shift, and what the way back needs.
@safe
package struct BatchNormRecord: ~Copyable {
  package let columns: Int
  fileprivate let vectors: Block
  fileprivate var panels: Int { panelCount(columns) }
  fileprivate var pointer: UnsafeMutablePointer<Float> { vectors.pointer }

  package init(columns: Int) {
    self.columns = columns
    vectors = Block(count: panelCount(columns) * Slot.stride)
  }

  fileprivate func at(_ panel: Int) -> UnsafeMutablePointer<Float> { pointer + panel * Slot.stride }

  private subscript(_ which: Int, column: Int) -> Float {
    precondition(column >= 0 && column < columns, "column \(column) of \(columns)")
    return at(column / panelWidth)[which * panelWidth + column % panelWidth]
  }

  /// ∂z/∂x of a column where the statistics are not the batch's own.
  package func scale(_ column: Int) -> Float { self[Slot.scale, column] }
  /// r of a column.
  package func ratio(_ column: Int) -> Float { self[Slot.ratio, column] }
  /// d of a column.
  package func distance(_ column: Int) -> Float { self[Slot.distance, column] }
  /// (μ − M) / √(V + ε) of a column, before the batch moved M and V.
  package func lag(_ column: Int) -> Float { self[Slot.lag, column] }
}

// MARK: statistics

/// The statistics of some panels of x over its first `rows` rows. They move the running ones at `runningOffset`, whose values
/// before are those that r and d compare with. g and b start at `offset` in `parameters`.
package func batchNormStatistics(
  _ x: borrowing Matrix, rows: Int, _ parameters: borrowing Block, at offset: Int, running: borrowing Block,
  at runningOffset: Int, _ settings: BatchNormSettings, _ record: borrowing BatchNormRecord, panels: Range<Int>
) {
  check(0..<rows, x.rows)
  checkShapes(record, x.columns, parameters, offset, panels)
  checkShapes(record, x.columns, running, runningOffset, panels)
  precondition(rows > 0, "the statistics of no row")
  guard !panels.isEmpty else { return }
  let first = panels.lowerBound
  let affine = parameters.pointer + (offset + 2 * first * panelWidth)
  let past = running.pointer + (runningOffset + 2 * first * panelWidth)
  if wide {
    Vector512.batchNormStatistics(
      rows: rows, x.at(0, panel: first), x.stride, panels: panels.count, affine, past, epsilon: settings.epsilon,
      momentum: settings.momentum, ratioBound: settings.ratioBound, distanceBound: settings.distanceBound,
      record.at(first))
  } else {
    Vector.batchNormStatistics(
      rows: rows, x.at(0, panel: first), x.stride, panels: panels.count, affine, past, epsilon: settings.epsilon,
      momentum: settings.momentum, ratioBound: settings.ratioBound, distanceBound: settings.distanceBound,
      record.at(first))
  }
}

/// What the running statistics make of some panels.
package func batchNormInference(
  _ parameters: borrowing Block, at offset: Int, running: borrowing Block, at runningOffset: Int, epsilon: Float,
  _ record: borrowing BatchNormRecord, panels: Range<Int>
) {
  checkShapes(record, record.columns, parameters, offset, panels)
  checkShapes(record, record.columns, running, runningOffset, panels)
  guard !panels.isEmpty else { return }
  let first = panels.lowerBound
  let affine = parameters.pointer + (offset + 2 * first * panelWidth)
  let past = running.pointer + (runningOffset + 2 * first * panelWidth)
  if wide {
    Vector512.batchNormInference(panels: panels.count, affine, past, epsilon: epsilon, record.at(first))
  } else {
    Vector.batchNormInference(panels: panels.count, affine, past, epsilon: epsilon, record.at(first))
  }
}

// MARK: forward

/// z = scale (x − center) + shift for some rows; with `rectify` max(0, z).
package func batchNormForward(
  _ x: borrowing Matrix, _ record: borrowing BatchNormRecord, rectify: Bool = false, into z: borrowing Matrix,
  rows: Range<Int>
) {
  precondition(x.columns == z.columns && x.columns == record.columns, "\(x.columns) columns into \(z.columns)")
  check(rows, min(x.rows, z.rows))
  let first = rows.lowerBound
  if wide {
    Vector512.batchNormForward(
      rows: rows.count, x.at(first), x.stride, panels: x.panels, record.pointer, rectify: rectify, z.at(first), z.stride
    )
  } else {
    Vector.batchNormForward(
      rows: rows.count, x.at(first), x.stride, panels: x.panels, record.pointer, rectify: rectify, z.at(first), z.stride
    )
  }
}

// MARK: back

/// dg and db of some panels over the first `rows` rows of dz, at `offset` in `gradients`, and the means that
/// `batchNormInputGradient` takes off.
package func batchNormGradientSums(
  _ dz: borrowing Matrix, _ x: borrowing Matrix, rows: Int, _ record: borrowing BatchNormRecord,
  into gradients: borrowing Block, at offset: Int, panels: Range<Int>
) {
  precondition(dz.columns == x.columns, "a gradient of \(dz.columns) columns for \(x.columns)")
  check(0..<rows, min(dz.rows, x.rows))
  checkShapes(record, x.columns, gradients, offset, panels)
  precondition(rows > 0, "the sums of no row")
  guard !panels.isEmpty else { return }
  let first = panels.lowerBound
  let target = gradients.pointer + (offset + 2 * first * panelWidth)
  if wide {
    Vector512.batchNormGradientSums(
      rows: rows, dz.at(0, panel: first), dz.stride, x.at(0, panel: first), x.stride, panels: panels.count,
      record.at(first), target)
  } else {
    Vector.batchNormGradientSums(
      rows: rows, dz.at(0, panel: first), dz.stride, x.at(0, panel: first), x.stride, panels: panels.count,
      record.at(first), target)
  }
}

/// d ← ∂L/∂x from ∂L/∂z in place, for some rows of a batch whose statistics are its own; zero where x is not positive if `mask`.
package func batchNormInputGradient(
  _ d: borrowing Matrix, _ x: borrowing Matrix, _ record: borrowing BatchNormRecord, mask: Bool, rows: Range<Int>
) {
  precondition(d.columns == x.columns && x.columns == record.columns, "\(d.columns) columns for \(x.columns)")
  check(rows, min(d.rows, x.rows))
  let first = rows.lowerBound
  if wide {
    Vector512.batchNormInputGradient(
      rows: rows.count, d.at(first), d.stride, x.at(first), x.stride, panels: x.panels, record.pointer, mask: mask)
  } else {
    Vector.batchNormInputGradient(
      rows: rows.count, d.at(first), d.stride, x.at(first), x.stride, panels: x.panels, record.pointer, mask: mask)
  }
}

/// d ← ∂L/∂x from ∂L/∂z in place, for some rows, where the statistics are the running ones.
package func batchNormScale(_ d: borrowing Matrix, _ record: borrowing BatchNormRecord, rows: Range<Int>) {
  scale(d, record, nil, 0, nil, rows)
}

/// The same, zero where row r of x is not positive.
package func batchNormScale(
  _ d: borrowing Matrix, _ record: borrowing BatchNormRecord, mask x: borrowing Matrix, rows: Range<Int>
) {
  precondition(d.columns == x.columns, "a mask of \(x.columns) columns for \(d.columns)")
  check(rows, x.rows)
  scale(d, record, x.at(rows.lowerBound), x.stride, nil, rows)
}

/// The same, zero where row `maskRows[r]` of x is not positive.
package func batchNormScale(
  _ d: borrowing Matrix, _ record: borrowing BatchNormRecord, mask x: borrowing Matrix,
  maskRows: borrowing RowIndices, rows: Range<Int>
) {
  precondition(d.columns == x.columns, "a mask of \(x.columns) columns for \(d.columns)")
  check(rows, maskRows.count)
  maskRows.check(rows, below: x.rows)
  scale(d, record, x.pointer, x.stride, maskRows.pointer + rows.lowerBound, rows)
}

private func scale(
  _ d: borrowing Matrix, _ record: borrowing BatchNormRecord, _ mask: UnsafeMutablePointer<Float>?, _ maskStride: Int,
  _ maskRows: UnsafeMutablePointer<Int32>?, _ rows: Range<Int>
) {
  precondition(d.columns == record.columns, "\(d.columns) columns, a record of \(record.columns)")
  check(rows, d.rows)
  let (first, mask, maskRows) = (rows.lowerBound, mask.map { UnsafePointer($0) }, maskRows.map { UnsafePointer($0) })
  if wide {
    Vector512.batchNormScale(
      rows: rows.count, d.at(first), d.stride, panels: d.panels, record.pointer, mask: mask, maskStride,
      maskRows: maskRows)
  } else {
    Vector.batchNormScale(
      rows: rows.count, d.at(first), d.stride, panels: d.panels, record.pointer, mask: mask, maskStride,
      maskRows: maskRows)
  }
}

// MARK: between layers

/// Rows of one matrix, or of two side by side, into a matrix, from row `first` of it on.
package func join(_ input: Input, into joined: borrowing Matrix, at first: Int = 0, rows: Range<Int>) {
  precondition(input.columns == joined.columns, "\(input.columns) columns into \(joined.columns)")
  check(rows, input.rows)
  check((rows.lowerBound + first)..<(rows.upperBound + first), joined.rows)
  for panel in 0..<panelCount(input.xColumns) {
    joined.at(rows.lowerBound + first, panel: panel).update(
      from: input.x + (panel * input.xStride + rows.lowerBound * panelWidth), count: rows.count * panelWidth)
  }
  for column in 0..<input.zColumns {
    let source = input.z + (column / panelWidth * input.zStride + column % panelWidth)
    let target = joined.pointer + joined.place(first, input.xColumns + column)
    for row in rows { target[row &* panelWidth] = source[row &* panelWidth] }
  }
}

/// The last columns of d, each times its scale, for some rows.
package func batchNormScaleLast(
  _ d: borrowing Matrix, _ record: borrowing BatchNormRecord, into last: borrowing Matrix, rows: Range<Int>
) {
  precondition(last.columns <= d.columns && d.columns == record.columns, "\(last.columns) columns of \(d.columns)")
  check(rows, min(d.rows, last.rows))
  let first = d.columns - last.columns
  for column in 0..<last.columns {
    let scale = record.scale(first + column)
    let (source, target) = (d.pointer + d.place(0, first + column), last.pointer + last.place(0, column))
    for row in rows { target[row &* panelWidth] = source[row &* panelWidth] * scale }
  }
}

/// A layer of normalised inputs, at `offset` in `parameters`, as a layer of the inputs themselves, at `target` in `folded`.
package func batchNormFold(
  _ parameters: borrowing Block, at offset: Int, _ record: borrowing BatchNormRecord, outputs: Int,
  into folded: borrowing Block, at target: Int
) {
  let count = denseParameterCount(inputs: record.columns, outputs: outputs)
  precondition(offset >= 0 && offset + count <= parameters.count, "a layer at \(offset) of \(parameters.count)")
  precondition(target >= 0 && target + count <= folded.count, "a layer at \(target) of \(folded.count)")
  if wide {
    Vector512.batchNormFold(
      inputs: record.columns, panels: panelCount(outputs), parameters.pointer + offset, record.pointer,
      folded.pointer + target)
  } else {
    Vector.batchNormFold(
      inputs: record.columns, panels: panelCount(outputs), parameters.pointer + offset, record.pointer,
      folded.pointer + target)
  }
}

/// A layer at `offset` in `folded` whose outputs are normalised behind it, as one layer, in place.
package func batchNormFoldOutputs(
  _ record: borrowing BatchNormRecord, inputs: Int, into folded: borrowing Block, at offset: Int
) {
  let count = denseParameterCount(inputs: inputs, outputs: record.columns)
  precondition(offset >= 0 && offset + count <= folded.count, "a layer at \(offset) of \(folded.count)")
  if wide {
    Vector512.batchNormFoldOutputs(
      inputs: inputs, panels: record.panels, record.pointer, folded.pointer + offset)
  } else {
    Vector.batchNormFoldOutputs(
      inputs: inputs, panels: record.panels, record.pointer, folded.pointer + offset)
  }
}

private func checkShapes(
  _ record: borrowing BatchNormRecord, _ columns: Int, _ block: borrowing Block, _ offset: Int, _ panels: Range<Int>
) {
  precondition(columns == record.columns && columns > 0, "\(columns) columns, a record of \(record.columns)")
  precondition(
    offset >= 0 && offset + batchNormParameterCount(columns) <= block.count,
    "two vectors at \(offset) of \(block.count)")
  precondition(panels.lowerBound >= 0 && panels.upperBound <= record.panels, "panels \(panels) of \(record.panels)")
}
