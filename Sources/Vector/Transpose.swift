// Transpose.swift — Wᵀ beside W: the input gradient reads weights by output, the forward pass by input.

import Intrinsics

/// Copies inputs `firstInput ..< firstInput + inputs` of `panels` panels of W, from panel `firstPanel` on, into Wᵀ.
///
/// W has blocks of (`allInputs` + 1) × 16, Wᵀ blocks of `outputs` × 16, a block for each 16 of the copied inputs.
package func denseTranspose(
  _ weights: UnsafePointer<Float>, inputs allInputs: Int, firstPanel: Int, panels: Int, outputs: Int,
  firstInput: Int, inputs: Int, _ transposed: UnsafeMutablePointer<Float>
) {
  let block = (allInputs &+ 1) &* laneCount
  for panel in firstPanel..<(firstPanel &+ panels) {
    let columns = min(laneCount, outputs &- panel &* laneCount)
    var input = 0
    while input < inputs {
      let source = weights + (panel &* block &+ (firstInput &+ input) &* laneCount)
      let target = transposed + ((input / laneCount) &* (outputs &* laneCount) &+ panel &* laneCount &* laneCount)
      transposeSquare(source, rows: min(laneCount, inputs &- input), target, columns: columns)
      input &+= laneCount
    }
  }
}

/// target[c][r] = source[r][c] for 16 × 16 values, of which `rows` are read, as zero past them, and `columns` written.
///
/// Interleaving row r with row r + 8 four times over is a transposition.
@inline(__always)
private func transposeSquare(
  _ source: UnsafePointer<Float>, rows: Int, _ target: UnsafeMutablePointer<Float>, columns: Int
) {
  @inline(__always) func row(_ r: Int) -> Lanes { r < rows ? load(source + r &* laneCount) : .zero }
  let a = interleave(
    Eight(row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)),
    Eight(row(8), row(9), row(10), row(11), row(12), row(13), row(14), row(15)))
  let b = interleave(a.0, a.1)
  let c = interleave(b.0, b.1)
  let d = interleave(c.0, c.1)
  @inline(__always) func put(_ column: Int, _ lanes: Lanes) {
    if column < columns { store(lanes, target + column &* laneCount) }
  }
  put(0, d.0.a); put(1, d.0.b); put(2, d.0.c); put(3, d.0.d)
  put(4, d.0.e); put(5, d.0.f); put(6, d.0.g); put(7, d.0.h)
  put(8, d.1.a); put(9, d.1.b); put(10, d.1.c); put(11, d.1.d)
  put(12, d.1.e); put(13, d.1.f); put(14, d.1.g); put(15, d.1.h)
}

/// Eight rows.
private struct Eight {
  let a, b, c, d, e, f, g, h: Lanes

  @inline(__always)
  init(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ e: Lanes, _ f: Lanes, _ g: Lanes, _ h: Lanes) {
    (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h) = (a, b, c, d, e, f, g, h)
  }
}

@inline(__always)
private func interleave(_ x: Eight, _ y: Eight) -> (Eight, Eight) {
  let (a, b, c, d) = (interleave(x.a, y.a), interleave(x.b, y.b), interleave(x.c, y.c), interleave(x.d, y.d))
  let (e, f, g, h) = (interleave(x.e, y.e), interleave(x.f, y.f), interleave(x.g, y.g), interleave(x.h, y.h))
  return (
    Eight(a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1), Eight(e.0, e.1, f.0, f.1, g.0, g.1, h.0, h.1)
  )
}

@inline(__always)
private func interleave(_ x: Lanes, _ y: Lanes) -> (Lanes, Lanes) { (interleaveLow(x, y), interleaveHigh(x, y)) }
