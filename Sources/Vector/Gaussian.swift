// Gaussian.swift — the tanh-squashed Gaussian, its density and their gradients, over rows of A values.
//
//   σ = exp(clamp(log σ, −20, 2)),   u = μ + σ ε,   a = tanh u
//   log π(a|s) = Σ_i [ −½ ε_i² − log σ_i − ½ log 2π − 2 (log 2 − u_i − softplus(−2 u_i)) ]   (Haarnoja 2018, app. C)
//   ∂a/∂μ = 1 − a²            ∂a/∂log σ = (1 − a²) σ ε
//   ∂log π/∂μ = 2 a           ∂log π/∂log σ = −1 + 2 a σ ε          log σ: zero where it was clamped
//
// With the action held fixed, as the score function needs it, tanh's part of log π does not depend on μ and σ:
//
//   ∂log π/∂μ = (u − μ) / σ² = ε / σ          ∂log π/∂log σ = (u − μ)² / σ² − 1 = ε² − 1
//
// Flat arrays (rows × A, no padding) keep every lane busy whatever A is; the heads, actions and gradients are in panels.

private let halfLogTwoPi: Float = 0.918_938_533_2
private let logTwo: Float = 0.693_147_180_6

/// Draws `rows` actions and computes their log π(a|s).
///
/// Panels have a stride: values between the starts of two panels. Flat arrays are (rows × A), without padding.
///
/// - Parameters:
///   - heads: [μ, log σ] (rows × 2A), in panels.
///   - noise: ε, flat.
///   - actions: gets a = tanh u (rows × A), in panels.
///   - squashed: gets the same a, flat.
///   - spread: gets σ ε, flat.
///   - passes: gets 1 where log σ passes a gradient and 0 where it was clamped, flat.
///   - scratch: room for the terms of log π, flat.
///   - logProbabilities: gets log π(a|s) (rows).
package func gaussianSample(
  rows: Int, actionSize: Int, _ heads: UnsafePointer<Float>, _ headStride: Int, noise: UnsafePointer<Float>,
  _ actions: UnsafeMutablePointer<Float>, _ actionStride: Int, squashed: UnsafeMutablePointer<Float>,
  spread: UnsafeMutablePointer<Float>, passes: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
  logProbabilities: UnsafeMutablePointer<Float>
) {
  unpack(rows: rows, heads, headStride, firstColumn: 0, columns: actionSize, squashed)
  unpack(rows: rows, heads, headStride, firstColumn: actionSize, columns: actionSize, spread)
  let (low, high) = (Lanes(repeating: -20), Lanes(repeating: 2))
  forEachVector(rows &* actionSize) { i, count in
    let (mean, raw, epsilon) = (load(squashed + i, count), load(spread + i, count), load(noise + i, count))
    let logDeviation = minimum(maximum(raw, low), high)
    let scaled = exponential(logDeviation) * epsilon
    let u = mean + scaled
    let correction = 2 * (logTwo - u - softplus(-2 * u))
    let density = fma(-0.5 * epsilon, epsilon, -logDeviation) - halfLogTwoPi - correction
    let inside = Lanes(repeating: 1).replacing(with: 0, where: raw .< low).replacing(with: 0, where: raw .> high)
    store(hyperbolicTangent(u), squashed + i, count)
    store(scaled, spread + i, count)
    store(inside, passes + i, count)
    store(density, scratch + i, count)
  }
  pack(rows: rows, squashed, columns: actionSize, actions, actionStride, firstColumn: 0)
  for row in 0..<rows {
    var sum: Float = 0
    for i in 0..<actionSize { sum += scratch[row &* actionSize &+ i] }
    logProbabilities[row] = sum
  }
}

/// The gradient of the heads from ∂L/∂a and ∂L/∂log π.
///
/// - Parameters:
///   - actionGradient: ∂L/∂a (rows × A), in panels.
///   - logProbabilityGradient: ∂L/∂log π, the same for each row.
///   - squashed: a, as `gaussianSample` left it, flat.
///   - spread: σ ε, as `gaussianSample` left it, flat.
///   - passes: 1 where log σ passes a gradient, else 0, as `gaussianSample` left it, flat.
///   - scratch: room for (rows × A), flat.
///   - heads: gets the gradient of [μ, log σ] (rows × 2A), in panels.
package func gaussianGradient(
  rows: Int, actionSize: Int, _ actionGradient: UnsafePointer<Float>, _ actionGradientStride: Int,
  logProbabilityGradient: Float, squashed: UnsafePointer<Float>, spread: UnsafePointer<Float>,
  passes: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
  _ heads: UnsafeMutablePointer<Float>, _ headStride: Int
) {
  let c = Lanes(repeating: logProbabilityGradient)
  unpack(rows: rows, actionGradient, actionGradientStride, firstColumn: 0, columns: actionSize, scratch)
  forEachVector(rows &* actionSize) { i, count in
    let a = load(squashed + i, count)
    store(fma(load(scratch + i, count), 1 - a * a, 2 * c * a), scratch + i, count)
  }
  pack(rows: rows, scratch, columns: actionSize, heads, headStride, firstColumn: 0)
  forEachVector(rows &* actionSize) { i, count in
    let gradient = fma(load(scratch + i, count), load(spread + i, count), -c)
    store(gradient * load(passes + i, count), scratch + i, count)
  }
  pack(rows: rows, scratch, columns: actionSize, heads, headStride, firstColumn: actionSize)
}

