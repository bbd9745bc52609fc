// Optimizer.swift — Adam, target tracking and lengths over blocks of parameters; what a bound of the gradients' norm needs.

/// One Adam step (Kingma & Ba 2015, alg. 1) over `count` parameters, a multiple of 16.
///
///   m ← m + (1 − β₁)(g − m),   v ← β₂ v + (1 − β₂) g²,   θ ← θ − rate · m / (√v · correction + ε)
///
/// `gain1` is 1 − β₁, `gain2` is 1 − β₂, `rate` is η / (1 − β₁ᵗ) and `correction` is 1 / √(1 − β₂ᵗ).
///
/// Returns Σ 0 · θ: 0, or NaN as soon as one of the new parameters is not finite, for one more operation in 25.
@discardableResult
package func adamStep(
  count: Int, _ parameters: UnsafeMutablePointer<Float>, _ gradients: UnsafePointer<Float>,
  _ firstMoments: UnsafeMutablePointer<Float>, _ secondMoments: UnsafeMutablePointer<Float>,
  gain1: Float, beta2: Float, gain2: Float, rate: Float, correction: Float, epsilon: Float
) -> Float {
  let (gain1, gain2) = (Lanes(repeating: gain1), Lanes(repeating: gain2))
  let (beta2, rate) = (Lanes(repeating: beta2), Lanes(repeating: rate))
  let (correction, epsilon) = (Lanes(repeating: correction), Lanes(repeating: epsilon))
  var check = Lanes.zero
  var i = 0
  while i < count {
    let g = load(gradients + i)
    var m = load(firstMoments + i)
    m = fma(gain1, g - m, m)
    let v = fma(gain2 * g, g, beta2 * load(secondMoments + i))
    store(m, firstMoments + i)
    store(v, secondMoments + i)
    let deviation = fma(v * reciprocalSquareRoot(v), correction, epsilon)
    let theta = fma(-rate * m, reciprocal(deviation), load(parameters + i))
    store(theta, parameters + i)
    check = fma(theta, .zero, check)
    i &+= laneCount
  }
  return total(check)
}

/// θ̄ ← θ̄ + rate (θ − θ̄) over `count` parameters, a multiple of 16. Returns Σ 0 · θ̄, as `adamStep` does.
@discardableResult
package func track(
  count: Int, _ targets: UnsafeMutablePointer<Float>, _ parameters: UnsafePointer<Float>, rate: Float
) -> Float {
  let rate = Lanes(repeating: rate)
  var check = Lanes.zero
  var i = 0
  while i < count {
    let old = load(targets + i)
    let target = fma(rate, load(parameters + i) - old, old)
    store(target, targets + i)
    check = fma(target, .zero, check)
    i &+= laneCount
  }
  return total(check)
}

/// x ← c x over `count` values, a multiple of 16.
package func scale(count: Int, _ values: UnsafeMutablePointer<Float>, by factor: Float) {
  let factor = Lanes(repeating: factor)
  var i = 0
  while i < count {
    store(factor * load(values + i), values + i)
    i &+= laneCount
  }
}

/// Σ x² over `count` values, a multiple of 16.
package func squaredNorm(count: Int, _ values: UnsafePointer<Float>) -> Float {
  var sum = Lanes.zero
  var i = 0
  while i < count {
    let x = load(values + i)
    sum = fma(x, x, sum)
    i &+= laneCount
  }
  return total(sum)
}

/// The weights of each output to length 1, for `panels` panels of outputs: w ← w / ‖w‖; biases stay. Weights that are all zero, as
/// those past the last output, stay zero. Returns 0, or NaN where a length is not finite.
package func unitLength(inputs: Int, panels: Int, _ weights: UnsafeMutablePointer<Float>) -> Float {
  var check = Lanes.zero
  for panel in 0..<panels {
    let block = weights + panel &* (inputs &+ 1) &* laneCount
    var (even, odd) = (Lanes.zero, Lanes.zero)
    var input = 0
    while input &+ 2 <= inputs {
      let (first, second) = (load(block + input &* laneCount), load(block + (input &+ 1) &* laneCount))
      even = fma(first, first, even)
      odd = fma(second, second, odd)
      input &+= 2
    }
    if input < inputs {
      let last = load(block + input &* laneCount)
      even = fma(last, last, even)
    }
    let squares = even + odd
    check = fma(squares, .zero, check)
    var factor = Lanes(repeating: 1) / squares.squareRoot()
    factor.replace(with: 1, where: squares .== 0)
    for input in 0..<inputs {
      let at = block + input &* laneCount
      store(load(at) * factor, at)
    }
  }
  return total(check)
}
