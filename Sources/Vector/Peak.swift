// Peak.swift — the most multiply-adds that this processor does: a loop that touches nothing but registers.

/// Runs `rounds` rounds of independent fused multiply-adds and returns the floating-point operations done.
///
/// `sink` keeps the compiler from leaving the work out.
package func peakLoop(rounds: Int, sink: inout Float) -> Double {
  let x = Lanes(repeating: 0.999_999)
  let y = Lanes(repeating: 1e-6)
  #if WIDE
    var (a, b) = (Rows8(OnePanel(first: y)), Rows8(OnePanel(first: y)))
  #else
    // 12 registers of 8 values: as many as the product's own tile
    var a = Rows6(OnePanel(first: y))
  #endif
  var factor: Float = 0.999_999
  withUnsafePointer(to: &factor) { factor in
    for _ in 0..<rounds {
      a.add(factor, 0, OnePanel(first: x))
      #if WIDE
        b.add(factor, 0, OnePanel(first: x))
      #endif
    }
  }
  var sum = Lanes.zero
  a.forEach { sum += $2 }
  #if WIDE
    b.forEach { sum += $2 }
    let sums = 2 * Rows8<OnePanel>.rows
  #else
    let sums = Rows6<OnePanel>.rows
  #endif
  sink += total(sum)
  return Double(rounds) * Double(sums) * Double(2 * laneCount)
}
