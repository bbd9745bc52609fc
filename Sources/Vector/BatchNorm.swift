// BatchNorm.swift — batch normalisation of columns: statistics over a batch's rows, forward, back, folded into a layer.
//
//   μ = mean x,   v = mean (x − μ)²,   x̄ = (x − μ) / √(v + ε)     over the batch's rows     (Ioffe & Szegedy 2015, alg. 1)
//   x̂ = r x̄ + d,   z = g x̂ + b                                    with constants r and d    (Ioffe 2017, alg. 1)
//   r = clip(√(v + ε) / √(V + ε), 1 / r_max, r_max),   d = clip((μ − M) / √(V + ε), ±d_max)    or 1 and 0
//   M ← m M + (1 − m) μ,   V ← m V + (1 − m) v                    the running statistics
//
// Going back, r and d are constants: with A = Σ dz and C = Σ dz x̄ over n rows
//   db = A,   dg = r C + d A,   dx = (g r / √(v + ε)) (dz − A / n − x̄ C / n)
//
// A column's sums are four, one for each row modulo 4, over all rows in their order: whoever has the panel adds the same
// numbers in the same order. Columns past the last one are zero before and after.

/// The vectors of a panel of columns, one behind the other: z = scale (x − center) + shift and what the way back needs.
package enum BatchNormVector {
  /// μ, or M
  package static var center: Int { 0 }
  /// g r / √(v + ε), or g / √(V + ε)
  package static var scale: Int { 1 }
  /// g d + b, or b
  package static var shift: Int { 2 }
  /// 1 / √(v + ε)
  package static var inverse: Int { 3 }
  /// r
  package static var ratio: Int { 4 }
  /// d
  package static var distance: Int { 5 }
  /// A / n
  package static var meanGradient: Int { 6 }
  /// C / n
  package static var meanProduct: Int { 7 }
  /// (μ − M) / √(V + ε), before the batch moved M and V
  package static var lag: Int { 8 }
  /// Values of a panel.
  package static var stride: Int { 9 &* laneCount }
}

@inline(__always)
private func vector(_ record: UnsafeMutablePointer<Float>, _ panel: Int, _ which: Int) -> UnsafeMutablePointer<Float> {
  record + (panel &* BatchNormVector.stride &+ which &* laneCount)
}

/// Σ over `rows` rows of f at each row, in four sums.
@inline(__always)
private func columnSum(_ rows: Int, _ f: (Int, Lanes) -> Lanes) -> Lanes {
  var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
  var row = 0
  while row &+ 4 <= rows {
    s0 = f(row, s0)
    s1 = f(row &+ 1, s1)
    s2 = f(row &+ 2, s2)
    s3 = f(row &+ 3, s3)
    row &+= 4
  }
  if row < rows { s0 = f(row, s0) }
  if row &+ 1 < rows { s1 = f(row &+ 1, s1) }
  if row &+ 2 < rows { s2 = f(row &+ 2, s2) }
  return (s0 + s1) + (s2 + s3)
}

