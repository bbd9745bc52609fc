// Dropout.swift — dropout over a matrix, drawn by index, so that any thread may drop any part.

import Vector
import Vector512

/// One draw of dropout for a whole network or several: what is dropped is a function of it and each unit's index alone.
package struct DropoutDraw: Sendable {
  let key: (UInt32, UInt32)
  let draw: UInt32
}

extension RandomStream {
  /// One draw, however many units it is for.
  package mutating func dropout() -> DropoutDraw {
    defer { position &+= 1 }
    return DropoutDraw(key: drawKey(0x7f4a_7c15), draw: UInt32(truncatingIfNeeded: position))
  }
}

/// x ← k ⊙ x in place for some rows and k into `factors`: 0 with probability `rate`, else 1 / (1 − rate).
///
/// - Parameter first: the index of x's first number in the draw, a multiple of 32; see `dropoutIndexCount`.
package func dropoutForward(
  _ x: borrowing Matrix, rate: Float, _ draw: DropoutDraw, first: Int, factors: borrowing Matrix, rows: Range<Int>
) {
  precondition(x.columns == factors.columns && x.columns > 0, "\(x.columns) columns, \(factors.columns) factors")
  precondition(rate > 0 && rate < 1 && first >= 0 && first % 32 == 0, "dropout of \(rate) from \(first)")
  check(rows, min(x.rows, factors.rows))
  let row = rows.lowerBound
  let start = UInt64(first + row * dropoutIndexCount(columns: x.columns, rows: 1))
  let threshold = UInt32((Double(rate) * 0x1p32).rounded(.down))
  let scale = 1 / (1 - rate)
  if wide {
    Vector512.dropoutForward(
      rows: rows.count, x.at(row), x.stride, columns: x.columns, key: draw.key, draw: draw.draw, first: start,
      threshold: threshold, scale: scale, factors.at(row), factors.stride)
  } else {
    Vector.dropoutForward(
      rows: rows.count, x.at(row), x.stride, columns: x.columns, key: draw.key, draw: draw.draw, first: start,
      threshold: threshold, scale: scale, factors.at(row), factors.stride)
  }
}

/// Indices that a matrix takes of a draw: whole pairs of panels for each row.
package func dropoutIndexCount(columns: Int, rows: Int) -> Int { (columns + 31) / 32 * 32 * rows }
