// ParameterSteps.swift — Adam, target tracking and unit lengths over blocks of parameters.

import Vector
import Vector512

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
///
/// Returns 0, or NaN where a new θ̄ is not finite; a rate of 1 copies θ, whose step has looked.
@discardableResult
package func track(
  _ targets: borrowing Block, _ parameters: borrowing Block, rate: Float, range: Range<Int>
) -> Float {
  checkVectors(range, min(targets.count, parameters.count))
  let start = range.lowerBound
  if rate == 1 {
    // exactly θ, which adding the difference need not give
    (targets.pointer + start).update(from: parameters.pointer + start, count: range.count)
    return 0
  }
  return wide
    ? Vector512.track(count: range.count, targets.pointer + start, parameters.pointer + start, rate: rate)
    : Vector.track(count: range.count, targets.pointer + start, parameters.pointer + start, rate: rate)
}

/// x ← c x over a range, whose bounds are multiples of 16.
package func scale(_ values: borrowing Block, by factor: Float, range: Range<Int>) {
  checkVectors(range, values.count)
  if wide {
    Vector512.scale(count: range.count, values.pointer + range.lowerBound, by: factor)
  } else {
    Vector.scale(count: range.count, values.pointer + range.lowerBound, by: factor)
  }
}

/// Σ x² over a range, whose bounds are multiples of 16.
package func squaredNorm(_ values: borrowing Block, range: Range<Int>) -> Float {
  checkVectors(range, values.count)
  return wide
    ? Vector512.squaredNorm(count: range.count, values.pointer + range.lowerBound)
    : Vector.squaredNorm(count: range.count, values.pointer + range.lowerBound)
}

/// The weights of each output of a layer at `offset` to length 1, for some panels of outputs. Returns 0, or NaN where a length is
/// not finite.
package func unitLength(_ parameters: borrowing Block, at offset: Int, inputs: Int, panels: Range<Int>) -> Float {
  let block = (inputs + 1) * panelWidth
  precondition(
    offset >= 0 && panels.lowerBound >= 0 && offset + panels.upperBound * block <= parameters.count,
    "panels \(panels) of \(inputs) inputs at \(offset) of \(parameters.count)")
  let first = parameters.pointer + (offset + panels.lowerBound * block)
  return wide
    ? Vector512.unitLength(inputs: inputs, panels: panels.count, first)
    : Vector.unitLength(inputs: inputs, panels: panels.count, first)
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
