// Blocks.swift — what may follow a hidden layer's products: dropout, layer normalisation, an activation other than a fused ReLU.
//
//   dropped     c = k ⊙ u,                     k = 1 / (1 − p) with probability 1 − p, else 0     (Srivastava 2014, inverted)
//   normalised  n = (c − mean c) / √(var c + ε),   v = g ⊙ n + b,   over the units of a row       (Ba 2016, eq. 3 and 4)
//   activated   h = f(v)
//
// Rows are independent of each other. Columns past the last one are zero before and after.

/// f, as a number: what every activation is to a loop.
package enum ActivationCode {
  package static var relu: Int { 0 }
  package static var tanh: Int { 1 }
  package static var elu: Int { 2 }
  package static var silu: Int { 3 }
}

// MARK: activation

private protocol Function {
  /// f(x) and f′(x).
  static func value(_ x: Lanes) -> (Lanes, Lanes)
}

private enum Rectifier: Function {
  @inline(__always)
  static func value(_ x: Lanes) -> (Lanes, Lanes) {
    let off = x .<= 0
    return (x.replacing(with: 0, where: off), Lanes(repeating: 1).replacing(with: 0, where: off))
  }
}

private enum Tanh: Function {
  @inline(__always)
  static func value(_ x: Lanes) -> (Lanes, Lanes) {
    let h = hyperbolicTangent(x)
    return (h, fma(-h, h, 1))
  }
}

/// x, or eˣ − 1 below zero (Clevert 2016, α = 1).
private enum ELU: Function {
  @inline(__always)
  static func value(_ x: Lanes) -> (Lanes, Lanes) {
    let on = x .> 0
    let e = exponential(minimum(x, .zero))
    return ((e - 1).replacing(with: x, where: on), e.replacing(with: 1, where: on))
  }
}

/// x / (1 + e⁻ˣ) (Elfwing 2018).
private enum SiLU: Function {
  @inline(__always)
  static func value(_ x: Lanes) -> (Lanes, Lanes) {
    let s = 1 / (1 + exponential(-x))
    return (x * s, s * fma(x, 1 - s, 1))
  }
}

/// h = f(h) in place and f′ into `slopes`, for `panels` panels of `rows` rows.
package func activate(
  _ code: Int, rows: Int, _ h: UnsafeMutablePointer<Float>, _ hStride: Int, panels: Int,
  _ slopes: UnsafeMutablePointer<Float>, _ slopeStride: Int
) {
  switch code {
  case ActivationCode.tanh: activate(Tanh.self, rows, h, hStride, panels, slopes, slopeStride)
  case ActivationCode.elu: activate(ELU.self, rows, h, hStride, panels, slopes, slopeStride)
  case ActivationCode.silu: activate(SiLU.self, rows, h, hStride, panels, slopes, slopeStride)
  default: activate(Rectifier.self, rows, h, hStride, panels, slopes, slopeStride)
  }
}

@inline(__always)
private func activate<F: Function>(
  _: F.Type, _ rows: Int, _ h: UnsafeMutablePointer<Float>, _ hStride: Int, _ panels: Int,
  _ slopes: UnsafeMutablePointer<Float>, _ slopeStride: Int
) {
  for panel in 0..<panels {
    let values = h + panel &* hStride
    let derivatives = slopes + panel &* slopeStride
    for row in 0..<rows {
      let (value, slope) = F.value(load(values + row &* laneCount))
      store(value, values + row &* laneCount)
      store(slope, derivatives + row &* laneCount)
    }
  }
}

/// d ← d ⊙ x for `panels` panels of `rows` rows. Row r's factors are row r of x, or row `factorRows[r]`.
package func multiply(
  rows: Int, _ d: UnsafeMutablePointer<Float>, _ dStride: Int, panels: Int, by x: UnsafePointer<Float>, _ xStride: Int,
  factorRows: UnsafePointer<Int32>?
) {
  for panel in 0..<panels {
    let values = d + panel &* dStride
    let factors = x + panel &* xStride
    for row in 0..<rows {
      let factorRow = factorRows.map { Int($0[row]) } ?? row
      let at = values + row &* laneCount
      store(load(at) * load(factors + factorRow &* laneCount), at)
    }
  }
}

// MARK: layer normalisation

/// 1 in the columns that a panel has, 0 past the last one.
@inline(__always)
func columnMask(_ panel: Int, _ columns: Int) -> Lanes {
  let left = columns &- panel &* laneCount
  guard left < laneCount else { return Lanes(repeating: 1) }
  var mask = Lanes.zero
  for lane in 0..<laneCount where lane < left { mask[lane] = 1 }
  return mask
}

