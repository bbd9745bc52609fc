// QuantileLoss.swift — truncating a mixture of atoms, and the quantile Huber loss, over matrices and blocks.

import Vector
import Vector512

/// τ_m = (m + ½) / M of M quantiles, the middles of equal parts of (0, 1), in panels of one row.
package func quantileLevels(_ count: Int) -> Block {
  let levels = Block(count: panelCount(count) * panelWidth)
  for m in 0..<count { levels[m] = (Float(m) + 0.5) / Float(count) }
  return levels
}

/// Σ_m Σ_k |τ_m − [δ < 0]| L(δ), δ = y_k − θ_m, of each of some rows, and w · scale times its gradient with respect to θ.
///
/// - Parameters:
///   - theta: θ (B × M).
///   - levels: see `quantileLevels`.
///   - targets: y (B × K), one row after another.
///   - weights: w (B).
///   - losses: (B), without w and scale.
package func quantileHuber(
  _ theta: borrowing Matrix, levels: borrowing Block, targets: borrowing Block, targetCount: Int,
  weights: borrowing Block, scale: Float, into gradient: borrowing Matrix, losses: borrowing Block, rows: Range<Int>
) {
  precondition(gradient.columns == theta.columns, "a gradient of \(gradient.columns) of \(theta.columns) quantiles")
  precondition(levels.count >= theta.columns && targetCount > 0, "\(levels.count) levels, \(targetCount) targets")
  check(rows, min(theta.rows, gradient.rows, losses.count, weights.count, targets.count / targetCount))
  let first = rows.lowerBound
  if wide {
    Vector512.quantileHuber(
      rows: rows.count, theta.at(first), theta.stride, quantiles: theta.columns, levels: levels.pointer,
      targets: targets.pointer + first * targetCount, targetCount: targetCount, weights: weights.pointer + first,
      scale: scale, gradient.at(first), gradient.stride, losses.pointer + first)
  } else {
    Vector.quantileHuber(
      rows: rows.count, theta.at(first), theta.stride, quantiles: theta.columns, levels: levels.pointer,
      targets: targets.pointer + first * targetCount, targetCount: targetCount, weights: weights.pointer + first,
      scale: scale, gradient.at(first), gradient.stride, losses.pointer + first)
  }
}

/// Leaves out the D largest of each of some rows' atoms, those of all matrices together.
///
/// The others keep their order: matrix by matrix, column by column. A row with a NaN among its atoms keeps nothing but NaN: it must
/// not hide among those that are left out.
///
/// - Parameters:
///   - atoms: J × (B × M).
///   - largest: room for the atoms that are left out (B × D).
///   - kept: (B × (J M − D)), one row after another.
package func leaveOutLargest(
  _ dropped: Int, of atoms: borrowing FixedArray<Matrix>, room largest: borrowing Block, into kept: borrowing Block,
  rows: Range<Int>
) {
  precondition(atoms.count > 0, "no atoms")
  let columns = atoms[0].columns
  let count = atoms.count * columns - dropped
  precondition(dropped >= 0 && count > 0, "\(dropped) of \(atoms.count) × \(columns) atoms are to be left out")
  check(rows, min(kept.count / count, dropped == 0 ? rows.upperBound : largest.count / dropped))
  for j in 0..<atoms.count {
    precondition(atoms[j].columns == columns, "\(atoms[j].columns) atoms beside \(columns)")
    check(rows, atoms[j].rows)
  }
  for row in rows {
    let top = largest.pointer + row * dropped
    let output = kept.pointer + row * count
    var (filled, isNaN) = (0, false)
    // the largest so far, in ascending order
    for j in 0..<atoms.count {
      for column in 0..<columns {
        let value = atoms[j].pointer[atoms[j].place(row, column)]
        isNaN = isNaN || value.isNaN
        guard filled < dropped || dropped > 0 && value > top[0] else { continue }
        var at: Int
        if filled < dropped {
          at = filled
          filled += 1
          while at > 0 && top[at - 1] > value {
            top[at] = top[at - 1]
            at -= 1
          }
        } else {
          at = 0
          while at + 1 < dropped && top[at + 1] < value {
            top[at] = top[at + 1]
            at += 1
          }
        }
        top[at] = value
      }
    }
    // of those that are equal to the smallest one left out, as many as it takes
    let bound = dropped > 0 ? top[0] : .infinity
    var equal = 0
    while equal < dropped && top[equal] == bound { equal += 1 }
    var written = 0
    for j in 0..<atoms.count where !isNaN {
      for column in 0..<columns {
        let value = atoms[j].pointer[atoms[j].place(row, column)]
        if dropped > 0 && value >= bound {
          if value > bound { continue }
          if equal > 0 {
            equal -= 1
            continue
          }
        }
        output[written] = value
        written += 1
      }
    }
    if isNaN { output.update(repeating: .nan, count: count) }
  }
}
