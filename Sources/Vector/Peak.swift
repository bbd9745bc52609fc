// Peak.swift — the most multiply-adds that this processor does: a loop that touches nothing but registers.

/// Runs `rounds` rounds of independent fused multiply-adds and returns the floating-point operations done.
///
/// `sink` keeps the compiler from leaving the work out.
package func peakLoop(rounds: Int, sink: inout Float) -> Double {
  let x = Lanes(repeating: 0.999_999)
  let y = Lanes(repeating: 1e-6)
  #if WIDE
    var (a, b) = (Rows8(y), Rows8(y))
  #else
    // 12 registers of 8 values: as many as the product's own tile
    var a = Rows6(y)
  #endif
  var factor: Float = 0.999_999
  withUnsafePointer(to: &factor) { factor in
    for _ in 0..<rounds {
      a.add(factor, 0, x)
      #if WIDE
        b.add(factor, 0, x)
      #endif
    }
  }
  var sum = Lanes.zero
  a.forEach { sum += $1 }
  #if WIDE
    b.forEach { sum += $1 }
    let sums = 2 * Rows8.count
  #else
    let sums = Rows6.count
  #endif
  sink += total(sum)
  return Double(rounds) * Double(sums) * Double(2 * laneCount)
}
