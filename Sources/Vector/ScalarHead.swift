// ScalarHead.swift — the last layer of a critic: one output, so a dot product per row and no panel of outputs.
//
//   q = h · w + b,   dh = dq w ⊙ [h > 0],   dw = Σ dq h,   db = Σ dq
//
// w is kept as the panels of one row (I rounded up to 16), then a vector whose first value is the bias.

/// q (rows) of h (rows × I).
package func headForward(
  rows: Int, _ h: UnsafePointer<Float>, _ hStride: Int, panels: Int,
  _ weights: UnsafePointer<Float>, _ q: UnsafeMutablePointer<Float>
) {
  let bias = weights[panels &* laneCount]
  for row in 0..<rows {
    var sum = Lanes.zero
    var source = h + row &* laneCount
    for panel in 0..<panels {
      sum = fma(load(source), load(weights + panel &* laneCount), sum)
      source += hStride
    }
    q[row] = total(sum) + bias
  }
}

/// dh (rows × I) of hidden layers that are no rectifiers.
package func headInputGradient(
  rows: Int, _ dq: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, panels: Int,
  _ dh: UnsafeMutablePointer<Float>,
  _ dhStride: Int
) {
  for panel in 0..<panels {
    let w = load(weights + panel &* laneCount)
    let target = dh + panel &* dhStride
    for row in 0..<rows { store(w * dq[row], target + row &* laneCount) }
  }
}

/// dh (rows × I), zero where h is not positive. Row r's mask is row r of h, or row `maskRows[r]`.
package func headInputGradient(
  rows: Int, _ dq: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, panels: Int,
  mask h: UnsafePointer<Float>, _ hStride: Int, maskRows: UnsafePointer<Int32>?, _ dh: UnsafeMutablePointer<Float>,
  _ dhStride: Int
) {
  for panel in 0..<panels {
    let w = load(weights + panel &* laneCount)
    let source = h + panel &* hStride
    let target = dh + panel &* dhStride
    for row in 0..<rows {
      let gradient = w * dq[row]
      let input = load(source + (maskRows.map { Int($0[row]) } ?? row) &* laneCount)
      store(gradient.replacing(with: 0, where: input .<= 0), target + row &* laneCount)
    }
  }
}

/// dw for `panels` panels of h (rows × I) from its first on.
package func headWeightGradient(
  rows: Int, _ dq: UnsafePointer<Float>, _ h: UnsafePointer<Float>, _ hStride: Int, panels: Int,
  _ gradient: UnsafeMutablePointer<Float>
) {
  for panel in 0..<panels {
    var sum = Lanes.zero
    let source = h + panel &* hStride
    for row in 0..<rows { sum = fma(Lanes(repeating: dq[row]), load(source + row &* laneCount), sum) }
    store(sum, gradient + panel &* laneCount)
  }
}

/// The sum of 16 lanes, by halves: always the same order.
@inline(__always)
func total(_ lanes: Lanes) -> Float {
  let eight = lanes.lowHalf + lanes.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}
