// CategoricalKernels.swift — distributions over fixed values (C51), over matrices and blocks: softmax, projection, gradients.
//
// The formulas are in Categorical.swift of the vectors.

import Vector
import Vector512

/// z_i = low + i Δ, i = 0 … M − 1: the values that a return may have.
@safe
package struct ReturnSupport: ~Copyable {
  /// V_min
  package let low: Float
  /// V_max
  package let high: Float
  /// M
  package let count: Int
  fileprivate let values: Block  // in panels of one row

  /// - Precondition: low < high and at least two values.
  package init(low: Float, high: Float, count: Int) {
    precondition(low < high && count >= 2, "\(count) values from \(low) to \(high)")
    (self.low, self.high, self.count) = (low, high, count)
    values = Block(count: panelCount(count) * panelWidth)
    for i in 0..<count { values[i] = value(i) }
  }

  /// z_i
  package func value(_ i: Int) -> Float {
    i == count - 1 ? high : Float(Double(low) + (Double(high) - Double(low)) * Double(i) / Double(count - 1))
  }

  fileprivate func check(_ columns: Int) {
    precondition(columns == count, "\(columns) columns for \(count) values of a return")
  }
}

/// p = softmax l, its mean q and log Σ exp(l), for some rows.
///
/// - Parameters:
///   - logits: l (B × M).
///   - means: q (B).
///   - normalizers: (B), so that log p = l − normalizer.
package func categoricalForward(
  _ logits: borrowing Matrix, _ support: borrowing ReturnSupport, into probabilities: borrowing Matrix,
  means: borrowing Block, normalizers: borrowing Block, rows: Range<Int>
) {
  support.check(logits.columns)
  support.check(probabilities.columns)
  check(rows, min(logits.rows, probabilities.rows, means.count, normalizers.count))
  let first = rows.lowerBound
  if wide {
    Vector512.categoricalForward(
      rows: rows.count, logits.at(first), logits.stride, count: support.count, support: support.values.pointer,
      probabilities.at(first), probabilities.stride, means.pointer + first, normalizers.pointer + first)
  } else {
    Vector.categoricalForward(
      rows: rows.count, logits.at(first), logits.stride, count: support.count, support: support.values.pointer,
      probabilities.at(first), probabilities.stride, means.pointer + first, normalizers.pointer + first)
  }
}

/// m, the distribution of clip(c + g z, V_min, V_max) on the values z where z has the distribution p, and its mean, for some rows.
///
/// A row with a c or g that is not finite is NaN.
///
/// - Parameters:
///   - probabilities: p (B′ × M); row r of the result is of row `first` + r of it.
///   - shifts: c (B).
///   - factors: g (B).
///   - projected: m (B × M).
///   - means: Σ_i m_i z_i (B).
package func categoricalProjection(
  _ probabilities: borrowing Matrix, from first: Int = 0, _ support: borrowing ReturnSupport, shifts: borrowing Block,
  factors: borrowing Block, into projected: borrowing Matrix, means: borrowing Block, rows: Range<Int>
) {
  support.check(probabilities.columns)
  support.check(projected.columns)
  check(rows, min(shifts.count, factors.count, projected.rows, means.count))
  check((rows.lowerBound + first)..<(rows.upperBound + first), probabilities.rows)
  let at = rows.lowerBound
  if wide {
    Vector512.categoricalProjection(
      rows: rows.count, probabilities.at(at + first), probabilities.stride, count: support.count,
      support: support.values.pointer, low: support.low, high: support.high, shifts: shifts.pointer + at,
      factors: factors.pointer + at, projected.at(at), projected.stride, means.pointer + at)
  } else {
    Vector.categoricalProjection(
      rows: rows.count, probabilities.at(at + first), probabilities.stride, count: support.count,
      support: support.values.pointer, low: support.low, high: support.high, shifts: shifts.pointer + at,
      factors: factors.pointer + at, projected.at(at), projected.stride, means.pointer + at)
  }
}

/// −Σ_i m_i log p_i of each of some rows, and w · scale times its gradient with respect to l.
///
/// - Parameters:
///   - normalizers: log Σ exp(l) (B′).
///   - targets: m (B × M).
///   - weights: w (B).
///   - losses: (B), without w and scale.
package func crossEntropy(
  _ logits: borrowing Matrix, _ probabilities: borrowing Matrix, normalizers: borrowing Block,
  targets: borrowing Matrix, weights: borrowing Block, scale: Float, into gradient: borrowing Matrix,
  losses: borrowing Block, rows: Range<Int>
) {
  let columns = logits.columns
  precondition(
    probabilities.columns == columns && targets.columns == columns && gradient.columns == columns,
    "\(probabilities.columns), \(targets.columns) and \(gradient.columns) columns for \(columns)")
  check(rows, min(logits.rows, probabilities.rows, normalizers.count))
  check(rows, min(targets.rows, weights.count, gradient.rows, losses.count))
  let first = rows.lowerBound
  if wide {
    Vector512.crossEntropy(
      rows: rows.count, logits.at(first), logits.stride, count: columns, probabilities.at(first), probabilities.stride,
      normalizers: normalizers.pointer + first, targets: targets.at(first), targets.stride,
      weights: weights.pointer + first, scale: scale, gradient.at(first), gradient.stride, losses.pointer + first)
  } else {
    Vector.crossEntropy(
      rows: rows.count, logits.at(first), logits.stride, count: columns, probabilities.at(first), probabilities.stride,
      normalizers: normalizers.pointer + first, targets: targets.at(first), targets.stride,
      weights: weights.pointer + first, scale: scale, gradient.at(first), gradient.stride, losses.pointer + first)
  }
}

/// scale · ∂q/∂l for some rows, where row r of the gradient belongs to row `owners[r]` of the distributions.
///
/// - Parameter means: q (B′).
package func categoricalMeanGradient(
  _ probabilities: borrowing Matrix, _ support: borrowing ReturnSupport, means: borrowing Block,
  owners: borrowing RowIndices, scale: Float, into gradient: borrowing Matrix, rows: Range<Int>
) {
  support.check(probabilities.columns)
  support.check(gradient.columns)
  check(rows, min(owners.count, gradient.rows))
  owners.check(rows, below: min(probabilities.rows, means.count))
  let first = rows.lowerBound
  if wide {
    Vector512.categoricalMeanGradient(
      rows: rows.count, probabilities.pointer, probabilities.stride, count: support.count,
      support: support.values.pointer, means: means.pointer, owners: owners.pointer + first, scale: scale,
      gradient.at(first), gradient.stride)
  } else {
    Vector.categoricalMeanGradient(
      rows: rows.count, probabilities.pointer, probabilities.stride, count: support.count,
      support: support.values.pointer, means: means.pointer, owners: owners.pointer + first, scale: scale,
      gradient.at(first), gradient.stride)
  }
}
