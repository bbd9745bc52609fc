// Functions.swift — exp, log, tanh, sin and cos of 16 values at a time, to about 1e-7 relative.
//
// Polynomials of the Cephes library (Moshier 1989), which every vector libm grew from. Rounding to an integer adds and
// subtracts 1.5 · 2²³, whose low mantissa bits then hold that integer.

private typealias Bits = SIMD16<Int32>
private let rounder: Float = 12_582_912  // 1.5 · 2²³

@inline(__always)
private func bits(_ x: Lanes) -> Bits { unsafeBitCast(x, to: Bits.self) }

@inline(__always)
private func lanes(_ x: Bits) -> Lanes { unsafeBitCast(x, to: Lanes.self) }

@inline(__always)
func minimum(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .< a) }

@inline(__always)
func maximum(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .> a) }

@inline(__always)
func absolute(_ x: Lanes) -> Lanes { lanes(bits(x) & Bits(repeating: 0x7fff_ffff)) }

// The processor's own square root and division take 19 and 16 cycles for 16 values, during which 64 multiply-adds could
// run; a guess from the exponent bits and three of Newton's steps take 10.

/// 1 / √x to rounding for normal x > 0; large but finite for 0, so that x / √x is 0.
@inline(__always)
func reciprocalSquareRoot(_ x: Lanes) -> Lanes {
  let half = 0.5 * x
  var y = lanes(Bits(repeating: 0x5f37_5a86) &- (bits(x) &>> 1))
  y *= fma(-half * y, y, 1.5)
  y *= fma(-half * y, y, 1.5)
  y *= fma(-half * y, y, 1.5)
  return y
}

/// 1 / x to rounding for normal x > 0 below 1e38.
@inline(__always)
func reciprocal(_ x: Lanes) -> Lanes {
  var y = lanes(Bits(repeating: 0x7ef3_11c3) &- bits(x))
  y = fma(y, fma(-x, y, 1), y)
  y = fma(y, fma(-x, y, 1), y)
  y = fma(y, fma(-x, y, 1), y)
  return y
}

/// eˣ; x is clamped to [−87.3, 88.3], where the result is a normal number. NaN stays NaN.
@inline(__always)
func exponential(_ x: Lanes) -> Lanes {
  let x = minimum(maximum(x, Lanes(repeating: -87.3)), Lanes(repeating: 88.3))
  // the low bits hold n + 127, which is 2ⁿ once it stands in the exponent
  let shifted = fma(x, Lanes(repeating: 1.442_695_04), rounder + 127)
  let n = shifted - (rounder + 127)
  var r = fma(n, Lanes(repeating: -0.693_359_375), x)
  r = fma(n, Lanes(repeating: 2.121_944_40e-4), r)
  var p = Lanes(repeating: 1.987_569_15e-4)
  p = fma(p, r, 1.398_199_95e-3)
  p = fma(p, r, 8.333_451_9e-3)
  p = fma(p, r, 4.166_579_6e-2)
  p = fma(p, r, 1.666_666_55e-1)
  p = fma(p, r, 5.000_000_1e-1)
  p = fma(p, r * r, r) + 1
  return p * lanes(bits(shifted) &<< 23)
}

/// ln x for normal x > 0.
@inline(__always)
func logarithm(_ x: Lanes) -> Lanes {
  let raw = bits(x)
  // mantissa in [√½, √2), exponent to match
  let offset = raw &- Bits(repeating: 0x3f35_04f3)
  let exponent = offset &>> 23
  let m = lanes(raw &- (exponent &<< 23)) - 1
  let e = lanes((exponent &+ Bits(repeating: 0x4b40_0000))) - rounder
  var p = Lanes(repeating: 7.037_683_6e-2)
  p = fma(p, m, -1.151_461_03e-1)
  p = fma(p, m, 1.167_699_87e-1)
  p = fma(p, m, -1.242_014_08e-1)
  p = fma(p, m, 1.424_932_28e-1)
  p = fma(p, m, -1.666_805_77e-1)
  p = fma(p, m, 2.000_071_48e-1)
  p = fma(p, m, -2.499_999_4e-1)
  p = fma(p, m, 3.333_333_1e-1)
  let square = m * m
  var y = p * m * square
  y = fma(e, Lanes(repeating: -2.121_944_40e-4), y)
  y = fma(square, Lanes(repeating: -0.5), y)
  return fma(e, Lanes(repeating: 0.693_359_375), m + y)
}

/// tanh x: an odd polynomial near zero, 1 − 2 / (e²ˣ + 1) elsewhere.
@inline(__always)
func hyperbolicTangent(_ x: Lanes) -> Lanes {
  let magnitude = absolute(x)
  let square = x * x
  var p = Lanes(repeating: -5.704_988_7e-3)
  p = fma(p, square, 2.063_908_9e-2)
  p = fma(p, square, -5.373_971_6e-2)
  p = fma(p, square, 1.333_144_2e-1)
  p = fma(p, square, -3.333_328_2e-1)
  let near = fma(p * square, x, x)
  let far = 1 - 2 / (exponential(2 * minimum(magnitude, Lanes(repeating: 20))) + 1)
  let signed = lanes(bits(far) | (bits(x) & Bits(repeating: Int32.min)))
  return signed.replacing(with: near, where: magnitude .< 0.625)
}

/// ln (1 + eˣ), exact in both tails.
@inline(__always)
func softplus(_ x: Lanes) -> Lanes {
  maximum(x, .zero) + logarithm(1 + exponential(-absolute(x)))
}

/// (cos 2πt, sin 2πt) for t in [0, 1).
@inline(__always)
func cosineAndSine(turns t: Lanes) -> (Lanes, Lanes) {
  // quarter turns q, and the rest as an angle in [−π/4, π/4]
  let shifted = fma(t, Lanes(repeating: 4), rounder)
  let q = bits(shifted)
  let x = fma(t, Lanes(repeating: 4), -(shifted - rounder)) * 1.570_796_33
  let square = x * x
  var s = Lanes(repeating: -1.951_529_6e-4)
  s = fma(s, square, 8.332_161e-3)
  s = fma(s, square, -1.666_665_46e-1)
  let sine = fma(s * square, x, x)
  var c = Lanes(repeating: 2.443_315_7e-5)
  c = fma(c, square, -1.388_731_63e-3)
  c = fma(c, square, 4.166_664_57e-2)
  let cosine = fma(c * square, square, fma(square, Lanes(repeating: -0.5), 1))
  let swapped = (q & Bits(repeating: 1)) .== Bits(repeating: 1)
  let first = cosine.replacing(with: sine, where: swapped)
  let second = sine.replacing(with: cosine, where: swapped)
  // the cosine is negative in quarters 1 and 2, the sine in 2 and 3
  let flipFirst = ((q &+ Bits(repeating: 1)) & Bits(repeating: 2)) &<< 30
  let flipSecond = (q & Bits(repeating: 2)) &<< 30
  return (lanes(bits(first) ^ flipFirst), lanes(bits(second) ^ flipSecond))
}
