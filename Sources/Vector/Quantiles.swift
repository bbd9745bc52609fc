// Quantiles.swift — the quantile Huber loss of every pair of a row's quantiles and target atoms (Dabney 2018, eq. 10, κ = 1).
//
//   δ = y_k − θ_m,   ρ = |τ_m − [δ < 0]| L(δ),   L(δ) = ½ δ² where |δ| ≤ 1, |δ| − ½ outside
//
// Lanes are quantiles: a row's targets pass by one after another, so that nothing is added across lanes.

/// losses[row] = Σ_m Σ_k ρ and gradient = w · scale · ∂/∂θ of it, for `rows` rows.
///
/// - Parameters:
///   - theta: (rows × M) in panels.
///   - levels: τ, in panels of one row.
///   - targets: y (rows × K), one row after another.
///   - weights: w (rows).
package func quantileHuber(
  rows: Int, _ theta: UnsafePointer<Float>, _ stride: Int, quantiles: Int, levels: UnsafePointer<Float>,
  targets: UnsafePointer<Float>, targetCount: Int, weights: UnsafePointer<Float>, scale: Float,
  _ gradient: UnsafeMutablePointer<Float>, _ gradientStride: Int, _ losses: UnsafeMutablePointer<Float>
) {
  let panels = (quantiles &+ laneCount &- 1) / laneCount
  let mask = columnMask(panels &- 1, quantiles)
  let (one, half) = (Lanes(repeating: 1), Lanes(repeating: 0.5))
  for row in 0..<rows {
    let y = targets + row &* targetCount
    let factor = Lanes(repeating: -scale * weights[row])
    var loss = Lanes.zero
    for panel in 0..<panels {
      let quantile = load(theta + (panel &* stride &+ row &* laneCount))
      let level = load(levels + panel &* laneCount)
      let below = one - level
      var (slopes, costs) = (Lanes.zero, Lanes.zero)
      for k in 0..<targetCount {
        let error = Lanes(repeating: y[k]) - quantile
        let clipped = minimum(maximum(error, -one), one)
        let slope = level.replacing(with: below, where: error .< 0) * clipped
        slopes += slope
        costs = fma(slope, fma(-half, clipped, error), costs)
      }
      slopes *= factor
      if panel == panels &- 1 {
        slopes *= mask
        costs *= mask
      }
      store(slopes, gradient + (panel &* gradientStride &+ row &* laneCount))
      loss += costs
    }
    losses[row] = total(loss)
  }
}