/// The statistics of `panels` panels of x over `rows` rows, and what they make of the running ones.
///
/// - Parameters:
///   - affine: g and b of a panel, 16 each, one panel after another.
///   - running: M and V in the same order.
///   - ratioBound: r_max; 1 with `distanceBound`, d_max, 0: r = 1 and d = 0.
package func batchNormStatistics(
  rows: Int, _ x: UnsafePointer<Float>, _ xStride: Int, panels: Int, _ affine: UnsafePointer<Float>,
  _ running: UnsafeMutablePointer<Float>, epsilon: Float, momentum: Float, ratioBound: Float, distanceBound: Float,
  _ record: UnsafeMutablePointer<Float>
) {
  let share = 1 / Float(rows)
  let step = Lanes(repeating: 1 - momentum)
  let epsilon = Lanes(repeating: epsilon)
  for panel in 0..<panels {
    let column = x + panel &* xStride
    let mean = columnSum(rows) { $1 + load(column + $0 &* laneCount) } * share
    let variance =
      columnSum(rows) { row, sum in
        let difference = load(column + row &* laneCount) - mean
        return fma(difference, difference, sum)
      } * share
    let deviation = (variance + epsilon).squareRoot()
    let inverse = Lanes(repeating: 1) / deviation
    let past = running + 2 &* panel &* laneCount
    let (pastMean, pastVariance) = (load(past), load(past + laneCount))
    var (ratio, distance) = (Lanes(repeating: 1), Lanes.zero)
    let pastInverse = Lanes(repeating: 1) / (pastVariance + epsilon).squareRoot()
    let lag = (mean - pastMean) * pastInverse
    if ratioBound > 1 || distanceBound > 0 {
      ratio = minimum(
        maximum(deviation * pastInverse, Lanes(repeating: 1 / ratioBound)), Lanes(repeating: ratioBound))
      distance = minimum(maximum(lag, Lanes(repeating: -distanceBound)), Lanes(repeating: distanceBound))
    }
    store(lag, vector(record, panel, BatchNormVector.lag))
    store(fma(mean - pastMean, step, pastMean), past)
    store(fma(variance - pastVariance, step, pastVariance), past + laneCount)
    let scale = load(affine + 2 &* panel &* laneCount)
    store(mean, vector(record, panel, BatchNormVector.center))
    store(scale * inverse * ratio, vector(record, panel, BatchNormVector.scale))
    store(
      fma(scale, distance, load(affine + (2 &* panel &+ 1) &* laneCount)), vector(record, panel, BatchNormVector.shift))
    store(inverse, vector(record, panel, BatchNormVector.inverse))
    store(ratio, vector(record, panel, BatchNormVector.ratio))
    store(distance, vector(record, panel, BatchNormVector.distance))
  }
}

/// What the running statistics make of `panels` panels: z = g (x − M) / √(V + ε) + b.
package func batchNormInference(
  panels: Int, _ affine: UnsafePointer<Float>, _ running: UnsafePointer<Float>, epsilon: Float,
  _ record: UnsafeMutablePointer<Float>
) {
  for panel in 0..<panels {
    let at = 2 &* panel &* laneCount
    let inverse = Lanes(repeating: 1) / (load(running + at + laneCount) + Lanes(repeating: epsilon)).squareRoot()
    store(load(running + at), vector(record, panel, BatchNormVector.center))
    store(load(affine + at) * inverse, vector(record, panel, BatchNormVector.scale))
    store(load(affine + at + laneCount), vector(record, panel, BatchNormVector.shift))
    store(inverse, vector(record, panel, BatchNormVector.inverse))
  }
}

/// z = scale (x − center) + shift for `panels` panels of `rows` rows; with `rectify` max(0, z).
package func batchNormForward(
  rows: Int, _ x: UnsafePointer<Float>, _ xStride: Int, panels: Int, _ record: UnsafeMutablePointer<Float>,
  rectify: Bool, _ z: UnsafeMutablePointer<Float>, _ zStride: Int
) {
  let least = Lanes(repeating: rectify ? 0 : -.infinity)
  for panel in 0..<panels {
    let center = load(vector(record, panel, BatchNormVector.center))
    let scale = load(vector(record, panel, BatchNormVector.scale))
    let shift = load(vector(record, panel, BatchNormVector.shift))
    let (source, target) = (x + panel &* xStride, z + panel &* zStride)
    for row in 0..<rows {
      let value = fma(load(source + row &* laneCount) - center, scale, shift)
      store(maximum(value, least), target + row &* laneCount)
    }
  }
}

/// dg and db of `panels` panels over `rows` rows of dz, and the means that `batchNormInputGradient` takes off.
package func batchNormGradientSums(
  rows: Int, _ dz: UnsafePointer<Float>, _ dzStride: Int, _ x: UnsafePointer<Float>, _ xStride: Int, panels: Int,
  _ record: UnsafeMutablePointer<Float>, _ affineGradient: UnsafeMutablePointer<Float>
) {
  let share = 1 / Float(rows)
  for panel in 0..<panels {
    let (gradient, column) = (dz + panel &* dzStride, x + panel &* xStride)
    let center = load(vector(record, panel, BatchNormVector.center))
    let sum = columnSum(rows) { $1 + load(gradient + $0 &* laneCount) }
    let product =
      columnSum(rows) { row, sum in
        fma(load(gradient + row &* laneCount), load(column + row &* laneCount) - center, sum)
      } * load(vector(record, panel, BatchNormVector.inverse))
    store(sum * share, vector(record, panel, BatchNormVector.meanGradient))
    store(product * share, vector(record, panel, BatchNormVector.meanProduct))
    let ratio = load(vector(record, panel, BatchNormVector.ratio))
    let distance = load(vector(record, panel, BatchNormVector.distance))
    let target = affineGradient + 2 &* panel &* laneCount
    store(fma(ratio, product, distance * sum), target)
    store(sum, target + laneCount)
  }
}

