// Squashing.swift — tanh and the squashed Gaussian over matrices: the parts of a policy that are not matrix products.

import Vector
import Vector512

/// What a squashed-Gaussian draw leaves for its gradient: flat (B × A) arrays, see `Vector/Gaussian.swift`.
@safe
package struct GaussianRecord: ~Copyable {
  package let rows: Int
  package let actionSize: Int
  let squashed: Block
  let spread: Block
  let passes: Block
  let scratch: Block

  package init(rows: Int, actionSize: Int) {
    (self.rows, self.actionSize) = (rows, actionSize)
    squashed = Block(count: rows * actionSize)
    spread = Block(count: rows * actionSize)
    passes = Block(count: rows * actionSize)
    scratch = Block(count: rows * actionSize)
  }
}

/// a = tanh(μ + σ ε) and log π(a|s) for some rows, from heads [μ, log σ] (B × 2A) and flat noise ε (B × A).
///
/// - Parameter draw: which ε, where the noise is that of several draws (K × B × A).
package func gaussianSample(
  _ heads: borrowing Matrix, noise: borrowing Block, draw: Int = 0, into actions: borrowing Matrix,
  _ record: borrowing GaussianRecord, logProbabilities: borrowing Block, rows: Range<Int>
) {
  let size = record.actionSize
  let noiseRow = draw * record.rows
  precondition(
    heads.columns == 2 * size && actions.columns == size, "\(heads.columns) heads for \(actions.columns) actions")
  precondition(
    rows.lowerBound >= 0 && draw >= 0
      && rows.upperBound
        <= min(heads.rows, actions.rows, record.rows, logProbabilities.count, noise.count / max(1, size) - noiseRow),
    "rows \(rows) of draw \(draw)")
  let first = rows.lowerBound
  let flat = first * size
  let epsilons = (noiseRow + first) * size
  if wide {
    Vector512.gaussianSample(
      rows: rows.count, actionSize: size, heads.at(first), heads.stride, noise: noise.pointer + epsilons,
      actions.at(first), actions.stride, squashed: record.squashed.pointer + flat,
      spread: record.spread.pointer + flat, passes: record.passes.pointer + flat,
      scratch: record.scratch.pointer + flat, logProbabilities: logProbabilities.pointer + first)
  } else {
    Vector.gaussianSample(
      rows: rows.count, actionSize: size, heads.at(first), heads.stride, noise: noise.pointer + epsilons,
      actions.at(first), actions.stride, squashed: record.squashed.pointer + flat,
      spread: record.spread.pointer + flat, passes: record.passes.pointer + flat,
      scratch: record.scratch.pointer + flat, logProbabilities: logProbabilities.pointer + first)
  }
}

/// The gradient of the heads from ∂L/∂a (B × A) and ∂L/∂log π, the same for each row.
package func gaussianGradient(
  _ record: borrowing GaussianRecord, actionGradient: borrowing Matrix, logProbabilityGradient: Float,
  into heads: borrowing Matrix, rows: Range<Int>
) {
  let size = record.actionSize
  precondition(heads.columns == 2 * size && actionGradient.columns == size, "\(heads.columns) heads, \(size) actions")
  precondition(
    rows.lowerBound >= 0 && rows.upperBound <= min(heads.rows, actionGradient.rows, record.rows), "rows \(rows)")
  let first = rows.lowerBound
  let flat = first * size
  if wide {
    Vector512.gaussianGradient(
      rows: rows.count, actionSize: size, actionGradient.at(first), actionGradient.stride,
      logProbabilityGradient: logProbabilityGradient, squashed: record.squashed.pointer + flat,
      spread: record.spread.pointer + flat, passes: record.passes.pointer + flat,
      scratch: record.scratch.pointer + flat, heads.at(first), heads.stride)
  } else {
    Vector.gaussianGradient(
      rows: rows.count, actionSize: size, actionGradient.at(first), actionGradient.stride,
      logProbabilityGradient: logProbabilityGradient, squashed: record.squashed.pointer + flat,
      spread: record.spread.pointer + flat, passes: record.passes.pointer + flat,
      scratch: record.scratch.pointer + flat, heads.at(first), heads.stride)
  }
}

/// The gradient of the heads from Σ_k w_k log π(a_k|s) with K drawn actions held fixed: ε (K × B × A), w (K × B).
///
/// - Parameter heads: what the actions were drawn from. The record is spent.
package func gaussianScoreGradient(
  _ heads: borrowing Matrix, _ record: borrowing GaussianRecord, draws: Int, noise: borrowing Block,
  weights: borrowing Block, into gradient: borrowing Matrix, rows: Range<Int>
) {
  let size = record.actionSize
  precondition(
    heads.columns == 2 * size && gradient.columns == 2 * size, "\(heads.columns) heads, \(gradient.columns) gradients")
  precondition(
    rows.lowerBound >= 0 && rows.upperBound <= min(heads.rows, gradient.rows, record.rows), "rows \(rows)")
  precondition(
    draws >= 0 && noise.count >= draws * record.rows * size && weights.count >= draws * record.rows,
    "\(draws) draws of \(record.rows) rows with \(noise.count) ε and \(weights.count) weights")
  let first = rows.lowerBound
  let flat = first * size
  if wide {
    Vector512.gaussianScoreGradient(
      rows: rows.count, actionSize: size, draws: draws, drawStride: record.rows, heads.at(first), heads.stride,
      noise: noise.pointer + flat, weights: weights.pointer + first, passes: record.passes.pointer + flat,
      means: record.squashed.pointer + flat, deviations: record.scratch.pointer + flat, gradient.at(first),
      gradient.stride)
  } else {
    Vector.gaussianScoreGradient(
      rows: rows.count, actionSize: size, draws: draws, drawStride: record.rows, heads.at(first), heads.stride,
      noise: noise.pointer + flat, weights: weights.pointer + first, passes: record.passes.pointer + flat,
      means: record.squashed.pointer + flat, deviations: record.scratch.pointer + flat, gradient.at(first),
      gradient.stride)
  }
}

/// a = tanh u in place, for some rows.
package func tanhForward(_ values: borrowing Matrix, rows: Range<Int>) {
  precondition(rows.lowerBound >= 0 && rows.upperBound <= values.rows, "rows \(rows) of \(values.rows)")
  if wide {
    Vector512.tanhForward(rows: rows.count, values.at(rows.lowerBound), values.stride, panels: values.panels)
  } else {
    Vector.tanhForward(rows: rows.count, values.at(rows.lowerBound), values.stride, panels: values.panels)
  }
}

/// du = da (1 − a²) for some rows.
package func tanhGradient(
  _ da: borrowing Matrix, actions: borrowing Matrix, into du: borrowing Matrix, rows: Range<Int>
) {
  precondition(da.columns == actions.columns && du.columns == actions.columns, "gradients of another shape")
  precondition(rows.lowerBound >= 0 && rows.upperBound <= min(da.rows, actions.rows, du.rows), "rows \(rows)")
  let first = rows.lowerBound
  if wide {
    Vector512.tanhGradient(
      rows: rows.count, da.at(first), da.stride, actions.at(first), actions.stride, panels: actions.panels,
      du.at(first), du.stride)
  } else {
    Vector.tanhGradient(
      rows: rows.count, da.at(first), da.stride, actions.at(first), actions.stride, panels: actions.panels,
      du.at(first), du.stride)
  }
}