/// The gradient of the heads from Σ_k w_k log π(a_k|s), with the actions of K draws held fixed.
///
/// - Parameters:
///   - draws: K.
///   - drawStride: rows between one draw and the next in `noise` and `weights`.
///   - heads: [μ, log σ] (rows × 2A) that the actions were drawn from, in panels.
///   - noise: ε; that of draw k and a row begins at (k · drawStride + row) · A.
///   - weights: w; that of draw k and a row is at k · drawStride + row.
///   - passes: 1 where log σ passes a gradient, else 0, as `gaussianSample` left it, flat.
///   - means: room for the gradient of μ (rows × A), flat.
///   - deviations: room for the gradient of log σ (rows × A), flat.
///   - gradient: gets the gradient of [μ, log σ] (rows × 2A), in panels.
package func gaussianScoreGradient(
  rows: Int, actionSize: Int, draws: Int, drawStride: Int, _ heads: UnsafePointer<Float>, _ headStride: Int,
  noise: UnsafePointer<Float>, weights: UnsafePointer<Float>, passes: UnsafePointer<Float>,
  means: UnsafeMutablePointer<Float>, deviations: UnsafeMutablePointer<Float>,
  _ gradient: UnsafeMutablePointer<Float>, _ gradientStride: Int
) {
  unpack(rows: rows, heads, headStride, firstColumn: actionSize, columns: actionSize, deviations)
  let (low, high) = (Lanes(repeating: -20), Lanes(repeating: 2))
  // a vector is one row's: its weights are its own, and K evaluations of the critics take most of the time
  for row in 0..<rows {
    forEachVector(actionSize) { column, count in
      let at = row &* actionSize &+ column
      var (mean, deviation) = (Lanes.zero, Lanes.zero)
      for k in 0..<draws {
        let index = k &* drawStride &+ row
        let (epsilon, weight) = (load(noise + (index &* actionSize &+ column), count), Lanes(repeating: weights[index]))
        mean = fma(weight, epsilon, mean)
        deviation = fma(weight, fma(epsilon, epsilon, -1), deviation)
      }
      let logDeviation = minimum(maximum(load(deviations + at, count), low), high)
      store(mean * exponential(-logDeviation), means + at, count)
      store(deviation * load(passes + at, count), deviations + at, count)
    }
  }
  pack(rows: rows, means, columns: actionSize, gradient, gradientStride, firstColumn: 0)
  pack(rows: rows, deviations, columns: actionSize, gradient, gradientStride, firstColumn: actionSize)
}

/// a = tanh u in place: `values` (rows × panels · lanes) in panels.
package func tanhForward(rows: Int, _ values: UnsafeMutablePointer<Float>, _ stride: Int, panels: Int) {
  for panel in 0..<panels {
    for row in 0..<rows {
      let at = values + (panel &* stride &+ row &* laneCount)
      store(hyperbolicTangent(load(at)), at)
    }
  }
}

/// ∂L/∂u = ∂L/∂a (1 − a²): `gradient` is ∂L/∂a and `values` is a; `output` gets ∂L/∂u. All in `panels` panels.
package func tanhGradient(
  rows: Int, _ gradient: UnsafePointer<Float>, _ gradientStride: Int, _ values: UnsafePointer<Float>,
  _ valueStride: Int, panels: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  for panel in 0..<panels {
    for row in 0..<rows {
      let a = load(values + (panel &* valueStride &+ row &* laneCount))
      let da = load(gradient + (panel &* gradientStride &+ row &* laneCount))
      store(da * (1 - a * a), output + (panel &* outputStride &+ row &* laneCount))
    }
  }
}

// MARK: between panels and flat rows

@inline(__always)
private func unpack(
  rows: Int, _ source: UnsafePointer<Float>, _ stride: Int, firstColumn: Int, columns: Int,
  _ flat: UnsafeMutablePointer<Float>
) {
  for column in 0..<columns {
    let from = source + (((firstColumn &+ column) / laneCount) &* stride &+ (firstColumn &+ column) % laneCount)
    for row in 0..<rows { flat[row &* columns &+ column] = from[row &* laneCount] }
  }
}

@inline(__always)
private func pack(
  rows: Int, _ flat: UnsafePointer<Float>, columns: Int, _ target: UnsafeMutablePointer<Float>, _ stride: Int,
  firstColumn: Int
) {
  for column in 0..<columns {
    let to = target + (((firstColumn &+ column) / laneCount) &* stride &+ (firstColumn &+ column) % laneCount)
    for row in 0..<rows { to[row &* laneCount] = flat[row &* columns &+ column] }
  }
}

/// Calls `body` with the start and the length, at most 16, of each vector of `count` values.
@inline(__always)
func forEachVector(_ count: Int, _ body: (Int, Int) -> Void) {
  var i = 0
  while i &+ laneCount <= count {
    body(i, laneCount)
    i &+= laneCount
  }
  if i < count { body(i, count &- i) }
}

/// The first `count` lanes from memory, zero in the others: nothing past the end is touched.
@inline(__always)
func load(_ source: UnsafePointer<Float>, _ count: Int) -> Lanes {
  if count == laneCount { return load(source) }
  var lanes = Lanes.zero
  for i in 0..<count { lanes[i] = source[i] }
  return lanes
}

@inline(__always)
func store(_ lanes: Lanes, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
  if count == laneCount { return store(lanes, target) }
  for i in 0..<count { target[i] = lanes[i] }
}