/// h ← g ⊙ n + b in place; n and each row's 1 / √(var + ε) are kept for the way back.
///
/// - Parameter affine: g and b of a panel, 16 each, one panel after another.
package func layerNormForward(
  rows: Int, _ h: UnsafeMutablePointer<Float>, _ hStride: Int, columns: Int, _ affine: UnsafePointer<Float>,
  epsilon: Float, _ n: UnsafeMutablePointer<Float>, _ nStride: Int, _ inverses: UnsafeMutablePointer<Float>
) {
  let panels = (columns &+ laneCount &- 1) / laneCount
  let last = panels &- 1
  let mask = columnMask(last, columns)
  let share = 1 / Float(columns)
  for row in 0..<rows {
    let x = h + row &* laneCount
    var sum = Lanes.zero
    for panel in 0..<panels { sum += load(x + panel &* hStride) }
    let mean = Lanes(repeating: total(sum) * share)
    var squares = Lanes.zero
    for panel in 0..<panels {
      let d = panel == last ? (load(x + panel &* hStride) - mean) * mask : load(x + panel &* hStride) - mean
      squares = fma(d, d, squares)
    }
    let inverse = 1 / (total(squares) * share + epsilon).squareRoot()
    inverses[row] = inverse
    for panel in 0..<panels {
      let at = x + panel &* hStride
      var normalised = (load(at) - mean) * inverse
      if panel == last { normalised *= mask }
      store(normalised, n + (panel &* nStride &+ row &* laneCount))
      let scale = affine + 2 &* panel &* laneCount
      store(fma(load(scale), normalised, load(scale + laneCount)), at)
    }
  }
}

/// du = (q − mean q − n mean(q n)) / √(var + ε) with q = dv ⊙ g. Row r's n and deviation are those of row r, or of `factorRows[r]`.
package func layerNormInputGradient(
  rows: Int, _ dv: UnsafePointer<Float>, _ dvStride: Int, columns: Int, _ affine: UnsafePointer<Float>,
  _ n: UnsafePointer<Float>, _ nStride: Int, _ inverses: UnsafePointer<Float>, factorRows: UnsafePointer<Int32>?,
  _ du: UnsafeMutablePointer<Float>, _ duStride: Int
) {
  let panels = (columns &+ laneCount &- 1) / laneCount
  let last = panels &- 1
  let mask = columnMask(last, columns)
  let share = 1 / Float(columns)
  for row in 0..<rows {
    let source = factorRows.map { Int($0[row]) } ?? row
    let (d, normalised) = (dv + row &* laneCount, n + source &* laneCount)
    var (sum, products) = (Lanes.zero, Lanes.zero)
    for panel in 0..<panels {
      let q = load(d + panel &* dvStride) * load(affine + 2 &* panel &* laneCount)
      sum += q
      products = fma(q, load(normalised + panel &* nStride), products)
    }
    let mean = Lanes(repeating: total(sum) * share)
    let slope = Lanes(repeating: -total(products) * share)
    let inverse = inverses[source]
    for panel in 0..<panels {
      let q = load(d + panel &* dvStride) * load(affine + 2 &* panel &* laneCount)
      var gradient = fma(slope, load(normalised + panel &* nStride), q - mean) * inverse
      if panel == last { gradient *= mask }
      store(gradient, du + (panel &* duStride &+ row &* laneCount))
    }
  }
}

/// dg = Σ dv ⊙ n and db = Σ dv over `rows` rows, for `panels` panels from the first on.
package func layerNormAffineGradient(
  rows: Int, _ dv: UnsafePointer<Float>, _ dvStride: Int, _ n: UnsafePointer<Float>, _ nStride: Int, panels: Int,
  _ gradient: UnsafeMutablePointer<Float>
) {
  for panel in 0..<panels {
    var (scale, shift) = (Lanes.zero, Lanes.zero)
    for row in 0..<rows {
      let d = load(dv + (panel &* dvStride &+ row &* laneCount))
      scale = fma(d, load(n + (panel &* nStride &+ row &* laneCount)), scale)
      shift += d
    }
    store(scale, gradient + 2 &* panel &* laneCount)
    store(shift, gradient + (2 &* panel &+ 1) &* laneCount)
  }
}

// MARK: dropout

/// h ← k ⊙ h in place, and k into `factors`. What is dropped is a function of the key, the draw and each unit's index alone.
///
/// - Parameters:
///   - threshold: a unit is dropped where its random 32 bits are below it: p · 2³².
///   - first: the index of unit 0 of row 0, even; a row takes as many of them as whole pairs of panels have.
package func dropoutForward(
  rows: Int, _ h: UnsafeMutablePointer<Float>, _ hStride: Int, columns: Int, key: (UInt32, UInt32), draw: UInt32,
  first: UInt64, threshold: UInt32, scale: Float, _ factors: UnsafeMutablePointer<Float>, _ factorStride: Int
) {
  let panels = (columns &+ laneCount &- 1) / laneCount
  let pairs = (panels &+ 1) / 2
  let mask = columnMask(panels &- 1, columns)
  let kept = Lanes(repeating: scale)
  let bound = SIMD16<UInt32>(repeating: threshold)
  for row in 0..<rows {
    var index = first / 2 &+ UInt64(row &* pairs &* laneCount)
    for pair in 0..<pairs {
      let (x, y) = threefryWords(key: key, index: index, draw: draw)
      index &+= UInt64(laneCount)
      for half in 0..<2 {
        let panel = 2 &* pair &+ half
        guard panel < panels else { break }
        var factor = kept.replacing(with: 0, where: (half == 0 ? x : y) .< bound)
        if panel == panels &- 1 { factor *= mask }
        let at = h + (panel &* hStride &+ row &* laneCount)
        store(load(at) * factor, at)
        store(factor, factors + (panel &* factorStride &+ row &* laneCount))
      }
    }
  }
}