/// d ← scale (d − A / n − x̄ C / n) for `panels` panels of `rows` rows, zero where x is not positive if `mask`.
package func batchNormInputGradient(
  rows: Int, _ d: UnsafeMutablePointer<Float>, _ dStride: Int, _ x: UnsafePointer<Float>, _ xStride: Int, panels: Int,
  _ record: UnsafeMutablePointer<Float>, mask: Bool
) {
  for panel in 0..<panels {
    let (target, column) = (d + panel &* dStride, x + panel &* xStride)
    let center = load(vector(record, panel, BatchNormVector.center))
    let scale = load(vector(record, panel, BatchNormVector.scale))
    let mean = load(vector(record, panel, BatchNormVector.meanGradient))
    let slope =
      load(vector(record, panel, BatchNormVector.inverse)) * load(vector(record, panel, BatchNormVector.meanProduct))
    for row in 0..<rows {
      let at = target + row &* laneCount
      let value = load(column + row &* laneCount)
      var gradient = fma(center - value, slope, load(at) - mean) * scale
      if mask { gradient.replace(with: 0, where: value .<= 0) }
      store(gradient, at)
    }
  }
}

/// d ← scale d for `panels` panels of `rows` rows, zero where x is not positive if there is one. Row r's x is row r, or row
/// `maskRows[r]`.
package func batchNormScale(
  rows: Int, _ d: UnsafeMutablePointer<Float>, _ dStride: Int, panels: Int, _ record: UnsafeMutablePointer<Float>,
  mask x: UnsafePointer<Float>?, _ xStride: Int, maskRows: UnsafePointer<Int32>?
) {
  for panel in 0..<panels {
    let target = d + panel &* dStride
    let scale = load(vector(record, panel, BatchNormVector.scale))
    for row in 0..<rows {
      let at = target + row &* laneCount
      var gradient = load(at) * scale
      if let x {
        let maskRow = maskRows.map { Int($0[row]) } ?? row
        gradient.replace(with: 0, where: load(x + (panel &* xStride &+ maskRow &* laneCount)) .<= 0)
      }
      store(gradient, at)
    }
  }
}

/// A layer of the normalised inputs as one of the inputs themselves, for `panels` panels of outputs:
/// W′ = scale ⊙ W,  b′ = b + W (shift − scale ⊙ center).
package func batchNormFold(
  inputs: Int, panels: Int, _ weights: UnsafePointer<Float>, _ record: UnsafeMutablePointer<Float>,
  _ folded: UnsafeMutablePointer<Float>
) {
  for panel in 0..<panels {
    let block = panel &* (inputs &+ 1) &* laneCount
    var bias = load(weights + (block &+ inputs &* laneCount))
    for input in 0..<inputs {
      let (from, lane) = (input / laneCount, input % laneCount)
      let scale = vector(record, from, BatchNormVector.scale)[lane]
      let center = vector(record, from, BatchNormVector.center)[lane]
      let shift = vector(record, from, BatchNormVector.shift)[lane]
      let weight = load(weights + (block &+ input &* laneCount))
      bias = fma(weight, Lanes(repeating: shift - scale * center), bias)
      store(weight * scale, folded + (block &+ input &* laneCount))
    }
    store(bias, folded + (block &+ inputs &* laneCount))
  }
}

/// A layer whose outputs are normalised behind it as one layer, in place, for `panels` panels of outputs:
/// W′ = W scale,  b′ = (b − center) scale + shift.
package func batchNormFoldOutputs(
  inputs: Int, panels: Int, _ record: UnsafeMutablePointer<Float>, _ folded: UnsafeMutablePointer<Float>
) {
  for panel in 0..<panels {
    let block = folded + panel &* (inputs &+ 1) &* laneCount
    let scale = load(vector(record, panel, BatchNormVector.scale))
    for input in 0..<inputs {
      let at = block + input &* laneCount
      store(load(at) * scale, at)
    }
    let bias = block + inputs &* laneCount
    let center = load(vector(record, panel, BatchNormVector.center))
    store(fma(load(bias) - center, scale, load(vector(record, panel, BatchNormVector.shift))), bias)
  }
}
