// StudentT.swift — how far a mean of few values may be from the truth: quantiles of Student's t distribution.
// Abramowitz and Stegun 1964, 26.7.1 and 26.5.8; the continued fraction by Lentz 1976.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum StudentT {
  /// The value that a share of the distribution is below.
  ///
  /// - Parameters:
  ///   - share: in [0.5, 1).
  ///   - degrees: ν, degrees of freedom, at least 1.
  static func quantile(_ share: Double, degrees: Int) -> Double {
    precondition(degrees >= 1 && share >= 0.5 && share < 1, "the quantile \(share) of \(degrees) degrees of freedom")
    var (low, high) = (0.0, 1.0)
    while below(high, degrees: degrees) < share && high < 1e12 { high *= 2 }
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if below(middle, degrees: degrees) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// P(T ≤ t) = 1 − ½ I_x(ν/2, ½),   x = ν / (ν + t²),   t ≥ 0                                                      (26.7.1)
  static func below(_ t: Double, degrees: Int) -> Double {
    let nu = Double(degrees)
    return 1 - incompleteBeta(nu / (nu + t * t), nu / 2, 0.5) / 2
  }

  /// log Γ(x) for x > 0, by Stirling's series above 10 and the recurrence Γ(x) = Γ(x + 1) / x below.                (6.1.41)
  static func logGamma(_ x: Double) -> Double {
    var (x, lower) = (x, 0.0)
    while x < 10 {
      lower += log(x)
      x += 1
    }
    let square = 1 / (x * x)
    let series = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680 - square / 1188)))) / x
    return (x - 0.5) * log(x) - x + log(2 * Double.pi) / 2 + series - lower
  }

  /// I_x(a, b), the regularised incomplete beta function.                                                           (26.5.8)
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // the fraction converges fast below the mean; above, by symmetry
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)) / a
    let tiny = 1e-300
    func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var (c, d) = (1.0, 1 / nonzero(1 - (a + b) * x / (a + 1)))
    var fraction = d
    for m in 1...500 {
      let k = Double(m)
      for numerator in [
        k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)), -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1)),
      ] {
        d = 1 / nonzero(1 + numerator * d)
        c = nonzero(1 + numerator / c)
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * fraction
  }
}
