// Categorical.swift — a distribution over M fixed values (C51, Bellemare 2017): softmax, mean, projected target, gradients.
//
//   p_i = exp(l_i) / Σ_k exp(l_k),   q = Σ_i p_i z_i,   z_i = low + i Δ,   i = 0 … M − 1
//   m_i = Σ_k p_k max(0, 1 − |clip(c + g z_k, low, high) − z_i| / Δ)                                        (alg. 1)
//   L = −Σ_i m_i log p_i,   ∂L/∂l_i = p_i − m_i,   ∂q/∂l_i = p_i (z_i − q)
//
// Lanes are values. Each row is computed by itself, so its bits do not depend on how rows are divided.

/// p, q and log Σ exp(l) of `rows` rows.
///
/// - Parameters:
///   - logits: l (rows × M) in panels.
///   - support: z, in panels of one row.
///   - probabilities: (rows × M) in panels; zero past the last column.
///   - means: q (rows).
///   - normalizers: (rows), so that log p_i = l_i − normalizer.
package func categoricalForward(
  rows: Int, _ logits: UnsafePointer<Float>, _ stride: Int, count: Int, support: UnsafePointer<Float>,
  _ probabilities: UnsafeMutablePointer<Float>, _ probabilityStride: Int, _ means: UnsafeMutablePointer<Float>,
  _ normalizers: UnsafeMutablePointer<Float>
) {
  let panels = (count &+ laneCount &- 1) / laneCount
  let mask = columnMask(panels &- 1, count)
  let outside = mask .== 0
  for row in 0..<rows {
    let (source, target) = (logits + row &* laneCount, probabilities + row &* laneCount)
    var largest = Lanes(repeating: -.infinity)
    for panel in 0..<panels {
      var logit = load(source + panel &* stride)
      if panel == panels &- 1 { logit.replace(with: -.infinity, where: outside) }
      largest = maximum(largest, logit)
    }
    let top = Lanes(repeating: largest.max())
    var (sum, weighted) = (Lanes.zero, Lanes.zero)
    for panel in 0..<panels {
      var power = exponential(load(source + panel &* stride) - top)
      if panel == panels &- 1 { power.replace(with: 0, where: outside) }
      store(power, target + panel &* probabilityStride)
      sum += power
      weighted = fma(power, load(support + panel &* laneCount), weighted)
    }
    let all = total(sum)
    let inverse = 1 / all
    for panel in 0..<panels {
      let at = target + panel &* probabilityStride
      store(load(at) * inverse, at)
    }
    means[row] = total(weighted) * inverse
    normalizers[row] = top[0] + logarithm(Lanes(repeating: all))[0]
  }
}

/// m of `rows` rows: the distribution of clip(c + g z) on the values z, and its mean. A row with a c or g that is not finite is NaN.
///
/// - Parameters:
///   - probabilities: p (rows × M) in panels, the distribution of z before.
///   - shifts: c (rows).
///   - factors: g (rows).
///   - projected: m (rows × M) in panels.
///   - means: Σ_i m_i z_i (rows).
package func categoricalProjection(
  rows: Int, _ probabilities: UnsafePointer<Float>, _ stride: Int, count: Int, support: UnsafePointer<Float>,
  low: Float, high: Float, shifts: UnsafePointer<Float>, factors: UnsafePointer<Float>,
  _ projected: UnsafeMutablePointer<Float>, _ projectedStride: Int, _ means: UnsafeMutablePointer<Float>
) {
  let panels = (count &+ laneCount &- 1) / laneCount
  let perUnit = Float(count &- 1) / (high - low)
  for row in 0..<rows {
    let (source, target) = (probabilities + row &* laneCount, projected + row &* laneCount)
    let (shift, factor) = (shifts[row], factors[row])
    let isFinite = shift.isFinite && factor.isFinite
    for panel in 0..<panels { store(.zero, target + panel &* projectedStride) }
    guard isFinite else {
      for k in 0..<count { target[k / laneCount &* projectedStride &+ k % laneCount] = .nan }
      means[row] = .nan
      continue
    }
    var mean: Float = 0
    for k in 0..<count {
      let probability = source[k / laneCount &* stride &+ k % laneCount]
      let value = min(max(shift + factor * support[k], low), high)
      mean += probability * value
      let position = min((value - low) * perUnit, Float(count &- 1))
      let below = min(Int(position), count &- 2)
      let upper = position - Float(below)
      target[below / laneCount &* projectedStride &+ below % laneCount] += probability * (1 - upper)
      let above = below &+ 1
      target[above / laneCount &* projectedStride &+ above % laneCount] += probability * upper
    }
    means[row] = mean
  }
}

/// L of `rows` rows, and w · scale · ∂L/∂l.
///
/// - Parameters:
///   - normalizers: see `categoricalForward`.
///   - targets: m (rows × M) in panels.
///   - weights: w (rows).
///   - losses: (rows), without w and scale.
package func crossEntropy(
  rows: Int, _ logits: UnsafePointer<Float>, _ stride: Int, count: Int, _ probabilities: UnsafePointer<Float>,
  _ probabilityStride: Int, normalizers: UnsafePointer<Float>, targets: UnsafePointer<Float>, _ targetStride: Int,
  weights: UnsafePointer<Float>, scale: Float, _ gradient: UnsafeMutablePointer<Float>, _ gradientStride: Int,
  _ losses: UnsafeMutablePointer<Float>
) {
  let panels = (count &+ laneCount &- 1) / laneCount
  for row in 0..<rows {
    let at = row &* laneCount
    let (factor, normalizer) = (Lanes(repeating: scale * weights[row]), Lanes(repeating: normalizers[row]))
    var loss = Lanes.zero
    for panel in 0..<panels {
      // past the last column p and m are zero
      let target = load(targets + (panel &* targetStride &+ at))
      let probability = load(probabilities + (panel &* probabilityStride &+ at))
      loss = fma(target, normalizer - load(logits + (panel &* stride &+ at)), loss)
      store((probability - target) * factor, gradient + (panel &* gradientStride &+ at))
    }
    losses[row] = total(loss)
  }
}

/// scale · ∂q/∂l of `rows` rows, row r of the distribution `owners[r]`.
///
/// - Parameter means: q of all rows.
package func categoricalMeanGradient(
  rows: Int, _ probabilities: UnsafePointer<Float>, _ stride: Int, count: Int, support: UnsafePointer<Float>,
  means: UnsafePointer<Float>, owners: UnsafePointer<Int32>, scale: Float, _ gradient: UnsafeMutablePointer<Float>,
  _ gradientStride: Int
) {
  let panels = (count &+ laneCount &- 1) / laneCount
  let factor = Lanes(repeating: scale)
  for row in 0..<rows {
    let owner = Int(owners[row])
    let mean = Lanes(repeating: means[owner])
    for panel in 0..<panels {
      let probability = load(probabilities + (panel &* stride &+ owner &* laneCount))
      store(
        (load(support + panel &* laneCount) - mean) * probability * factor,
        gradient + (panel &* gradientStride &+ row &* laneCount))
    }
  }
}
